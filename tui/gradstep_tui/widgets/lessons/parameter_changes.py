"""Draws what an update, zeroing or a run of epochs did to each parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.lessons.statement_texts import (
    average_change,
    distance,
    element_name,
    epochs_sentence,
    rule_text,
    still_texts,
    zero_sentence,
)
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.digits import number_text, telling_digits
from gradstep_tui.text.tensors.numbers import rate
from gradstep_tui.widgets.lessons.hidden_parts import (
    ROOMY,
    drawn,
    drawn_whole,
    from_column,
    hidden_line,
    share,
    with_hidden,
)
from gradstep_tui.widgets.lessons.number_tables import FEWER_DIGITS, Block, Fitted, fitted, rows_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.problem import Labels
    from gradstep.statement_steps.statement_facts import Cleared, EpochsStep, Moved, UpdateStep, ZeroStep

WHOLE: Final = 300
"""Number of lines in which everything of a parameter is drawn, in a window that scrolls."""

AVERAGE: Final = "average change"
"""Head of the column with how much a number of a parameter changed on average."""

Part = TypeVar("Part", "Moved", "Cleared")


@dataclass(frozen=True, slots=True, eq=False)
class Accumulated:
    """A write to a `.grad`."""

    name: str
    labels: Labels
    before: Tensor | None
    """The `.grad` before; None if it was None."""

    part: Tensor
    """Gradient that was added."""

    after: Tensor


Draw: TypeAlias = Callable[[Part, int, bool], list[Line]]
"""Draws what happened to a parameter in at most as many lines, with names of its columns or without."""


def update_lines(step: UpdateStep, width: int, height: int, *, with_example: bool = True) -> list[Line]:
    """Return the lines for an update: each parameter before, its gradient, and after; one number in full.

    Args:
        step: The update.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        with_example: Whether one number is told in full.
    """
    moved = [parameter for parameter in step.parameters if parameter.has_moved]
    words = [row for text in still_texts(step) for row in wrapped(text, width, "dim")]
    if not moved:
        return words
    room = height - 1 - len(words)
    example = _example(moved[0], step.learning_rate, width, room) if with_example else ""
    below = [*([line(example)] if example else []), *words]

    def make(parameter: Moved, room: int, named: bool) -> list[Line]:
        return _moved_table(parameter, step.learning_rate, width, room, named=named)

    rows, hidden = _stacked(moved, make, width, height - len(below))
    return [*rows, *with_hidden(below, hidden, width)]


def _example(moved: Moved, learning_rate: float, width: int, height: int) -> str:
    """Return the arithmetic of one of the numbers that the first table shows; empty if it does not fit."""
    shown = _moved_tables(moved, learning_rate, width, height, 0)
    within = max(height - 1, 1), shown.columns
    texts = [rule_text(moved, learning_rate, digits, within) for digits in FEWER_DIGITS]
    fitting = (f"e.g. {text}" for text in (*texts, *(_without_name(text) for text in texts)))
    return next((text for text in fitting if len(text) <= width), "")


def _without_name(told: str) -> str:
    """Return the arithmetic of a number without the parameter's name: `[apples, temp]: 1 -> 2`."""
    start = min((at for at in (told.find("["), told.find(": ") + 2) if at >= 0), default=0)
    return told[start:]


def _stacked(
    parts: Sequence[Part], draw: Draw[Part], width: int, height: int
) -> tuple[list[Line], Sequence[Part]]:
    """Return the tables of as many parameters as fit, with names if all fit with names, and who is left.

    Who is left is named in the last line, if one is free after the tables, and is not returned then.
    """
    named = any(part.labels and part.labels[-1] for part in parts)
    named = named and sum(2 + _height(part) for part in parts) <= height
    rows: list[Line] = []
    for place, part in enumerate(parts):
        left = height - len(rows)
        if left < 2:
            hidden = parts[place:]
            return ([*rows, hidden_line(hidden, width)], ()) if left == 1 else (rows, hidden)
        rows += draw(part, share(left, len(parts) - place), named and bool(part.labels and part.labels[-1]))
    return rows, ()


