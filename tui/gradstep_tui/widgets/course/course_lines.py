"""The texts of a lesson's present step as lines: in pages of two rows, or all of them in a pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.courses.course_pieces import Piece, pieces
from gradstep_tui.drawing.lines import Line, line, wrapped

if TYPE_CHECKING:
    from gradstep.lessons.course import Course

ROWS: Final = 2
"""Rows of text of a page, below the title, at the smallest size."""


def pages(course: Course, width: int, rows: int = ROWS) -> list[list[Line]]:
    """Return the texts of the present step in pages; each text begins one, and a long one takes several.

    Answers to choose from have no page: the dialog that asks for one lists them.
    """
    made = list[list[Line]]()
    for piece in pieces(course):
        if piece.answers:
            continue
        lines = wrapped(piece.text, width, piece.role)
        made += [lines[at : at + rows] for at in range(0, len(lines), rows)]
    return made or [[]]


def whole_lines(course: Course, width: int, height: int) -> list[Line]:
    """Return the texts of the present step below each other; if they do not fit, the first are left out."""
    blocks = [_block(piece, width) for piece in pieces(course)]
    while len(blocks) > 1 and sum(map(len, blocks)) + len(blocks) - 1 > height:
        blocks = blocks[1:]
    return [row for block in blocks for row in (*block, line(""))][:-1]


def _block(piece: Piece, width: int) -> list[Line]:
    texts = piece.answers or (piece.text,)
    return [row for text in texts for row in wrapped(text, width, piece.role)]


def page_lines(made: Sequence[list[Line]], page: int) -> list[Line]:
    """Return the lines of a page, of the last one if there are fewer."""
    return made[min(page, len(made) - 1)]
