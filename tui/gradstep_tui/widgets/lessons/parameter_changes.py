"""Draws what an update, zeroing or a run of epochs did to each parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from gradstep_tui.drawing.lines import Line, Span, beside, line, wrapped
from gradstep_tui.text.lessons.statement_texts import (
    distance,
    epochs_sentence,
    rule_text,
    still_texts,
    zero_sentence,
)
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.digits import DIGITS, number_text, telling_digits
from gradstep_tui.text.tensors.numbers import rate
from gradstep_tui.widgets.lessons.number_tables import FEWER_DIGITS, cut, fitting, joined, rows_of, table

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.problem import Labels
    from gradstep.statement_steps.statement_facts import Cleared, EpochsStep, Moved, UpdateStep, ZeroStep

Part = TypeVar("Part", "Moved", "Cleared")

Draw: TypeAlias = Callable[[Part, int, bool], list[Line]]
"""Draws what happened to a parameter in at most as many lines, with names of its columns or without."""

MOST_COMPARED: Final = 100
"""Largest number of a parameter's numbers that decide how many digits are shown."""


def update_lines(step: UpdateStep, width: int, height: int) -> list[Line]:
    """Return the lines for an update: each parameter before, its gradient, and after; one number in full."""
    moved = [parameter for parameter in step.parameters if parameter.has_moved]
    words = [row for text in still_texts(step) for row in wrapped(text, width, "dim")]
    if not moved:
        return words
    best = max(moved, key=distance)
    examples = (f"e.g. {rule_text(best, step.learning_rate, digits)}" for digits in FEWER_DIGITS)
    example = next((text for text in examples if len(text) <= width), "")
    below = [*([line(example)] if example else []), *words]

    def make(parameter: Moved, room: int, named: bool) -> list[Line]:
        return _moved_table(parameter, step.learning_rate, width, room, named=named)

    return [*_stacked(moved, make, width, height - len(below)), *below]


def _stacked(parts: Sequence[Part], draw: Draw[Part], width: int, height: int) -> list[Line]:
    """Return the tables of as many parameters as fit, with names if all fit with names."""
    named = sum(2 + _height(part) for part in parts) <= height
    rows: list[Line] = []
    for place, part in enumerate(parts):
        left = height - len(rows)
        if left < 2:
            hidden = f"not shown: {', '.join(part.name for part in parts[place:])}"
            return [*rows, line(Span(hidden[:width], "dim"))] if left == 1 else rows
        rows += draw(part, left, named)
    return rows


def _height(part: Moved | Cleared) -> int:
    """Return the number of rows of a parameter."""
    shape = (1,) if part.before is None else part.before.shape
    return math.prod(shape[:-1])


def _moved_table(moved: Moved, learning_rate: float, width: int, height: int, *, named: bool) -> list[Line]:
    pairs = list(zip(moved.before.flatten().tolist(), moved.after.flatten().tolist(), strict=True))
    pairs = pairs[:MOST_COMPARED]

    def make(columns: int, digits: int, with_names: bool) -> list[Line]:
        names = moved.labels if with_names else None
        telling = telling_digits(pairs, digits)
        first, last = (
            _block(text, tensor, height, columns, names, telling) for text, tensor in _named(moved)
        )
        first = _with_rows(first, names, height)
        if not moved.by_rule or moved.grad is None:
            return joined([first, last], ["->"], 1 + with_names)
        grad = _block(f"{moved.name}.grad", moved.grad, height, columns, names, digits)
        return joined([first, grad, last], [f"- {rate(learning_rate)} ×", "="], 1 + with_names)

    return fitting(make, width, named=named and bool(moved.labels and moved.labels[-1]))


def _named(moved: Moved) -> tuple[tuple[str, Tensor], tuple[str, Tensor]]:
    return (moved.name, moved.before), (f"new {moved.name}", moved.after)


def _block(
    head: str,
    tensor: Tensor | None,
    height: int,
    columns: int,
    labels: Labels | None = None,
    digits: int = DIGITS,
    role: str = "",
) -> list[Line]:
    """Return a parameter's numbers as a table; a vector is a row.

    Args:
        head: Text above the table.
        tensor: The numbers; None for a `.grad` that is None.
        height: Number of lines that fit.
        columns: Number of columns that fit.
        labels: Names along each dimension, if there is a line for those of the columns; else None.
        digits: Significant digits of the largest number of a column.
        role: Role of the numbers.
    """
    names = None if labels is None else labels[-1]
    if tensor is None:
        return table(head, [["None"]], role, names=None if names is None else ())
    room = max(height - 1 - (names is not None), 1)
    return table(head, cut(rows_of(_as_rows(tensor), rows=room), columns), role, digits, names)


def _as_rows(tensor: Tensor) -> Tensor:
    return tensor[None] if tensor.dim() == 1 else tensor


def _with_rows(table: list[Line], labels: Labels | None, height: int) -> list[Line]:
    """Return a table with the names of its rows before it, if they have names."""
    if labels is None or len(labels) != 2 or not labels[0]:
        return table
    names = (line(Span(name, "label")) for name in labels[0][: height - 2])
    return beside([line(" "), line(" "), *names], table)


def zero_lines(step: ZeroStep, width: int, height: int) -> list[Line]:
    """Return the lines for zeroing: each gradient before and after, then what the next backward adds to."""
    below = wrapped(zero_sentence(step), width)

    def make(parameter: Cleared, room: int, named: bool) -> list[Line]:
        return _cleared_table(parameter, width, room, named=named)

    return [*_stacked(step.grads, make, width, height - len(below)), *below]


def _cleared_table(grad: Cleared, width: int, height: int, *, named: bool) -> list[Line]:
    def make(columns: int, digits: int, with_names: bool) -> list[Line]:
        names = grad.labels if with_names else None
        before = _block(f"{grad.name}.grad", grad.before, height, columns, names, digits)
        now = _block("now", grad.after, height, columns, names, role="mark")
        return joined([_with_rows(before, names, height), now], ["->"], 1 + with_names)

    return fitting(make, width, named=named and bool(grad.labels and grad.labels[-1]))


def epochs_lines(step: EpochsStep, width: int, height: int, unit: str = EPOCH) -> list[Line]:
    """Return the lines for a run of epochs in sum: the loss, and how far each parameter moved."""
    sentence = epochs_sentence(step, unit)
    rows = wrapped(f"{sentence[0].upper()}{sentence[1:]}.", width)
    moved = sorted((part for part in step.parameters if part.has_moved), key=distance, reverse=True)
    if not moved:
        return [*rows, line(Span("No parameter has moved.", "dim"))]
    wide = max(len(parameter.name) for parameter in moved)
    head = f"{'':<{wide}}  {'moved by':>10}   furthest"
    rows.append(line(Span(head, "label")))
    for parameter in moved[: max(height - len(rows), 0)]:
        far = number_text(distance(parameter), 5)
        rows.append(
            line(Span(f"{parameter.name:<{wide}}", "key"), f"  {far:>10}   ", _furthest_text(parameter))
        )
    words = wrapped("Moved by: the length of the change, the root of its sum of squares.", width, "dim")
    return [*rows, *words] if len(rows) + len(words) <= height else rows


def _furthest_text(moved: Moved) -> str:
    told = rule_text(moved, 0.0)
    return told if moved.before.dim() else told.partition(": ")[2]
