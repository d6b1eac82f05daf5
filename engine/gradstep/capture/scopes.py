"""Scopes in which a loop's statements run: a module, a class body, or the variables of a function's frame."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any, Final

from gradstep.capture.rewriting.leaving import alone
from gradstep.capture.sites import FunctionSite, Site

_OUTER: Final = "__scope__"


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables that the statements of a loop read and write: those of the script's own frame."""

    variables: dict[str, Any]
    """Globals of the module that the loop stands in."""

    cells: Mapping[str, CellType] | None = None
    """Variables of the function that the loop stands in; None at top level and in a class body."""

    body: dict[str, Any] | None = None
    """Variables of the class body that the loop stands in; None elsewhere."""

    @property
    def is_module(self) -> bool:
        """Whether the loop stands at top level."""
        return self.cells is None and self.body is None

    def names(self) -> dict[str, Any]:
        """Return what the local names stand for now; at top level these are the globals."""
        if self.cells is None:
            return dict(self.variables if self.body is None else self.body)
        return dict(_filled(self.cells))

    def value_of(self, name: str) -> object:
        """Return what a name stands for now, local or global; None if it stands for nothing."""
        if self.cells is not None and name in self.cells:
            cell = self.cells[name]
            return cell.cell_contents if _is_filled(cell) else None
        return (self.body or {}).get(name, self.variables.get(name))

    def put_back(self, names: Mapping[str, Any]) -> None:
        """Let each local name stand for what it stood for when `names` was called, and no other be there."""
        if self.cells is None:
            replace_names(self.variables if self.body is None else self.body, names)
            return
        for name, cell in self.cells.items():
            if name in names:
                cell.cell_contents = names[name]
            elif _is_filled(cell):
                del cell.cell_contents

    def run(self, code: CodeType) -> Any:
        """Run a statement that `compiled_alone` made for a loop in this scope."""
        if self.cells is None:
            exec(code, self.variables, self.variables if self.body is None else self.body)
            return None
        cells = tuple(self.cells[name] for name in code.co_freevars)
        return FunctionType(code, self.variables, code.co_name, None, cells)()


def scope_of(function: FunctionSite | None, names: FunctionType, frame: FrameType | None) -> Scope:
    """Return the scope of a loop.

    Args:
        function: Function or class body that the loop stands in; None at top level.
        names: A function inside it that shares all its variables.
        frame: Frame that runs the loop.
    """
    if function is None:
        return Scope(names.__globals__)
    if function.is_class:
        assert frame is not None
        return Scope(names.__globals__, body=frame.f_locals)
    cells = zip(names.__code__.co_freevars, names.__closure__ or (), strict=True)
    return Scope(names.__globals__, dict(cells))


def replace_names(there: dict[str, Any], names: Mapping[str, Any]) -> None:
    """Make a dictionary of names hold what `names` holds, and nothing else."""
    for name in there.keys() - names.keys():
        del there[name]
    there.update(names)


def compiled_alone(site: Site, index: int) -> CodeType:
    """Return code that runs one statement of a loop's body without the loop around it."""
    nodes = site.statements[index]
    flat: list[ast.stmt] = [alone(copy.deepcopy(node)) for node in nodes]
    if any(isinstance(part, ast.Break | ast.Continue) for node in nodes for part in _of_this_loop(node)):
        once = ast.copy_location(ast.Break(), flat[-1])
        always = ast.copy_location(ast.Constant(True), flat[0])
        flat = [ast.copy_location(ast.While(always, [*flat, once], []), flat[0])]
    if site.function is None or site.function.is_class:
        return _compile(flat, site)
    return _in_function(flat, site, site.function)


def _in_function(body: list[ast.stmt], site: Site, function: FunctionSite) -> CodeType:
    """Return the code of a function inside the loop's function, which it shares all variables with."""
    at = body[0]
    body = [_AsNested(function).visit(node) for node in body]
    shared = [name for name in function.names if name != "__class__"]
    if function.declared_global:
        body.insert(0, ast.copy_location(ast.Global(list(function.declared_global)), at))
    if shared:
        body.insert(0, ast.copy_location(ast.Nonlocal(shared), at))
    nothing = ast.arguments([], [], None, [], [], None, [])
    inner = ast.copy_location(ast.FunctionDef(function.name, nothing, body, []), at)
    names = [ast.copy_location(ast.arg(name), at) for name in shared]
    around = ast.arguments([], names, None, [], [], None, [])
    outer: ast.stmt = ast.copy_location(ast.FunctionDef(_OUTER, around, [inner], []), at)
    if function.owner:
        outer = ast.copy_location(ast.ClassDef(function.owner, [], [], [outer], []), at)
    code = _compile([outer], site)
    for name in (function.owner, _OUTER, function.name):
        if name:
            code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
    return code.replace(co_qualname=function.qualified)


def _compile(body: list[ast.stmt], site: Site) -> CodeType:
    tree = ast.fix_missing_locations(ast.Module(body, []))
    code: CodeType = compile(tree, site.place.file, "exec", flags=site.flags, dont_inherit=True)
    return code


class _AsNested(ast.NodeTransformer):
    """Makes a statement of a function one of a function inside it: annotations of names, and `super()`."""

    def __init__(self, function: FunctionSite) -> None:
        self._function = function

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_super = isinstance(node.func, ast.Name) and node.func.id == "super"
        if is_super and not node.args and self._function.first_parameter:
            names = ("__class__", self._function.first_parameter)
            node.args = [ast.copy_location(ast.Name(name, ast.Load()), node) for name in names]
        return node

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _as_it_is  # noqa: N815


def _of_this_loop(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement without those of loops, functions and classes in it."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    if isinstance(node, ast.For | ast.While | ast.AsyncFor):
        inner: Iterable[ast.AST] = node.orelse
    else:
        inner = ast.iter_child_nodes(node)
    for child in inner:
        yield from _of_this_loop(child)


def _filled(cells: Mapping[str, CellType]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells.items():
        if _is_filled(cell):
            yield name, cell.cell_contents


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True
