"""Statements of a loop's body as pieces of text that can be indented, left out, and put in another order."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from gradstep.exports.own_loop.text_edits import BodyBlock, begin_of, indent_of, lines_inside_strings


class BodyText:
    """The text of each statement of a body."""

    def __init__(self, block: BodyBlock) -> None:
        """Read the statements of a block."""
        self._block, self._lines = block, block.lines
        self._strings = lines_inside_strings(block.text)
        self.indent = block.indent
        self.count = len(block.body)

    @property
    def first(self) -> int:
        """First line of the body, with the comments before its first statement."""
        return self._block.first

    @property
    def last(self) -> int:
        """Last line of the body's last statement."""
        return self._block.body[-1].end_lineno or 0

    def is_declaration(self, key: int) -> bool:
        """Return whether a statement declares names `global` or `nonlocal`, which has to come first."""
        return isinstance(self._block.body[key], ast.Global | ast.Nonlocal)

    def remarks(self, key: int) -> list[str]:
        """Return the comments and blank lines before a statement, without indentation."""
        begin = begin_of(self._block.body[key])
        start = self.first if key == 0 else (self._block.body[key - 1].end_lineno or 0) + 1
        return [line.strip() for line in self._lines[start - 1 : begin - 1]]

    def statement(self, key: int, indent: str) -> list[str]:
        """Return the lines of a statement at an indentation; lines inside strings stay as they are."""
        node = self._block.body[key]
        begin, end = begin_of(node), node.end_lineno or node.lineno
        if self._is_alone(key):
            rows = self._lines[begin - 1 : end]
        else:
            rows = (ast.get_source_segment(self._block.text, node) or "").split("\n")
        old = indent_of(self._lines[begin - 1])
        made: list[str] = []
        for number, row in enumerate(rows, begin):
            if number > begin and number in self._strings:
                made.append(row)
            elif not row.strip():
                made.append("")
            elif number == begin:
                made.append(indent + row.lstrip())
            else:
                made.append(indent + (row[len(old) :] if row.startswith(old) else row.lstrip()))
        return made

    def _is_alone(self, key: int) -> bool:
        """Return whether no other statement of the body, nor the loop's head, is on a statement's lines."""
        body = self._block.body
        begin, end = begin_of(body[key]), body[key].end_lineno or 0
        before = self._block.header_end if self._block.is_on_header and key == 0 else 0
        if key:
            before = body[key - 1].end_lineno or 0
        after = begin_of(body[key + 1]) if key + 1 < len(body) else end + 1
        return before < begin and end < after and not (self._block.is_on_header and key == 0)


def commented(lines: Sequence[str], indent: str) -> list[str]:
    """Return lines as comments."""
    return [f"{indent}# {line[len(indent) :]}" if line.strip() else f"{indent}#" for line in lines]
