"""The functions that a loop calls, found in the script's text: what `model(x)` runs."""

from __future__ import annotations

import ast
import linecache
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

CALLED: Final = ("forward", "__call__")
"""Methods that run when an object is called, a module's first."""


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """A function that a loop calls, or the line that makes the object that it calls."""

    name: str
    """Qualified name, such as `Net.forward`; of an object, its variable."""

    file: str
    line: int
    """Number of its first line in the file, counted from 1."""

    lines: tuple[str, ...]
    """Its lines, without the indentation that they share."""


def called_functions(file: str, loop: Sequence[str]) -> tuple[FunctionCode, ...]:
    """Return the functions of a script that the lines of a loop call by name, in the order of the calls.

    A variable or attribute that is called stands for the class of the file, or of a module beside it, that
    was assigned to it last; then its `forward` is what runs. A name that cannot be followed is left out.

    Args:
        file: Path of the script.
        loop: Lines of the loop's body.
    """
    return _called(file, tuple(linecache.getlines(file)), tuple(loop))


def code_file(called: Callable[..., object]) -> str:
    """Return the file of what runs when something is called; empty if it is PyTorch's, or not Python."""
    method = getattr(type(called), CALLED[0], called)
    own = not getattr(method, "__module__", "").startswith("torch.")
    return getattr(getattr(method, "__code__", None), "co_filename", "") if own else ""


@lru_cache(maxsize=16)
def _called(file: str, lines: tuple[str, ...], loop: tuple[str, ...]) -> tuple[FunctionCode, ...]:
    body = _parsed(textwrap.dedent("\n".join(loop)))
    if body is None:
        return ()
    names = _Names(file, lines)
    found = (names.function(name) for name in _called_names(body))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _called_names(body: ast.Module) -> list[str]:
    """Return what is called, variables and attributes by their last name, in the order in which it runs."""
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.end_col_offset or 0))
    names = (_last_name(call.func) for call in calls)
    return [name for name in names if name]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


class _Names:
    """What the names of a file stand for, as far as its text says it."""

    def __init__(self, file: str, lines: Sequence[str], depth: int = 2) -> None:
        """Read a file; names imported from a module beside it are followed `depth` times."""
        self._file, self._lines, self._depth = file, lines, depth
        self._functions: dict[str, Definition] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        self._objects: dict[str, ast.Assign] = {}
        """Assignment of what a call makes to each variable or attribute."""

        self._imported: dict[str, tuple[str, str]] = {}
        """Module and name there of each imported name."""

        tree = _parsed("".join(lines))
        if tree is not None:
            self._read(tree)

    def _read(self, tree: ast.Module) -> None:
        methods = {
            id(each) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.body
        }
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() if id(node) not in methods:
                    self._functions[node.name] = node
                case ast.ClassDef():
                    self._classes[node.name] = node
                case ast.Assign(targets=[target], value=ast.Call()):
                    self._objects[_last_name(target)] = node
                case ast.ImportFrom(module=str(module), names=names):
                    self._imported |= {each.asname or each.name: (module, each.name) for each in names}

    def function(self, name: str) -> FunctionCode | None:
        """Return the function that runs when a name is called; None if the text does not say it.

        For an object of a class of another library, such as `nn.Sequential`, it is the line that makes it.
        """
        if name in self._functions:
            return self._code(name, self._functions[name])
        made = self._objects.get(name)
        if made is None or not isinstance(made.value, ast.Call):
            return None
        return self.method_of(_class_of(made.value)) or self._code(name, made)

    def method_of(self, kind: str) -> FunctionCode | None:
        """Return the method that runs when an object of a class is called."""
        if kind in self._classes:
            methods: Mapping[str, Definition] = {
                each.name: each
                for each in self._classes[kind].body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            return next(
                (self._code(f"{kind}.{name}", methods[name]) for name in CALLED if name in methods), None
            )
        for other, name in self._beside(kind):
            found = other.method_of(name)
            if found is not None:
                return found
        return None

    def _beside(self, name: str) -> Iterator[tuple[_Names, str]]:
        """Yield the module beside the file that a name is imported from, and the name there."""
        if name in self._imported and self._depth:
            module, there = self._imported[name]
            path = Path(self._file).parent.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_file():
                yield _Names(str(path), linecache.getlines(str(path)), self._depth - 1), there

    def _code(self, name: str, node: Definition | ast.Assign) -> FunctionCode:
        shown = self._lines[node.lineno - 1 : node.end_lineno]
        text = textwrap.dedent("".join(shown)).rstrip("\n")
        return FunctionCode(name, self._file, node.lineno, tuple(row.rstrip() for row in text.split("\n")))


def _class_of(call: ast.Call) -> str:
    """Return the class of what a call makes: `Net`, also for `Net().to(device)` or `compile(Net())`."""
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        return _class_of(call.func.value)
    name = _last_name(call.func)
    inner = next((each for each in call.args if isinstance(each, ast.Call)), None)
    return _class_of(inner) if name in ("compile", "DataParallel", "script") and inner is not None else name


def _parsed(text: str) -> ast.Module | None:
    """Return the tree of a text; None if it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
