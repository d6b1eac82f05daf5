"""Draws a map of the model's predictions over its two inputs, with the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.heat import HeatCanvas, bar_spans, contrast
from gradstep_tui.drawing.lines import Line, Span, line, on_colour, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.decision_regions import class_names, rule_text, wrong_points
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.widgets.pictures.loss_surface import CONTOUR, RAMP, UNKNOWN, canvas_of

if TYPE_CHECKING:
    from gradstep.pictures.decision_regions import Regions

FILLS: Final = " .:/=+%*#~"
"""Character that fills the region of each class."""

LETTERS: Final = "ABCDEFGHIJ"
"""Letter for the data of each class; lower case for points that are predicted wrongly."""

FILL_ROLES: Final = ("dim", "label", "")
"""Roles of the regions' characters, used in turn."""


def regions_lines(
    found: Regions,
    names: Sequence[str],
    inputs: Sequence[str],
    width: int,
    height: int,
    palette: Sequence[str] = (),
    filled: Callable[[int, int, Scale | None], Canvas] | None = None,
) -> list[Line]:
    """Return the lines of the map.

    Args:
        found: Predictions over the two inputs.
        names: Names of the targets' columns; empty if they have none.
        inputs: Names of the two inputs; empty if they have none.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        palette: Colours from the lowest number to the highest; empty to draw with signs.
        filled: Draws the map on a canvas of its own, given its width and height and the output's scale, which
            is None for classes; None for a canvas of cells.
    """
    first, second = inputs or ("the first input", "the second input")
    head = line(Span(f"{_subject(found, names)}: {second} up, {first} across", "label"))
    across, up = (Scale(axis[0], axis[-1]) for axis in (found.first, found.second))
    if len(found.classes) > len(LETTERS):
        return wrapped(f"There are {len(found.classes)} classes, too many to draw.", width)
    scale = (
        None if found.classes else scale_of([*found.predicted.reshape(-1).tolist(), *found.targets], False)
    )
    if not found.classes and scale is None:
        return wrapped("There is nothing to draw: no prediction is a finite number.", width, "warn")
    text = _points_text(found, scale)
    text += " For this picture, the model is in eval mode." if found.evaluating else ""
    below = [*_legend(found, names, scale, width, palette), *wrapped(text, width)]
    room = width - AXIS, height - len(below) - 2
    canvas = _filled(canvas_of(*room, palette), found, scale) if filled is None else filled(*room, scale)
    _draw_points(canvas, found, scale, across, up)
    return [head, *canvas.with_axes(across, up, first), *below]


def _subject(found: Regions, names: Sequence[str]) -> str:
    if found.column is None:
        return "regions of the classes"
    what = "regions" if found.classes else "prediction"
    if found.columns == 1:
        return what
    return f"{what} of {names[found.column] if names else f'output {found.column}'}"


def _legend(
    found: Regions, names: Sequence[str], scale: Scale | None, width: int, palette: Sequence[str]
) -> list[Line]:
    """Return the lines that explain the signs or the colours of the map."""
    if scale is not None:
        low, high = f"output {cell(scale.low)} ", f" {cell(scale.high)}"
        return [line(low, *bar_spans(palette), high)] if palette else [line(f"{low}'{RAMP}'{high}")]
    called = class_names(found, names)
    if not palette:
        signs = (f"{a} on '{fill}' is {name}" for a, fill, name in zip(LETTERS, FILLS, called, strict=False))
        return wrapped(f"{', '.join(signs)}.", width)
    colours = [palette[level] for level in class_levels(len(found.classes), len(palette))]
    spans = [
        span
        for letter, colour, name in zip(LETTERS, colours, called, strict=False)
        for span in (Span(f" {letter} ", on_colour(contrast(colour), colour)), Span(f" {name}  "))
    ]
    return [line(*spans)]


def _points_text(found: Regions, scale: Scale | None) -> str:
    """Return the sentences on how classes are chosen, and on the points of the data."""
    count = len(found.points)
    if scale is not None:
        return f"Each digit is one of the {count} targets on the same scale, from 0 for the lowest to 9."
    off = len(wrong_points(found))
    wrong = f"{off} of them, in lower case, are predicted wrongly" if off else "all are predicted correctly"
    return f"The prediction is {rule_text(found)}. Letters are the {count} points of the data; {wrong}."


def _filled(canvas: Canvas, found: Regions, scale: Scale | None) -> Canvas:
    if isinstance(canvas, HeatCanvas):
        values = _values(found, canvas.width, 2 * canvas.height)
        levels = class_levels(len(found.classes), len(canvas.palette))
        canvas.fill(
            [[_level(value, scale, levels, len(canvas.palette)) for value in row] for row in values],
            1 if scale is None else CONTOUR,
        )
        return canvas
    for row, values_of_row in enumerate(_values(found, canvas.width, canvas.height)):
        for column, value in enumerate(values_of_row):
            if value != value:
                canvas.put(column, row, UNKNOWN, "dim")
            elif scale is None:
                canvas.put(column, row, FILLS[int(value)], FILL_ROLES[int(value) % len(FILL_ROLES)])
            else:
                canvas.put(column, row, RAMP[scale.place(value, len(RAMP)) or 0], "dim")
    return canvas


def _values(found: Regions, width: int, height: int) -> list[list[float]]:
    """Return the prediction in the middle of each place of a grid, the highest row first."""
    rows, columns = found.predicted.shape
    across = [(2 * column + 1) * columns // (2 * width) for column in range(width)]
    return [
        found.predicted[(2 * (height - row) - 1) * rows // (2 * height)][across].tolist()
        for row in range(height)
    ]


def _level(value: float, scale: Scale | None, classes: Sequence[int], count: int) -> int | None:
    """Return the index of a prediction's colour, of `count` colours; None if it is no number."""
    if value != value:
        return None
    return classes[int(value)] if scale is None else scale.place(value, count) or 0


def class_levels(classes: int, count: int) -> list[int]:
    """Return the index of each class's colour, evenly spread over `count` colours without the two ends."""
    return [round((place + 1) * (count - 1) / (classes + 1)) for place in range(classes)]


def _draw_points(canvas: Canvas, found: Regions, scale: Scale | None, across: Scale, up: Scale) -> None:
    off = {*wrong_points(found)} if scale is None else set[int]()
    for number in sorted(range(len(found.points)), key=lambda point: point in off):  # wrong points on top
        target = found.targets[number]
        if scale is not None:
            sign, role = str(scale.place(target, 10)), "current"
        else:
            letter = LETTERS[int(target)]
            sign, role = (letter.lower(), "warn") if number in off else (letter, "key")
        canvas.point(across, up, *found.points[number], sign, role)