def _height(part: Moved | Cleared | Accumulated) -> int:
    """Return the number of rows of a parameter."""
    known = part.after if part.before is None else part.before
    shape = (1,) if known is None else known.shape
    return math.prod(shape[:-1])


def _moved_table(moved: Moved, learning_rate: float, width: int, height: int, *, named: bool) -> list[Line]:
    def draw(start: int, *, stacked: bool = False) -> Fitted:
        room = height - named
        return _moved_tables(moved, learning_rate, width, room, start, named=named, stacked=stacked)

    whole = drawn_whole(partial(draw, stacked=True), moved.before, height) if height >= ROOMY else []
    return whole or drawn(draw, moved.before, height, width=width)


def _moved_tables(
    moved: Moved,
    learning_rate: float,
    width: int,
    height: int,
    start: int,
    *,
    named: bool = False,
    stacked: bool = False,
) -> Fitted:
    """Return a parameter from a column on: before, its gradient if that tells the update, and after."""
    first = _block(moved.name, moved, moved.before, height, start)
    last = _block(f"new {moved.name}", moved, moved.after, height, start)
    first.least_digits = last.least_digits = telling_digits([*_pairs(first, last)], FEWER_DIGITS[-1])
    first.row_names = _row_names(moved)
    if not moved.by_rule or moved.grad is None:
        return fitted([first, last], ["->"], width, named=named, stacked=stacked)
    grad = _block(f"{moved.name}.grad", moved, moved.grad, height, start)
    signs = [f"- {rate(learning_rate)} ×", "="]
    return fitted([first, grad, last], signs, width, named=named, stacked=stacked)


def _pairs(first: Block, last: Block) -> Iterator[tuple[float, float]]:
    """Yield each number that is drawn before and after."""
    for old, new in zip(first.rows, last.rows, strict=True):
        pairs = zip(old, new, strict=True)
        yield from ((one, two) for one, two in pairs if isinstance(one, float) and isinstance(two, float))


def _block(
    head: str,
    part: Moved | Cleared | Accumulated,
    tensor: Tensor | None,
    height: int,
    start: int = 0,
    role: str = "",
    first: int = 0,
) -> Block:
    """Return a parameter's numbers from a column on as a table; a vector is a row."""
    names = part.labels[-1] if part.labels else ()
    grid = None if tensor is None else from_column(tensor, start)
    return Block(head, rows_of(grid, first, max(height - 1, 1)), names[start:], role)


def _row_names(part: Moved | Cleared | Accumulated) -> tuple[str, ...]:
    return part.labels[0] if len(part.labels) == 2 else ()


def accumulation_lines(
    write: Accumulated, width: int, height: int, mark: tuple[int, ...] | None = None
) -> list[Line]:
    """Return the lines for a write to a `.grad`: before, what is added, the sum; then one number in full.

    Args:
        write: The write.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        mark: Index of the number that is marked and told; None to tell the first, unmarked.
    """
    after = write.after
    place = mark if mark is not None else (0,) * after.dim()
    example = "" if write.before is None or after.is_meta else _sum_text(write, place)
    below = (
        [line(Span("" if mark is not None else "e.g. ", "dim"), example)] if 0 < len(example) < width else []
    )
    room = height - len(below)
    named = bool(write.labels and write.labels[-1]) and 2 + _height(write) <= room
    row = 0
    for size, at in zip(after.shape[:-1], place, strict=False):
        row = row * size + at
    first = min(row, max(_height(write) - max(room - named - 1, 1), 0))

    def draw(start: int, *, stacked: bool = False) -> Fitted:
        heads: tuple[str, ...] = ("before", "new gradient", f"{write.name}.grad")
        parts, signs = [write.before, write.part, after], ["+", "="]
        if write.before is None:  # the new gradient is what is kept: once is enough
            heads, parts, signs = ("before", f"{write.name}.grad, the new gradient"), [None, after], ["->"]
        blocks = [
            _block(head, write, part, room - named, start, first=first)
            for head, part in zip(heads, parts, strict=True)
        ]
        if mark is not None:
            column = place[-1] - start if place else 0
            blocks[-1].mark = (row - first, column) if column >= 0 else None
        blocks[0].row_names = _row_names(write)[first:]
        return fitted(blocks, signs, width, named=named, stacked=stacked)

    rows = drawn_whole(partial(draw, stacked=True), after, room) or drawn(draw, after, room, 0, width)
    return [*rows, *below][: max(height, 1)]


