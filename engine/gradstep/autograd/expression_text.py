"""The text of the expression that an instruction belongs to, as it stood when the code was compiled.

Python knows the columns of an instruction, but not all of what a reader takes for its expression: a call in a
chain of methods over several lines begins at the method's name, and an assignment to elements at its target.
"""

from __future__ import annotations

import ast
import io
import linecache
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dis import opname
from types import CodeType
from typing import Final, NamedTuple, TypeAlias

Span: TypeAlias = tuple[int, int, int, int]
"""First and last line, counted from 1, first column and column after the last; Python's columns are bytes."""

_NO_TEXT: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


class Expression(NamedTuple):
    """The expression that an instruction belongs to."""

    text: str
    """Text on one line; empty if the file no longer holds the text of this code."""

    line: int
    """Number of its line; in a chain of methods over several lines, that of the method."""

    name: str = ""
    """Variable, or variables as in `q, k, v`, that the whole expression is assigned to; empty if none is."""

    span: Span | None = None
    """Place of the text in its file, in characters; None if Python does not know it."""


def expression_at(code: CodeType, instruction: int) -> Expression:
    """Return the expression of an instruction.

    Args:
        code: Code of a script or module, or of a function in it.
        instruction: Offset of the instruction in the code.
    """
    line, end_line, column, end_column = list(code.co_positions())[instruction // 2]
    line = line or code.co_firstlineno
    text = _text_of(code)
    if text is None:
        return Expression("", line)
    if column is None or end_column is None:
        return Expression(_joined(text.lines[line - 1 : line]), line)
    span = line, end_line or line, column, end_column
    if opname[code.co_code[instruction]].startswith("STORE_"):
        span = text.assignments.get(span, span)
    else:
        span = text.chains.get(span, span)
    return Expression(_joined(text.part(span)), line, text.names.get(span, ""), text.in_characters(span))


class _Text:
    """Text of a file, and the code that it compiles to."""

    def __init__(self, lines: Sequence[str], file: str) -> None:
        self.lines = lines
        self.assignments: dict[Span, Span] = {}
        """Place of each statement that assigns to an attribute or to elements, by the place of its target."""
        self.chains: dict[Span, Span] = {}
        """Place of each call or attribute whose name is not on the line of its object, by Python's place."""
        self.names: dict[Span, str] = {}
        """Variables of each assignment to variables, by the place of the expression that they get."""
        self.codes: frozenset[CodeType] = frozenset()
        """Code of the module and of every function in it; none if the text is not Python."""
        text = "".join(lines)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
                self.codes = frozenset(_codes(compile(text, file, "exec", dont_inherit=True)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                self._note_targets(node, node.targets)
                self._note_name(node.targets[-1], node.value)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                self._note_targets(node, [node.target])
                self._note_name(node.target, node.value if isinstance(node, ast.AnnAssign) else node)
            elif isinstance(node, ast.Attribute):
                self._note_chain(node, node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                self._note_chain(node, node.func)

    def _note_targets(self, statement: ast.stmt, targets: Sequence[ast.expr]) -> None:
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Subscript | ast.Attribute):
                    self.assignments[_span(part)] = _span(statement)

    def _note_name(self, target: ast.expr, value: ast.expr | ast.stmt | None) -> None:
        targets = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        names = [part.id for part in targets if isinstance(part, ast.Name)]
        if value is not None and len(names) == len(targets):
            self.names[_span(value)] = ", ".join(names)

    def _note_chain(self, node: ast.expr, name: ast.Attribute) -> None:
        first, last, _, end = _span(node)
        name_line, name_end = name.end_lineno or first, name.end_col_offset or 0
        if name_line != first:
            self.chains[name_line, last, name_end - len(name.attr.encode()), end] = _span(node)

    def in_characters(self, span: Span) -> Span | None:
        """Return a place with its columns as characters; None if the text has no such lines."""
        first, last, column, end = span
        if not 0 < first <= last <= len(self.lines):
            return None
        column = len(self.lines[first - 1].encode()[:column].decode(errors="replace"))
        return first, last, column, len(self.lines[last - 1].encode()[:end].decode(errors="replace"))

    def part(self, span: Span) -> list[str]:
        """Return the lines of a place, without what is before and after it."""
        first, last, column, end = span
        encoded = [line.encode() for line in self.lines[first - 1 : last]]
        if encoded:
            encoded[-1] = encoded[-1][:end]
            encoded[0] = encoded[0][column:]
        return [line.decode(errors="replace") for line in encoded]


_TEXTS: Final[dict[str, list[_Text]]] = {}
"""Texts of each file that have been read: the remembered one, and the one in the file."""


def _text_of(code: CodeType) -> _Text | None:
    """Return the text that a code was compiled from, or None if neither Python nor the file has it."""
    if id(code) in _MADE:
        return _MADE[id(code)][1]
    file = code.co_filename
    known = _TEXTS.setdefault(file, [])
    remembered = linecache.getlines(file)
    for lines in _versions(remembered, file):
        text = next((text for text in known if text.lines is lines or text.lines == lines), None)
        if text is None:
            text = _Text(lines, file)
            known[:] = [*known[-1:], text]
        if code in text.codes or (file.startswith("<") and lines):
            return text
    return None


_MADE: Final[dict[int, tuple[CodeType, _Text]]] = {}
"""Codes that gradstep made from a text, by their `id`, each with the text whose places they have."""


def remember_code(code: CodeType, lines: Sequence[str]) -> None:
    """Take the lines of a file for the text of a code, though they compile to other code."""
    text = next((text for _, text in _MADE.values() if text.lines is lines), None) or _Text(
        lines, code.co_filename
    )
    for part in _codes(code):
        _MADE[id(part)] = part, text


def _versions(remembered: Sequence[str], file: str) -> Iterator[Sequence[str]]:
    """Yield the lines of a file that Python remembers, then those that it holds now."""
    yield remembered
    try:
        with tokenize.open(file) as opened:
            yield opened.readlines()
    except (OSError, SyntaxError, ValueError):
        return


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code and those of all functions in it."""
    waiting = [code]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += [constant for constant in found.co_consts if isinstance(constant, CodeType)]


def _span(node: ast.expr | ast.stmt) -> Span:
    return node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0


def _joined(lines: Sequence[str]) -> str:
    """Return lines of Python as one line, without comments and backslashes."""
    text = "".join(lines).strip()
    if "\n" not in text and "#" not in text:
        return text
    joined, row, column = "", 1, 1
    try:  # in parentheses, so that lines may end anywhere
        for kind, part, start, end, line in tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline):
            if kind in _NO_TEXT:
                continue
            if start[0] == row:
                joined += line[column : start[1]] if column <= start[1] else ""
            elif not part.startswith("."):
                joined += " "
            joined += part.replace("\n", "\\n")
            row, column = end
    except (tokenize.TokenError, SyntaxError):
        return " ".join(line.strip() for line in lines)
    return joined[1:-1].strip()
