"""Every loop of the learner's files: its place, what encloses it, the names that its statements use."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gradstep.capture.loop_places import LineRange, LoopKind, LoopPlace, StatementPlace


@dataclass(frozen=True, slots=True)
class FunctionSite:
    """Function or class body that a loop stands in."""

    name: str
    qualified: str
    names: tuple[str, ...]
    """Names that are local to the function or belong to a function around it; empty for a class body."""

    declared_global: tuple[str, ...]
    """Names that the function declares `global`."""

    first_parameter: str
    """Name of the first parameter, which `super()` without arguments means; empty if there is none."""

    owner: str
    """Name of the innermost class around the function, which mangles names such as `__x`; or empty."""

    is_class: bool

    returns_value: bool = True
    """Whether `return` may have a value; it may not in an asynchronous generator."""


@dataclass(slots=True)
class Site:
    """One loop of an instrumented file."""

    number: int
    place: LoopPlace
    function: FunctionSite | None
    """Function or class body that the loop stands in; None at top level."""

    outer: tuple[int, ...]
    """Numbers of the loops around this one in the same function, innermost first."""

    flags: int
    """Compiler flags of the file's `from __future__` imports."""

    inside: frozenset[int] = frozenset()
    """Indices of the statements that hold `yield` or `await`, and so run in the frame of the loop only."""

    updates: bool = False
    """Whether a statement of the body may update parameters, as far as its text tells."""

    leads: bool = False
    """Whether the text of the loop may lead to a pass; only then it has calls at its rounds."""

    statements: list[list[ast.stmt]] = field(default_factory=list)
    """Each statement of the body as it is compiled: with the calls that were put before it and into it."""

    @property
    def yields(self) -> bool:
        """Whether the frame of the loop is left in its rounds, and comes back."""
        return bool(self.inside) or self.place.kind is LoopKind.ASYNC_FOR

    @property
    def key(self) -> tuple[str, int]:
        """File and first line of the loop."""
        return self.place.file, self.place.lines.first

    @property
    def body_lines(self) -> LineRange:
        """Lines of the loop's body."""
        return LineRange(self.place.body[0].lines.first, self.place.body[-1].lines.last)


COMPOUND = (
    *(ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
"""Statements that hold statements."""


def lines_of(node: ast.stmt) -> LineRange:
    """Return the lines of a statement, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return LineRange(
        min(node.lineno, *(d.lineno for d in decorators), node.lineno), node.end_lineno or node.lineno
    )


def statement_places(text: str, body: list[ast.stmt]) -> tuple[StatementPlace, ...]:
    """Return the places of the statements of a body, from the text of its file."""
    return tuple(
        StatementPlace(index, lines_of(node), _text_of(text, node), isinstance(node, COMPOUND))
        for index, node in enumerate(body)
    )


AnyLoop: TypeAlias = ast.For | ast.AsyncFor | ast.While

KINDS: Final = {ast.For: LoopKind.FOR, ast.AsyncFor: LoopKind.ASYNC_FOR}
"""Kinds of loops that draw items."""


def loop_place(file: str, function: FunctionSite | None, text: str, loop: AnyLoop) -> LoopPlace:
    """Return the place of a loop, from the text of its file."""
    kind = KINDS.get(type(loop), LoopKind.WHILE)
    row = text.split("\n")[loop.lineno - 1].strip()
    if loop.body[0].lineno == loop.lineno and loop.body[0].col_offset == loop.col_offset:
        kind, row = LoopKind.NONE, ""
    name = "" if function is None else function.qualified
    return LoopPlace(file, name, kind, row, lines_of(loop), statement_places(text, loop.body))


def _text_of(text: str, node: ast.stmt) -> str:
    lines = lines_of(node)
    rows = text.split("\n")[lines.first - 1 : lines.last]
    indent = len(rows[0]) - len(rows[0].lstrip())
    if node.lineno == lines.first and rows[0][:indent] != rows[0][: node.col_offset]:
        return ast.get_source_segment(text, node) or rows[0]  # several statements on one line
    return "\n".join(row[indent:] if not row[:indent].strip() else row for row in rows)
