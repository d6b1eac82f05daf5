"""Draws the loss over two numbers as a heat map, with contours, the path and the next step.

In colours, each cell shows two losses, one above the other, with contour lines. Without, characters form a
ramp from the lowest loss to the highest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.heat import HeatCanvas, bar_spans
from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.losses.surface_sentences import PLAIN, SLICE, SurfaceContext, points_text, update_text
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.pictures.loss_surface import Surface

RAMP: Final = ".,:-=+*#%@"
"""Characters for losses, from the lowest to the highest."""

CONTOUR: Final = 3
"""Levels of colour from one contour line to the next."""

UNKNOWN: Final = "?"
"""Character for a loss that is inf or nan."""

PATH, BEGIN, HERE, LOWEST = "o", "S", "X", "L"


def surface_lines(
    found: Surface,
    width: int,
    height: int,
    is_log: bool | None = None,
    names: Sequence[str] = (),
    palette: Sequence[str] = (),
    drawn: Callable[[int, int, Scale], Canvas] | None = None,
    context: SurfaceContext = PLAIN,
) -> list[Line]:
    """Return the lines of the loss surface.

    Args:
        found: Losses and points.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        is_log: Whether the map is logarithmic; None to decide by the losses.
        names: Names of the two numbers; empty for those that Python would write.
        palette: Colours from the lowest loss to the highest; empty to draw with signs.
        drawn: Draws everything on a canvas of its own, given its width and height and the losses' scale;
            None for a canvas of cells.
        context: What the session knows about the points besides.
    """
    scale = scale_of(found.losses.reshape(-1).tolist(), is_log)
    if scale is None:
        return wrapped("There is nothing to draw: no loss around here is a finite number.", width, "warn")
    names = names or [place.name for place in found.places]
    legend = colours_lines(scale, palette, width) if palette else ramp_lines(scale, width)
    texts = text_lines(found, width, height - len(legend) - 2, context, in_colours=bool(palette))
    below = [*legend, *texts]
    room = width - AXIS, height - len(below) - 2
    canvas = _drawn(canvas_of(*room, palette), found, scale) if drawn is None else drawn(*room, scale)
    across, up = scales_of(found)
    return [head_line(names, context.reason, width), *canvas.with_axes(across, up, names[0]), *below]


def head_line(names: Sequence[str], reason: str, width: int) -> Line:
    """Return the line above the plot: its two numbers, and why they were chosen if there is room."""
    head = f"{names[1]} up, {names[0]} across"
    more = f" ({reason})" if reason else ""
    return line(Span(head, "label"), Span(more if len(head + more) <= width else "", "dim"))


def text_lines(
    found: Surface, width: int, height: int, context: SurfaceContext, *, in_colours: bool
) -> list[Line]:
    """Return the lines that explain the slice and the signs, and give the slope and the next step.

    Args:
        found: Losses and points.
        width: Width of a line, in cells.
        height: Number of lines for the plot and for these.
        context: What the session knows besides.
        in_colours: Whether the path is a line; otherwise it is made of signs.
    """
    way, lines = "The line" if in_colours else PATH, list[Line]()
    for _ in range(2):  # where signs are depends on the height of the plot
        plot = width - AXIS, height - len(lines)
        points = points_text(found, context, way, is_covered=_is_covered(found, *plot))
        lines = [
            *wrapped(SLICE[len(found.path) > 1], width),
            *wrapped(points, width),
            *wrapped(update_text(found, context, _arrow_kind(found, *plot)), width),
        ]
    return lines


def _is_covered(found: Surface, width: int, height: int) -> bool:
    """Return whether the signs of the lowest loss and of the present point are in one cell."""
    canvas, (across, up) = Canvas(width, height), scales_of(found)
    return found.lowest is not None and (
        canvas.place(across, up, *found.lowest.at) == canvas.place(across, up, *found.here)
    )


def _arrow_kind(found: Surface, width: int, height: int) -> str:
    """Return how the arrow is drawn, as a key of the sentences on it."""
    arrow = arrow_of(found, width, height)
    if found.step is None:
        return "none"
    if arrow is None:
        return "without"
    if max(map(abs, arrow)) < 1:
        return "short"
    across, up = scales_of(found)
    end = (found.here[0] + found.step[0], found.here[1] + found.step[1])
    return "arrow" if Canvas(width, height).place(across, up, *end) else "long"


def colours_lines(scale: Scale, palette: Sequence[str], width: int) -> list[Line]:
    """Return the lines that explain the colours and the contour lines."""
    each = _each(scale, len(palette) // CONTOUR)
    colours = line(
        Span(f"loss {cell(scale.low)} ", "dim"),
        *bar_spans(palette),
        Span(f" {cell(scale.high)}, {scale.name}. ", "dim"),
    )
    contours = f"From one contour line to the next: {each}."
    if length(colours) + len(contours) <= width:
        return [(*colours, Span(contours, "dim"))]
    return [colours, line(Span(contours, "dim"))]


def ramp_lines(scale: Scale, width: int) -> list[Line]:
    """Return the lines that explain the ramp and the step from one sign to the next."""
    ends = f"loss {cell(scale.low)} '{RAMP}' {cell(scale.high)}, {scale.name}."
    return wrapped(f"{ends} From one sign to the next: {_each(scale, len(RAMP))}.", width, "dim")


def _each(scale: Scale, count: int) -> str:
    """Return the step between `count` equal parts of a scale: a factor, or a difference."""
    if scale.is_log:
        return f"{(scale.high / scale.low) ** (1 / count):.3g} times the loss"
    return f"{cell((scale.high - scale.low) / count)} more"


def canvas_of(width: int, height: int, palette: Sequence[str]) -> Canvas:
    """Return a canvas for colours if there are some, else for signs."""
    return HeatCanvas(width, height, palette) if palette else Canvas(width, height)


def _drawn(canvas: Canvas, found: Surface, scale: Scale) -> Canvas:
    """Draw everything on a canvas of cells, and return it."""
    _draw_losses(canvas, found, scale)
    across, up = scales_of(found)
    if isinstance(canvas, HeatCanvas):
        _draw_path(canvas, found, across, up)
    else:
        for point in found.path[1:-1]:
            canvas.point(across, up, *point, PATH, "key")
    if found.lowest is not None:
        canvas.point(across, up, *found.lowest.at, LOWEST, "title")
    if len(found.path) > 1:
        canvas.point(across, up, *found.path[0], BEGIN, "key")
    _draw_arrow(canvas, found, across, up)
    canvas.point(across, up, *found.here, HERE, "current")
    return canvas


def _draw_losses(canvas: Canvas, found: Surface, scale: Scale) -> None:
    if isinstance(canvas, HeatCanvas):
        canvas.fill(_levels(found, scale, canvas.width, 2 * canvas.height, len(canvas.palette)), CONTOUR)
        return
    for row, levels in enumerate(_levels(found, scale, canvas.width, canvas.height, len(RAMP))):
        for column, level in enumerate(levels):
            char, role = (UNKNOWN, "dim") if level is None else (RAMP[level], "dim" if level < 5 else "")
            canvas.put(column, row, char, role)


def _levels(found: Surface, scale: Scale, width: int, height: int, count: int) -> list[list[int | None]]:
    """Return the level of the loss at each place of a grid, of `count` levels, the highest row first."""
    rows, columns = found.losses.shape
    across = [column * columns // width for column in range(width)]
    return [
        [
            scale.place(loss, count)
            for loss in found.losses[(height - 1 - row) * rows // height, across].tolist()
        ]
        for row in range(height)
    ]


def _draw_path(canvas: HeatCanvas, found: Surface, across: Scale, up: Scale) -> None:
    canvas.stroke(path_places(found, canvas.width, 2 * canvas.height))


def path_places(found: Surface, width: float, height: float) -> list[tuple[float, float]]:
    """Return the path on a plot of a size, to the right and down, up to its first point that is no number."""
    across, up = scales_of(found)
    places = [(across.share(x) * width, (1 - up.share(y)) * height) for x, y in found.path]
    return [*takewhile(lambda place: all(map(math.isfinite, place)), places)]


def arrow_of(found: Surface, width: float, height: float) -> tuple[float, float] | None:
    """Return the next step on a plot of a size, to the right and down; None if there is none to draw."""
    if found.step is None:
        return None
    across, up = scales_of(found)
    right = found.step[0] / (across.high - across.low) * width
    down = -found.step[1] / (up.high - up.low) * height
    size = max(abs(right), abs(down))
    return (right, down) if math.isfinite(size) and size else None


def _draw_arrow(canvas: Canvas, found: Surface, across: Scale, up: Scale) -> None:
    """Draw an arrow along the next step, of two cells or more, so that it is visible."""
    begin = canvas.place(across, up, *found.here)
    arrow = arrow_of(found, canvas.width, canvas.height)
    if begin is None or arrow is None:
        return
    size = max(map(abs, arrow))
    count = min(max(round(size), 2), canvas.width + canvas.height)
    cells = [
        tuple(round(at + number * part / size) for at, part in zip(begin, arrow, strict=True))
        for number in range(1, count + 1)
    ]
    inside = [
        (column, row) for column, row in cells if 0 <= column < canvas.width and 0 <= row < canvas.height
    ]
    shaft, head = _signs(*arrow)
    for column, row in inside:
        canvas.put(column, row, head if (column, row) == inside[-1] else shaft, "mark")


def _signs(right: float, down: float) -> tuple[str, str]:
    """Return the characters of an arrow's shaft and head; a cell is about twice as high as it is wide."""
    wide, high = abs(right), 2 * abs(down)
    flat, steep = wide >= 2 * high, high >= 2 * wide
    head = (">" if right > 0 else "<") if wide >= high else ("v" if down > 0 else "^")
    return (head if flat or steep else "\\" if (right > 0) == (down > 0) else "/"), head


def scales_of(found: Surface) -> tuple[Scale, Scale]:
    """Return the scales of the first number and of the second one."""
    return Scale(found.first[0], found.first[-1]), Scale(found.second[0], found.second[-1])
