"""The statements among which a call of a running program stands, and the loops around them."""

from __future__ import annotations

import ast
import linecache
import textwrap
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from types import FrameType
from typing import Final, TypeAlias

from gradstep.loop.roles import Role
from gradstep.recordings.recording import CodeAround, CodeHead, CodeStatement

_Loop: TypeAlias = ast.For | ast.AsyncFor | ast.While
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

MOST_STATEMENTS: Final = 40
"""Statements of a body that are kept; of a longer one, those nearest to the call."""

UNKNOWN: Final = "# the text of this line is not known"


def code_around(frame: FrameType | None) -> CodeAround:
    """Return the code around the call that a frame is in; a line without text if that is not known.

    If a function that holds only a loop's body is called from the loop, it is the code around that call.
    """
    if frame is None:
        return _single("", 0, UNKNOWN)
    file, at = frame.f_code.co_filename, frame
    while at.f_back is not None and at.f_back.f_code.co_filename == file:
        if _code_at(file, *_position(at)).heads:
            break
        at = at.f_back
    found = _code_at(file, *_position(at))
    return found if found.heads else _code_at(file, *_position(frame))


def with_roles(code: CodeAround, roles: Collection[tuple[Role, int]]) -> CodeAround:
    """Return code whose statements have roles as well that were seen at lines of its file."""
    statements = list[CodeStatement]()
    for number, statement in enumerate(code.statements):
        end = statement.line + len(statement.lines)
        others = (each for each in code.statements if each is not statement)
        alone = not any(each.line < end and statement.line < each.line + len(each.lines) for each in others)
        lines = {role for role, line in roles if alone and statement.line <= line < end}
        seen = lines | set(statement.roles)
        if number == code.at:
            seen.add(Role.BACKWARD)
        statements.append(replace(statement, roles=tuple(role for role in Role if role in seen)))
    return replace(code, statements=tuple(statements))


def line_within(frame: FrameType | None, code: CodeAround) -> int | None:
    """Return the line, among some statements, at which a frame or a caller of it stands; or None."""
    while frame is not None:
        if frame.f_code.co_filename == code.file:
            for statement in code.statements:
                if statement.line <= frame.f_lineno < statement.line + len(statement.lines):
                    return frame.f_lineno
        frame = frame.f_back
    return None


@lru_cache(maxsize=256)
def _code_at(file: str, line: int, column: int | None) -> CodeAround:
    lines = tuple(linecache.getlines(file))
    found = _Surroundings(_tree("".join(lines)), line, column)
    if found.at is None:
        return _single(file, line, lines[line - 1].strip() if 0 < line <= len(lines) else UNKNOWN)
    first = max(min(found.at - MOST_STATEMENTS // 2, len(found.body) - MOST_STATEMENTS), 0)
    kept = range(first, min(first + MOST_STATEMENTS, len(found.body)))
    statements = [_statement(found.body, number, lines) for number in kept]
    heads = tuple(CodeHead(_head(loop, lines), loop.lineno, found.function) for loop in found.loops)
    return CodeAround(file, line, heads, tuple(statements), found.at - first)


class _Surroundings:
    """What stands around a line of a file."""

    def __init__(self, tree: ast.Module | None, line: int, column: int | None) -> None:
        self.body: list[ast.stmt] = [] if tree is None else tree.body
        """Body of the innermost loop around the line; without one, of the function or the file."""

        self.loops: list[_Loop] = []
        """Loops around the line within its function, outermost first."""

        self.function = ""
        """Qualified name of the function; empty at top level."""

        within: Sequence[ast.stmt] = self.body
        while (node := next((node for node in within if _holds(node, line, column)), None)) is not None:
            self._enter(node, line)
            within = [*_parts(node)]
        self.at = next((number for number, node in enumerate(self.body) if _holds(node, line, column)), None)
        """Index in `body` of the statement that holds the line; None if none does."""

    def _enter(self, node: ast.stmt, line: int) -> None:
        if not any(_holds(part, line) for part in getattr(node, "body", ())):
            return
        if isinstance(node, _Function):
            self.loops, self.body = [], node.body
        elif isinstance(node, _Loop):
            self.loops, self.body = [*self.loops, node], node.body
        if isinstance(node, _Function | ast.ClassDef):
            self.function = f"{self.function}.{node.name}".lstrip(".")


@lru_cache(maxsize=8)
def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parts(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements of all clauses of a statement."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            yield part
        elif isinstance(part, ast.ExceptHandler | ast.match_case):
            yield from part.body


def _holds(node: ast.stmt, line: int, column: int | None = None) -> bool:
    """Return whether a statement holds a place; several may share a line, which the column tells apart."""
    first, last = _first(node), node.end_lineno or node.lineno
    if column is None or not first <= line <= last:
        return first <= line <= last
    begins = line > node.lineno or column >= node.col_offset
    return begins and (line < last or column < (node.end_col_offset or 0))


def _position(frame: FrameType) -> tuple[int, int | None]:
    """Return the line at which a frame is, and the column; None if Python does not know that."""
    places = list(frame.f_code.co_positions())
    number = frame.f_lasti // 2
    line, _, column, _ = places[number] if 0 <= number < len(places) else (None,) * 4
    return frame.f_lineno, column if line == frame.f_lineno else None


def _first(node: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(each.lineno for each in decorators)])


def _statement(body: list[ast.stmt], number: int, lines: Sequence[str]) -> CodeStatement:
    """Return a statement with all of its lines, or with its part of a line that it shares."""
    node = body[number]
    first, last = _first(node), node.end_lineno or node.lineno
    text = "".join(lines[first - 1 : last])
    others = body[max(number - 1, 0) : number] + body[number + 1 : number + 2]
    if any(_first(each) <= last and first <= (each.end_lineno or each.lineno) for each in others):
        text = " " * node.col_offset + (ast.get_source_segment("".join(lines), node) or text)
    return CodeStatement(tuple(textwrap.dedent(text).rstrip().split("\n")), first)


def _head(loop: _Loop, lines: Sequence[str]) -> str:
    """Return the head of a loop as one line."""
    last = max(loop.lineno, loop.body[0].lineno - 1)
    text = " ".join(line.strip() for line in lines[loop.lineno - 1 : last])
    return text if text else lines[loop.lineno - 1].strip()


def _single(file: str, line: int, text: str) -> CodeAround:
    return CodeAround(file, line, (), (CodeStatement((text,), line, (Role.BACKWARD,)),), 0)
