"""Statements that run once as a loop of one round, and the marks that tell which statements these are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from gradstep.capture.loop_places import LineRange
from gradstep.capture.rewriting.leads import may_lead
from gradstep.capture.sites import lines_of

Marker = Callable[[ast.stmt, bool], ast.stmt]
"""Returns the mark of a statement; the flag says whether it is the first of its function or module."""


class Block(ast.While):
    """A loop that goes round once: the statements stand in no loop of the script's own."""

    def __init__(self, body: list[ast.stmt] | None = None) -> None:
        """Make a loop of statements, which stands at the position of the first; without any for a copy."""
        if body is None:
            ast.AST.__init__(self)
            return
        super().__init__(ast.copy_location(ast.Constant(True), body[0]), body, [])
        ast.copy_location(self, body[0])
        self.end_lineno, self.end_col_offset = body[-1].end_lineno, body[-1].end_col_offset


def make_block(tree: ast.Module, lines: LineRange) -> None:
    """Make a block of the statements from one line to the end of the body that another line is in, too."""
    found = _list_around(tree, lines)
    if found is not None:
        body, index = found
        body[index:] = [Block(body[index:])]


def taken_apart(body: list[ast.stmt], names: set[str]) -> None:
    """Make a block of what a `with`, `try` or `if` holds that is all of a loop's body.

    Args:
        body: Body of the loop.
        names: Names that lead to a `backward`.
    """
    own = [node for node in body if not _is_nothing(node)]
    inner = _held(own[0]) if len(own) == 1 else None
    if inner is None or not any(may_lead(node, names) for node in inner) or _leaves_loop(inner):
        return
    deeper = [node for node in inner if not _is_nothing(node)]
    if len(deeper) == 1 and _held(deeper[0]) is not None:
        taken_apart(inner, names)
    elif len(deeper) > 1:
        inner[:] = [Block(list(inner))]


def mark(tree: ast.Module, marker: Marker) -> None:
    """Put a mark before each statement of a file that may hold a `backward` and stands in no loop."""
    nodes = list(ast.walk(tree))
    loops = [lines_of(node) for node in nodes if isinstance(node, ast.For | ast.AsyncFor | ast.While)]
    _mark(tree.body, marker, True)
    for node in nodes:
        is_wanted = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and may_lead(node, set())
        if is_wanted and not any(node.lineno in lines for lines in loops):  # type: ignore[attr-defined]
            _mark(node.body, marker, True)  # type: ignore[attr-defined]


def _mark(body: list[ast.stmt], marker: Marker, is_first: bool) -> None:
    made: list[ast.stmt] = []
    for node in body:
        for inner in _lists(node):
            _mark(inner, marker, False)
        if not (is_first and _must_be_first(node)):
            made.append(marker(node, is_first))
            is_first = False
        made.append(node)
    body[:] = made


def _list_around(tree: ast.Module, lines: LineRange) -> tuple[list[ast.stmt], int] | None:
    """Return the innermost body that holds both lines, and the index of the statement at the first."""
    bodies = [tree.body]
    found: tuple[list[ast.stmt], int] | None = None
    while bodies:
        body = bodies.pop()
        first = next((i for i, node in enumerate(body) if lines.first in lines_of(node)), None)
        if first is not None and any(lines.last in lines_of(node) for node in body):
            found = body, first
            bodies = (
                [] if isinstance(body[first], ast.For | ast.AsyncFor | ast.While) else _bodies(body[first])
            )
    return found


def _bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.body]
    return list(_lists(node))


def _lists(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the bodies of a statement that run at most once whenever it runs."""
    if isinstance(node, ast.If | ast.With | ast.AsyncWith | ast.Try):
        yield node.body
    if isinstance(node, ast.If | ast.Try):
        yield node.orelse
    if isinstance(node, ast.Try):
        yield from (handler.body for handler in node.handlers)
        yield node.finalbody


def _held(node: ast.stmt) -> list[ast.stmt] | None:
    if isinstance(node, ast.With | ast.AsyncWith | ast.Try) or (isinstance(node, ast.If) and not node.orelse):
        return node.body
    return None


def _is_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _must_be_first(node: ast.stmt) -> bool:
    is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return is_future or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _leaves_loop(body: list[ast.stmt]) -> bool:
    """Return whether statements leave the round or the loop that they stand in."""
    for node in body:
        if isinstance(node, ast.Break | ast.Continue):
            return True
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            if _leaves_loop(node.orelse):
                return True
        elif any(_leaves_loop(inner) for inner in _all_lists(node)):
            return True
    return False


def _all_lists(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    yield from _lists(node)
    if isinstance(node, ast.Match):
        yield from (case.body for case in node.cases)
    if isinstance(node, ast.TryStar):
        yield from (node.body, node.orelse, node.finalbody, *(handler.body for handler in node.handlers))
