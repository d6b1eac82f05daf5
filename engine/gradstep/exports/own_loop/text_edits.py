"""Edits of a script's text: lines put in place of lines, each with the line that it came from."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinesEdit:
    """New lines for some lines of a text."""

    first: int
    """First line that is replaced, counted from 1."""

    last: int
    """Last line that is replaced; one less than `first` to put lines before it."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditedLine:
    """One line of an edited text."""

    origin: int
    """Line of the text that it stands for, counted from 1."""

    text: str


def edited(text: str, edits: Iterable[LinesEdit]) -> list[EditedLine]:
    """Return a text's lines with edits, which do not overlap."""
    lines = [EditedLine(number, line) for number, line in enumerate(text.split("\n"), 1)]
    for edit in sorted(edits, key=lambda edit: (edit.first, edit.last), reverse=True):
        origin = min(edit.first, len(lines)) if edit.last >= edit.first else max(edit.first - 1, 1)
        lines[edit.first - 1 : edit.last] = [EditedLine(origin, line) for line in edit.lines]
    return lines


def lines_inside_strings(text: str) -> frozenset[int]:
    """Return the lines, counted from 1, that begin inside a string: their indentation is its content."""
    inside: set[int] = set()
    opened: list[int] = []
    begins = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
    ends = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif token.type in begins:
            opened.append(token.start[0])
        elif token.type in ends:
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return frozenset(inside)


def indent_of(line: str) -> str:
    """Return the white space at the begin of a line."""
    return line[: len(line) - len(line.lstrip())]


def deeper(indent: str) -> str:
    """Return an indentation that is one step deeper."""
    return f"{indent}\t" if indent.endswith("\t") else f"{indent}    "


@dataclass(frozen=True, slots=True)
class BodyBlock:
    """Statements that stand in a compound statement, with the text around them."""

    text: str
    body: Sequence[ast.stmt]
    header_end: int
    """Last line of the compound statement's own head, at the least."""

    header: int
    """First line of the compound statement."""

    @property
    def is_on_header(self) -> bool:
        """Whether the statements begin on a line of the head, as in `for x in xs: step(x)`."""
        head = self.lines[begin_of(self.body[0]) - 1][: self.column]
        return bool(head.strip())

    @property
    def lines(self) -> list[str]:
        """Lines of the whole text."""
        return self.text.split("\n")

    @property
    def column(self) -> int:
        """Column, in characters, at which the first statement begins."""
        first = self.body[0]
        line = self.lines[first.lineno - 1]
        return len(line.encode()[: first.col_offset].decode(errors="replace"))

    @property
    def indent(self) -> str:
        """Indentation of the statements."""
        if self.is_on_header:
            return deeper(indent_of(self.lines[self.header - 1]))
        return indent_of(self.lines[begin_of(self.body[0]) - 1])

    @property
    def first(self) -> int:
        """Line at which lines are put before the statements: after the head, before comments on the first."""
        line = begin_of(self.body[0])
        while line - 1 > self.header_end and _is_remark(self.lines[line - 2]):
            line -= 1
        return line

    def with_lines_before(self, lines: Sequence[str]) -> LinesEdit:
        """Return the edit that puts lines before the statements; they are given without indentation."""
        made = [f"{self.indent}{line}" for line in lines]
        if not self.is_on_header:
            return LinesEdit(self.first, self.first - 1, tuple(made))
        row = begin_of(self.body[0])
        line = self.lines[row - 1]
        head, rest = line[: self.column].rstrip(), line[self.column :]
        return LinesEdit(row, row, (head, *made, f"{self.indent}{rest}"))


def block_at(text: str, tree: ast.Module, lines: Sequence[tuple[int, int]]) -> BodyBlock:
    """Return the statements of a body that stand at certain lines.

    Args:
        text: Text of the file.
        tree: Its tree.
        lines: First and last line of each statement.

    Raises:
        LookupError: there are no such statements.
    """
    for node in ast.walk(tree):
        for body in _bodies(node):
            places = [(begin_of(statement), statement.end_lineno or 0) for statement in body]
            for at in range(len(body) - len(lines) + 1):
                if places[at : at + len(lines)] == [*lines]:
                    head = places[at - 1][1] if at else _head_end(node)
                    return BodyBlock(text, body[at : at + len(lines)], head, getattr(node, "lineno", 1))
    raise LookupError(lines)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, [])
        if isinstance(body, list):
            yield body


def _head_end(node: ast.AST) -> int:
    """Return the last line of a compound statement's head, or the first if that is not known."""
    if isinstance(node, ast.For | ast.While):
        return (node.iter if isinstance(node, ast.For) else node.test).end_lineno or node.lineno
    return getattr(node, "lineno", 0)


def else_of(text: str, node: ast.For | ast.While) -> BodyBlock:
    """Return what stands in the `else` of a loop, which has one."""
    lines = text.split("\n")
    row = begin_of(node.orelse[0])
    while not lines[row - 1].lstrip().startswith("else"):
        row -= 1
    return BodyBlock(text, node.orelse, row, row)


def begin_of(node: ast.stmt) -> int:
    """Return the first line of a statement, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def returns_in(node: ast.AST) -> Iterator[ast.Return]:
    """Yield the `return` statements of a loop, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from returns_in(child)


def with_returns_through(text: str, nodes: Sequence[ast.stmt], call: str) -> str:
    """Return a text in which each `return` of a loop hands its value through a call; lines stay the same."""
    lines = text.split("\n")
    found = list(returns_in(ast.Module([*nodes], [])))
    found.sort(key=lambda one: (one.lineno, one.col_offset), reverse=True)
    for statement in found:
        end, column = statement.end_lineno or 0, statement.end_col_offset or 0
        _put(lines, end, column, "))" if statement.value else f" {call}()")
        if statement.value is not None:
            _put(lines, statement.value.lineno, statement.value.col_offset, f"{call}((")
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return the source of a text, in double quotes if these need no escape."""
    return f'"{text}"' if repr(text)[1:-1] == text and '"' not in text else repr(text)


def _put(lines: list[str], row: int, column: int, text: str) -> None:
    data = lines[row - 1].encode()
    lines[row - 1] = (data[:column] + text.encode() + data[column:]).decode()


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
