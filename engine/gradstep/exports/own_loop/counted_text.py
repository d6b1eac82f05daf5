"""A learner's file with the lines that count the rounds of its loop, run what was run, and stop."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from gradstep.capture.loop_places import LoopKind, LoopPlace
from gradstep.exports.own_loop.body_text import BodyText
from gradstep.exports.own_loop.loop_edits import Shapes, edited_body
from gradstep.exports.own_loop.text_edits import (
    EditedLine,
    LinesEdit,
    begin_of,
    block_at,
    edited,
    else_of,
    indent_of,
    quoted,
    with_returns_through,
)

WIDTH = 100
"""Length of the longest line that is not the learner's."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is put into a loop."""

    session: str
    """Name of the object that counts the rounds."""

    owners: Sequence[str]
    """Expressions, in the loop's scope, for what holds the parameters and for the optimizers."""

    shapes: Shapes
    """Rounds, with the steps that they ran."""


def counted(
    text: str, stepped: LoopPlace | None, outermost: LoopPlace | None, counting: Counting
) -> list[EditedLine]:
    """Return the lines of a file with the lines that count.

    Args:
        text: Text of the file.
        stepped: The stepped loop, if it stands in this file.
        outermost: The outermost loop, if it stands in this file, and the session stood behind it.
        counting: What is put in.
    """
    if outermost is not None:
        text = with_returns_through(text, _nodes(text, outermost), f"{counting.session}.leave")
    edits: list[LinesEdit] = []
    if outermost is not None:
        edits += _stops(text, outermost, counting.session)
    if stepped is not None:
        edits += _rounds(text, stepped, counting)
    return edited(text, edits)


def _rounds(text: str, place: LoopPlace, counting: Counting) -> list[LinesEdit]:
    """Return the edits of the stepped loop's body."""
    block = block_at(text, ast.parse(text), _lines_of(place))
    head = _head(counting, eager=_is_in_class(text, block.body[0]))
    body = BodyText(block)
    lines = edited_body(body, counting.shapes, counting.session)
    if lines is None:
        return [block.with_lines_before(head)]
    head = [f"{block.indent}{line}" for line in head]
    if block.is_on_header:
        before = block.lines[body.first - 1][: block.column].rstrip()
        return [LinesEdit(body.first, body.last, (before, *head, *lines))]
    return [LinesEdit(body.first, body.last, (*head, *lines))]


def _head(counting: Counting, *, eager: bool) -> list[str]:
    """Return the lines that begin a round.

    Args:
        counting: What is put in.
        eager: Whether the loop stands in a class body, whose names no function inside it sees.
    """
    call = f"{counting.session}.begin_round"
    pairs = [f"{quoted(owner)}: {owner}" for owner in counting.owners]
    begin = "lambda names={" if eager else "lambda: {"
    end = "}: names" if eager else "}"
    line = f"{call}({begin}{', '.join(pairs)}{end})"
    if len(line) <= WIDTH - 20:
        return [line]
    return [f"{call}(", f"    {begin}", *(f"        {pair}," for pair in pairs), f"    {end}", ")"]


def _stops(text: str, place: LoopPlace, session: str) -> list[LinesEdit]:
    """Return the edits that stop the script behind its outermost loop."""
    *_, node = _nodes(text, place)
    stop = f"{session}.stop()"
    last = node.end_lineno or begin_of(node)
    if place.kind is LoopKind.NONE:
        indent = block_at(text, ast.parse(text), _lines_of(place)).indent
    else:
        indent = indent_of(text.split("\n")[node.lineno - 1])
    edits = [LinesEdit(last + 1, last, (f"{indent}{stop}",))]
    if isinstance(node, ast.For | ast.While) and node.orelse and place.kind is not LoopKind.NONE:
        edits.append(else_of(text, node).with_lines_before([stop]))
    return edits


def _nodes(text: str, place: LoopPlace) -> Sequence[ast.stmt]:
    """Return the loop at a place, or the statements that stand for one."""
    tree = ast.parse(text)
    if place.kind is LoopKind.NONE:
        return block_at(text, tree, _lines_of(place)).body
    kind = ast.While if place.kind is LoopKind.WHILE else ast.For
    for node in ast.walk(tree):
        if isinstance(node, kind) and (node.lineno, node.end_lineno) == (place.lines.first, place.lines.last):
            return [node]
    raise LookupError(place.header)


def _lines_of(place: LoopPlace) -> list[tuple[int, int]]:
    return [(statement.lines.first, statement.lines.last) for statement in place.body]


def _is_in_class(text: str, node: ast.stmt) -> bool:
    """Return whether the innermost function or class around a statement is a class."""
    found: ast.AST | None = None
    for other in ast.walk(ast.parse(text)):
        if isinstance(other, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = other.lineno <= node.lineno and (node.end_lineno or 0) <= (other.end_lineno or 0)
            if inside and (found is None or other.lineno >= getattr(found, "lineno", 0)):
                found = other
    return isinstance(found, ast.ClassDef)