def _sum_text(write: Accumulated, place: tuple[int, ...]) -> str:
    """Return one number of a write to a `.grad`: `w.grad[apples, temp]: 400 + 370.4 = 770.4`."""
    assert write.before is not None
    old, new = write.before[place].item(), write.part[place].item()
    made = write.after[place].item()
    addend = f"({number_text(new)})" if new < 0 else number_text(new)
    return f"{element_name(write, place, '.grad')}: {number_text(old)} + {addend} = {number_text(made)}"


def zero_lines(step: ZeroStep, width: int, height: int) -> list[Line]:
    """Return the lines for zeroing: each gradient before and after, then what the next backward adds to."""
    below = wrapped(zero_sentence(step), width)

    def make(parameter: Cleared, room: int, named: bool) -> list[Line]:
        return _cleared_table(parameter, width, room, named=named)

    rows, hidden = _stacked(step.grads, make, width, height - len(below))
    return [*rows, *with_hidden(below, hidden, width)]


def _cleared_table(grad: Cleared, width: int, height: int, *, named: bool) -> list[Line]:
    room = height - named

    def draw(start: int) -> Fitted:
        before = _block(f"{grad.name}.grad", grad, grad.before, room, start)
        now = _block("now", grad, grad.after, room, start, "mark")
        before.row_names = _row_names(grad)
        return fitted([before, now], ["->"], width, named=named and grad.before is not None)

    return drawn(draw, grad.before, height, width=width)


def epochs_lines(step: EpochsStep, width: int, height: int, unit: str = EPOCH) -> list[Line]:
    """Return the lines for a run of epochs in sum: the loss, and how far each parameter moved."""
    sentence = epochs_sentence(step, unit)
    rows = wrapped(f"{sentence[0].upper()}{sentence[1:]}.", width)
    moved = sorted((part for part in step.parameters if part.has_moved), key=distance, reverse=True)
    if not moved:
        return [*rows, line(Span("No parameter has moved.", "dim"))]
    wide = min(max(len(parameter.name) for parameter in moved), width // 3)
    head = f"{'':<{wide}}  {AVERAGE:>{len(AVERAGE)}}   the number that changed most"
    rows.append(line(Span(head, "label")))
    for parameter in moved[: max(height - len(rows), 0)]:
        start = line(
            Span(f"{shortened_name(parameter.name, wide):<{wide}}", "key"),
            f"  {number_text(average_change(parameter), 5):>{len(AVERAGE)}}   ",
        )
        rows.append((*start, Span(_furthest_text(parameter, width - length(start)))))
    return rows


def _furthest_text(moved: Moved, room: int) -> str:
    """Return the number of a parameter that moved furthest, in at most `room` characters."""
    texts = [rule_text(moved, 0.0, digits) for digits in FEWER_DIGITS]
    if not moved.before.dim():
        texts = [text.partition(": ")[2] for text in texts]
    short = [_without_name(text) for text in texts]
    shortest = [text.partition(": ")[2] or text for text in short]
    return next((text for text in (*texts, *short, *shortest) if len(text) <= room), "")


def memory_lines(memory: Cleared, width: int, height: int) -> list[Line]:
    """Return the lines for what belongs to a parameter, before a step and after; without a before, once."""
    named = bool(memory.labels and memory.labels[-1])

    def draw(start: int, *, stacked: bool = False) -> Fitted:
        room = height - named
        heads = [memory.name] if memory.before is None else [memory.name, f"new {memory.name}"]
        parts = [memory.after] if memory.before is None else [memory.before, memory.after]
        blocks = [_block(head, memory, part, room, start) for head, part in zip(heads, parts, strict=True)]
        blocks[0].row_names = _row_names(memory)
        return fitted(blocks, ["->"][: len(blocks) - 1], width, named=named, stacked=stacked)

    return drawn_whole(partial(draw, stacked=True), memory.after, height) or drawn(
        draw, memory.after, height, roomy=0
    )
