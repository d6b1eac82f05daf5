"""The lines of code around the expression that made a node."""

from __future__ import annotations

import ast
import linecache
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gradstep.autograd.source_map import Source

AROUND = 12
"""Number of lines before and after an expression that are shown if no function surrounds it."""


@dataclass(frozen=True, slots=True)
class CodePlace:
    """An expression inside the function, or the part of the script, that it stands in."""

    file: str
    """File that holds the code, as Python reports it."""

    function: str
    """Name of the function around the expression; empty at the top level of a file."""

    first: int
    """Number of the first of `lines` in its file, counted from 1."""

    lines: tuple[str, ...]
    """Lines of the function, or around the expression, without the indentation that they share."""

    line: int
    """Number in the file of the line that ran."""

    span: tuple[int, int, int, int] | None
    """First and last line, first column and column after the last of the expression in `lines`; lines are
    numbered as in the file. None if only the line is known."""


def place_of(source: Source) -> CodePlace | None:
    """Return the code around the expression that made a node; None if its text is not known."""
    lines = linecache.getlines(source.file)
    if not source.expression or not 0 < source.line <= len(lines):
        return None
    name, first, last = _around(tuple(lines), source.line)
    shown = [line.rstrip() for line in lines[first - 1 : last]]
    margin = min((len(line) - len(line.lstrip()) for line in shown if line), default=0)
    span = source.span
    if span is not None:
        start, end, column, stop = span
        span = (start, end, column - margin, stop - margin) if first <= start <= end <= last else None
    return CodePlace(source.file, name, first, tuple(line[margin:] for line in shown), source.line, span)


def _around(lines: tuple[str, ...], line: int) -> tuple[str, int, int]:
    """Return name, first and last line of the innermost function around a line, or lines at the top level."""
    inside = [each for each in _functions(lines) if each[1] <= line <= each[2]]
    if inside:
        return min(inside, key=lambda each: each[2] - each[1])
    return "", max(line - AROUND, 1), min(line + AROUND, len(lines))


@lru_cache(maxsize=16)
def _functions(lines: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    """Return name, first and last line of each function of a file; none if it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(
        (node.name, node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
