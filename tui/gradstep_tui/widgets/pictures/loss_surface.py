"""Draws the loss over two numbers as a heat map of characters, with the path and the next step.

The characters form a ramp from the lowest loss to the highest, so that the borders between them are contour
lines, and the picture does not depend on colour.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.pictures.loss_surface import Surface

RAMP: Final = " .:-=+*#%@"
"""Characters for losses, from the lowest to the highest."""

UNKNOWN: Final = "?"
"""Character for a loss that is inf or nan."""

PATH, BEGIN, HERE, LOWEST = "o", "S", "X", "L"


def surface_lines(found: Surface, width: int, height: int, is_log: bool | None = None) -> list[Line]:
    """Return the lines of the loss surface.

    Args:
        found: Losses and points.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        is_log: Whether the ramp is logarithmic; None to decide by the losses.
    """
    scale = scale_of(found.losses.reshape(-1).tolist(), is_log)
    if scale is None:
        return wrapped("There is nothing to draw: no loss around here is a finite number.", width, "warn")
    canvas = Canvas(width - AXIS, height - 1)  # drawn twice, because the texts below depend on the arrow
    below = text_lines(found, scale, short=_draw(canvas, found, scale), width=width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    _draw(canvas, found, scale)
    across, up = _scales(found)
    head = line(Span(f"{found.places[1].name} up, {found.places[0].name} across", "label"))
    return [head, *canvas.with_axes(across, up, found.places[0].name), *below]


def text_lines(found: Surface, scale: Scale, short: bool, width: int) -> list[Line]:
    """Return the lines that explain the signs, and give the slope and the next step.

    Args:
        found: Losses and points.
        scale: Scale of the ramp.
        short: Whether the arrow is longer than the step.
        width: Width of a line, in cells.
    """
    first, second = (place.name for place in found.places)
    path = f"{PATH} is the path from epoch {found.epochs[0]:,} ({BEGIN}) to {found.epochs[-1]:,}"
    if len(found.path) == 1:
        path = "there is no path yet"
    elif not found.whole_path:
        path += ", without some epochs"
    lowest = f", {LOWEST} is the lowest loss" if found.lowest is not None else ""
    slope = f"In ({first}, {second}), the gradient of one pass here is {_two(found.gradient)}; "
    step = "the loop has no update" if found.step is None else f"the next update adds {_two(found.step)}"
    arrow = "" if found.step is None else ", shorter than the arrow" if short else ", the arrow"
    coarse = "" if found.batched else f" Only {len(found.first)} x {len(found.second)} losses, one by one."
    return [
        *wrapped(ramp_text(scale), width, "dim"),
        *wrapped(f"{HERE} is here: loss {cell(found.loss)}; {path}{lowest}.", width),
        *wrapped(f"{slope}{step}{arrow}.{coarse}", width),
    ]


def ramp_text(scale: Scale) -> str:
    """Return the text that explains the ramp and the step from one sign to the next."""
    each = (
        (scale.high / scale.low) ** (1 / len(RAMP)) if scale.is_log else (scale.high - scale.low) / len(RAMP)
    )
    by = f"x {each:.3g}" if scale.is_log else f"+ {cell(each)}"
    return f"loss {cell(scale.low)} '{RAMP}' {cell(scale.high)}, {scale.name}: each sign {by}"


def _draw(canvas: Canvas, found: Surface, scale: Scale) -> bool:
    """Draw everything on a canvas; return whether the arrow is longer than the step."""
    _draw_losses(canvas, found, scale)
    across, up = _scales(found)
    for number, point in enumerate(found.path[:-1]):
        if number:
            canvas.point(across, up, *point, PATH, "key")
    if found.lowest is not None:
        canvas.point(across, up, *found.lowest, LOWEST, "title")
    if len(found.path) > 1:
        canvas.point(across, up, *found.path[0], BEGIN, "key")
    short = found.step is not None and _draw_arrow(canvas, found, across, up)
    canvas.point(across, up, *found.here, HERE, "current")
    return short


def _draw_losses(canvas: Canvas, found: Surface, scale: Scale) -> None:
    rows, columns = found.losses.shape
    for row in range(canvas.height):
        losses = found.losses[(canvas.height - 1 - row) * rows // canvas.height]
        for column in range(canvas.width):
            level = scale.place(float(losses[column * columns // canvas.width]), len(RAMP))
            char, role = (UNKNOWN, "dim") if level is None else (RAMP[level], "dim" if level < 5 else "")
            canvas.put(column, row, char, role)


def _draw_arrow(canvas: Canvas, found: Surface, across: Scale, up: Scale) -> bool:
    """Draw an arrow along the next step; return whether it is longer than the step, so that it is visible."""
    assert found.step is not None
    begin = canvas.place(across, up, *found.here)
    right = found.step[0] / (across.high - across.low) * canvas.width
    down = -found.step[1] / (up.high - up.low) * canvas.height
    size = max(abs(right), abs(down))
    if begin is None or not math.isfinite(size) or not size:
        return False
    count = min(max(round(size), 2), canvas.width + canvas.height)
    shaft, head = _signs(right, down)
    for number in range(1, count + 1):
        column, row = (
            round(at + number * part / size) for at, part in zip(begin, (right, down), strict=True)
        )
        canvas.put(column, row, head if number == count else shaft, "mark")
    return size < 1


def _signs(right: float, down: float) -> tuple[str, str]:
    """Return the characters of an arrow's shaft and head."""
    flat, steep = abs(right) >= 2 * abs(down), abs(down) >= 2 * abs(right)
    head = (">" if right > 0 else "<") if abs(right) >= abs(down) else ("v" if down > 0 else "^")
    return (head if flat or steep else "\\" if (right > 0) == (down > 0) else "/"), head


def _scales(found: Surface) -> tuple[Scale, Scale]:
    return Scale(found.first[0], found.first[-1]), Scale(found.second[0], found.second[-1])


def _two(pair: tuple[float, float]) -> str:
    return f"({cell(pair[0])}, {cell(pair[1])})"
