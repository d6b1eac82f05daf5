"""Parameters as a table, a line each, where their numbers do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, line, window_start
from gradstep_tui.text.grids import Element, grid_size
from gradstep_tui.text.numbers import WIDEST, cell, shape_text
from gradstep_tui.text.summaries import histogram_text, numbers_in, shortened, summary

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

WIDE: Final = 76
"""Cells from which on the table has the smallest and the largest value, too."""

NAME: Final = 24
"""Cells of a name at the most."""


def are_large(frame: Frame, columns: int, height: int) -> bool:
    """Whether the numbers, or the parameters, are too many to be drawn one by one."""
    sizes = [grid_size(one.value) for one in frame.parameters]
    return len(sizes) > height // 2 or any(rows > height - 2 or wide > 4 * columns for rows, wide in sizes)


def table_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """Draw the part of the table around what has just changed; only what is drawn is worked out."""
    room = max(height - 2, 1)
    count = len(frame.parameters)
    first = window_start(written_last(frame), count, room)
    shown = frame.parameters[first : first + room]
    shapes = [shape_text(tuple(one.value.shape)) for one in shown]
    wide = width >= WIDE
    shape_room = max(map(len, (*shapes, "shape")))
    numbers = ("norm", "min", "max") if wide else ("norm",)
    name_room = width - shape_room - (len(numbers) + 1) * (WIDEST + 1) - 3
    name_room = min(name_room, NAME, max(len(one.name) for one in shown) + 1)
    titles = "".join(f"{title:>{WIDEST}} " for title in (*numbers, "grad norm"))
    head = line(Span(f" {'':<{name_room}}{'shape':>{shape_room}} {titles}", "label"))
    rows = [
        _row(one, shape, name_room, shape_room, wide=wide) for one, shape in zip(shown, shapes, strict=True)
    ]
    some = f"{first + 1}-{first + len(shown)} of " if len(shown) < count else ""
    return [head, *rows, line(Span(f" {some}{count}; m shows the {numbers_in(frame):,} numbers", "dim"))]


def written_last(frame: Frame) -> int:
    """Give the place of the parameter that was written to last; the first one where there is none."""
    if frame.in_pass and frame.backward is not None:
        places = {f"-> {one.name}.grad": place for place, one in enumerate(frame.parameters)}
        done = (row.name for row in reversed(frame.backward.rows[: frame.backward.done]))
        return next((places[name] for name in done if name in places), 0)
    return next((place for place, one in enumerate(frame.parameters) if one.grad_changed), 0)


def large_sum_lines(parameter: ParameterFrame, width: int) -> list[Line]:
    """Draw `old + new = sum` for a large `.grad`: its summaries, and the numbers of one element."""
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
    texts = [cell(at.of(one)) if one is not None else "None" for _, one in parts]
    place = ",".join(map(str, at.place_in(written.after)))
    example = line(Span(f"at [{place}] ", "label"), f"{texts[0]} + {texts[1]} = {texts[2]}")
    bars = line(Span("sum ", "label"), histogram_text(written.after, min(width - 4, 60)))
    return [head, titles, *(_summary_line(name, one) for name, one in parts), example, bars]


def _summary_line(name: str, tensor: Tensor | None) -> Line:
    label = Span(f"{name:<6}", "label")
    if tensor is None:
        return line(label, Span(f"{'None':>{WIDEST}}", "dim"))
    found = summary(tensor)
    return line(label, "".join(f"{cell(one):>{WIDEST}} " for one in (found.norm, found.low, found.high)))


def _row(parameter: ParameterFrame, shape: str, name_room: int, shape_room: int, *, wide: bool) -> Line:
    value = summary(parameter.value)
    moved = parameter.value_before is not None
    numbers = (value.norm, value.low, value.high) if wide else (value.norm,)
    name = f" {shortened(parameter.name, name_room - 1):<{name_room}}"
    texts = [Span(f"{cell(one):>{WIDEST}}{'*' * moved or ' '}", "mark" if moved else "") for one in numbers]
    grad = "None" if parameter.grad is None else cell(summary(parameter.grad).norm)
    new = parameter.grad_changed
    role = "mark" if new else "dim" if parameter.grad is None else ""
    return line(
        Span(name, "key"),
        Span(f"{shape:>{shape_room}} ", "dim"),
        *texts,
        Span(f"{grad:>{WIDEST}}{'*' if new else ' '}", role),
    )
