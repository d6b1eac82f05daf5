"""Parameters as a table with a line for each, if their numbers do not all fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, line, window_start
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.tensors.grids import Element, grid_size
from gradstep_tui.text.tensors.numbers import WIDEST, cell, shape_text
from gradstep_tui.text.tensors.summaries import histogram_text, numbers_in, shortened, summary

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

WIDE: Final = 76
"""Width, in cells, from which the table shows the smallest and the largest value, too."""

NAME: Final = 24
"""Largest width of a name, in cells."""


def are_large(frame: Frame, columns: int, height: int) -> bool:
    """Return whether there are too many numbers or parameters to draw each number.

    Args:
        frame: The frame.
        columns: Number of columns that fit.
        height: Number of lines that fit.
    """
    sizes = [grid_size(parameter.value) for parameter in frame.parameters]
    return len(sizes) > height // 2 or any(rows > height - 2 or wide > 4 * columns for rows, wide in sizes)


def table_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """Return the part of the table around the latest change; summaries are computed only for these rows."""
    room = max(height - 2, 1)
    count = len(frame.parameters)
    first = window_start(written_last(frame), count, room)
    shown = frame.parameters[first : first + room]
    shapes = [shape_text(tuple(parameter.value.shape)) for parameter in shown]
    wide = width >= WIDE
    shape_room = max(map(len, (*shapes, "shape")))
    numbers = ("norm", "min", "max") if wide else ("norm",)
    name_room = width - shape_room - (len(numbers) + 1) * (WIDEST + 1) - 3
    longest = max(len(parameter.name) for parameter in shown) + 1
    prefix = _prefix([parameter.name for parameter in frame.parameters]) if longest > name_room else ""
    name_room = min(name_room, NAME, longest)
    titles = "".join(f"{title:>{WIDEST}} " for title in (*numbers, "grad norm"))
    head = line(Span(f" {prefix:<{name_room}}{'shape':>{shape_room}} {titles}", "label"))
    rows = [
        _row(parameter, len(prefix), shape, name_room, shape_room, wide=wide)
        for parameter, shape in zip(shown, shapes, strict=True)
    ]
    some = f"{first + 1}-{first + len(shown)} of " if len(shown) < count else ""
    many = f"{some}{count} parameter{'s' * (count != 1)}"
    total = f"{many}, {numbers_in(frame):,} numbers: press {SIGNS['elements']}"
    if len(total) >= width:
        total = f"{some}{count}, {numbers_in(frame):,} numbers: press {SIGNS['elements']}"
    return [head, *rows, line(Span(f" {total}", "dim"))]


def _prefix(names: Sequence[str]) -> str:
    """Return the modules that all names begin with, such as `net.`, to be written once above them."""
    modules = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return "".join(f"{same[0]}." for same in takewhile(lambda each: len({*each}) == 1, modules))


def written_last(frame: Frame) -> int:
    """Return the index of the parameter that was written to last; 0 if none was."""
    if frame.in_pass and frame.backward is not None:
        places = {parameter.name: place for place, parameter in enumerate(frame.parameters)}
        return places.get(frame.backward.written or "", 0)
    return next((place for place, parameter in enumerate(frame.parameters) if parameter.grad_changed), 0)


def large_sum_lines(parameter: ParameterFrame, width: int) -> list[Line]:
    """Return the lines for `old + new = sum` of a large `.grad`: summaries, and one element's numbers."""
    written = parameter.accumulation
    assert written is not None
    assert written.after is not None
    shape = shape_text(tuple(parameter.value.shape))
    head = line(Span(f"{parameter.name}.grad", "key"), f" {shape}  old + new = sum, element by element")
    titles = line(
        Span(f"{'':<6}" + "".join(f"{name:>{WIDEST}} " for name in ("norm", "min", "max")), "label")
    )
    parts = (("old", written.before), ("+ new", written.part), ("= sum", written.after))
    at = Element()
    texts = [cell(at.of(tensor)) if tensor is not None else "None" for _, tensor in parts]
    place = ",".join(map(str, at.place_in(written.after)))
    example = line(Span(f"at [{place}] ", "label"), f"{texts[0]} + {texts[1]} = {texts[2]}")
    bars = line(Span("sum ", "label"), histogram_text(written.after, min(width - 4, 60)))
    return [head, titles, *(_summary_line(name, tensor) for name, tensor in parts), example, bars]


def _summary_line(name: str, tensor: Tensor | None) -> Line:
    label = Span(f"{name:<6}", "label")
    if tensor is None:
        return line(label, Span(f"{'None':>{WIDEST}}", "dim"))
    found = summary(tensor)
    return line(
        label, "".join(f"{cell(number):>{WIDEST}} " for number in (found.norm, found.low, found.high))
    )


def _row(
    parameter: ParameterFrame, prefix: int, shape: str, name_room: int, shape_room: int, *, wide: bool
) -> Line:
    value = summary(parameter.value)
    moved = parameter.value_before is not None
    numbers = (value.norm, value.low, value.high) if wide else (value.norm,)
    name = f" {shortened(parameter.name[prefix:], name_room - 1):<{name_room}}"
    texts = [
        Span(f"{cell(number):>{WIDEST}}{'*' * moved or ' '}", "mark" if moved else "") for number in numbers
    ]
    grad = "None" if parameter.grad is None else cell(summary(parameter.grad).norm)
    new = parameter.grad_changed
    role = "mark" if new else "dim" if parameter.grad is None else ""
    return line(
        Span(name, "key"),
        Span(f"{shape:>{shape_room}} ", "dim"),
        *texts,
        Span(f"{grad:>{WIDEST}}{'*' if new else ' '}", role),
    )
