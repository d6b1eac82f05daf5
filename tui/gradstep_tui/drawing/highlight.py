"""Python code in colours: each piece of a line with the role of its kind of word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from gradstep_tui.drawing.lines import Line, Span, joined, line

KINDS: Final = (
    ("Token.Comment", "comment"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Name.Function", "key"),
    ("Token.Name.Class", "key"),
)
"""Role of each kind of word, by the beginning of Pygments' name for the kind."""


def highlighted(code: Sequence[str]) -> tuple[Line, ...]:
    """Return lines of Python with a role for each piece."""
    return _highlighted(tuple(code))


@lru_cache(maxsize=256)
def _highlighted(code: tuple[str, ...]) -> tuple[Line, ...]:
    from pygments.lexers.python import PythonLexer  # not needed for the first frame

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    rows: list[list[Span]] = [[]]
    for kind, text in lexer.get_tokens("\n".join(code)):
        role = next((role for beginning, role in KINDS if str(kind).startswith(beginning)), "")
        first, *others = text.split("\n")
        rows[-1].append(Span(first, role))
        rows += [[Span(other, role)] for other in others]
    return tuple(joined(row) for row in rows[: len(code)])


def lit(spans: Line, first: int, last: int) -> Line:
    """Return a line in which the characters from `first` up to `last` have the role `lit`."""
    pieces, at = list[Span](), 0
    for text, role in spans:
        begin, end = (min(max(place - at, 0), len(text)) for place in (first, last))
        pieces += [Span(text[:begin], role), Span(text[begin:end], "lit"), Span(text[end:], role)]
        at += len(text)
    return line(*pieces)
