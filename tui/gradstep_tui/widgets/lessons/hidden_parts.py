"""What of the tables of parameters does not fit: drawn below if there is room, else said with its key."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, length, line
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.tensors.numbers import shape_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.statement_steps.statement_facts import Cleared, Moved
    from gradstep_tui.widgets.lessons.number_tables import Fitted

ROOMY: Final = 20
"""Number of lines from which further columns are drawn below the first ones."""

SCROLLED: Final = 100
"""Number of lines from which parameters share them, so that a large one leaves some: a view that scrolls."""

MOST_TABLES: Final = 40
"""Largest number of tables below each other for one parameter; a larger one has a view of its own."""


def share(left: int, parameters: int) -> int:
    """Return the number of lines for the next of so many parameters, if so many lines are left."""
    return left if left < SCROLLED else left // parameters


def from_column(tensor: Tensor, start: int) -> Tensor:
    """Return a tensor's numbers from a column on, as rows; a vector is one row, a single number stays."""
    if tensor.dim() < 2:
        return tensor[None, start:] if tensor.dim() else tensor
    return tensor.flatten(1)[:, start:] if start else tensor


def drawn(
    draw: Callable[[int], Fitted], tensor: Tensor | None, height: int, roomy: int = ROOMY, width: int = 0
) -> list[Line]:
    """Return the lines of a parameter's tables in at most `height` lines, if one table fits.

    Args:
        draw: Draws tables from a column on.
        tensor: The parameter's numbers; None for a `.grad` that is None.
        height: Number of lines that fit.
        roomy: Number of lines from which further columns are drawn below the first ones.
        width: Largest width of a line, in cells; what is not shown may stand at the end of one.
    """
    lines, left = _stack(draw, tensor, height, roomy)
    if tensor is None or left == (0, 0):
        return lines
    head = _noted(lines[0], tensor, left, height)
    return [head, *lines[1:]] if head != lines[0] else _noted_at_end(lines, tensor, left, width)


def _noted_at_end(lines: list[Line], tensor: Tensor, left: tuple[int, int], width: int) -> list[Line]:
    """Return lines with what is not shown at the end of the first that has room for it."""
    for note in (f"   {_counts(*left)}", f"  {shape_text(tuple(tensor.shape))}"):
        for place, row in enumerate(lines):
            if length(row) + len(note) <= width:
                return [*lines[:place], (*row, Span(note, "dim")), *lines[place + 1 :]]
    return lines


def drawn_whole(draw: Callable[[int], Fitted], tensor: Tensor | None, height: int) -> list[Line]:
    """Return the same if every number is drawn, further columns below the first ones; else no lines."""
    lines, left = _stack(draw, tensor, height, 0)
    return lines if left == (0, 0) and len(lines) <= height else []


def _stack(
    draw: Callable[[int], Fitted], tensor: Tensor | None, height: int, roomy: int
) -> tuple[list[Line], tuple[int, int]]:
    """Return the lines, and how many rows and columns are not among them."""
    made = draw(0)
    if tensor is None or tensor.is_meta or not tensor.dim():
        return made.lines, (0, 0)
    rows, columns = (1, len(tensor)) if tensor.dim() < 2 else (len(tensor), math.prod(tensor.shape[1:]))
    lines, start, tables = [*made.lines], made.columns, 1
    while height >= roomy and start < columns and tables < MOST_TABLES:
        more = draw(start)
        if len(lines) + len(more.lines) > height:
            break
        lines, start, tables = [*lines, *more.lines], start + more.columns, tables + 1
    return lines, (max(rows - (len(made.lines) - 1 - made.named), 0), max(columns - start, 0))


def _noted(head: Line, tensor: Tensor, left: tuple[int, int], height: int) -> Line:
    """Return the line of heads with what is not shown, and the key for it, in the free cells at its start."""
    text = "".join(span.text for span in head)
    free = len(text) - len(text.lstrip()) - 2
    fits_below = height < ROOMY and left[1] <= MOST_TABLES and left[0] <= SCROLLED // 2
    key = SIGNS["look" if fits_below else "elements"]
    shape = shape_text(tuple(tensor.shape))
    for told in (f"{_counts(*left)}: {key}", f"{shape}: {key}", shape):
        if len(told) <= free:
            return line(Span(told, "dim"), Span(text[len(told) :], "label"))
    return head


def hidden_line(hidden: Sequence[Moved | Cleared], width: int) -> Line:
    """Return the line that names parameters without a table, or says how many they are."""
    key = SIGNS["look"]
    named = f"not shown: {', '.join(part.name for part in hidden)}: {key}"
    return line(Span(named if len(named) <= width else f"not shown: {len(hidden)} parameters: {key}", "dim"))


def with_hidden(below: list[Line], hidden: Sequence[Moved | Cleared], width: int) -> list[Line]:
    """Return the lines below tables, with how many parameters have none if that fits beside one of them."""
    told = Span(f"   {len(hidden)} more: {SIGNS['look']}", "dim")
    place = next((at for at, row in enumerate(below) if length(row) + length([told]) <= width), None)
    if not hidden or place is None:
        return below
    return [*below[:place], (*below[place], told), *below[place + 1 :]]


def _counts(rows: int, columns: int) -> str:
    """Return how many rows and columns are not shown."""
    texts = [f"{count:,} {what}{'s' * (count > 1)}" for count, what in ((rows, "row"), (columns, "column"))]
    return f"+{', '.join(text for text, count in zip(texts, (rows, columns), strict=True) if count)}"
