"""Draws a map of the model's predictions over its two inputs, with the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.decision_regions import class_names, rule_text, wrong_points
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.widgets.pictures.loss_surface import RAMP, UNKNOWN

if TYPE_CHECKING:
    from gradstep.pictures.decision_regions import Regions

FILLS: Final = " .:/=+%*#~"
"""Character that fills the region of each class."""

LETTERS: Final = "ABCDEFGHIJ"
"""Letter for the data of each class; lower case for points that are predicted wrongly."""

FILL_ROLES: Final = ("dim", "label", "")
"""Roles of the regions' characters, used in turn."""


def regions_lines(
    found: Regions, names: Sequence[str], inputs: Sequence[str], width: int, height: int
) -> list[Line]:
    """Return the lines of the map.

    Args:
        found: Predictions over the two inputs.
        names: Names of the targets' columns; empty if they have none.
        inputs: Names of the two inputs; empty if they have none.
        width: Width of a line, in cells.
        height: Number of lines that fit.
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
    text = _class_text(found, names) if scale is None else _scale_text(found, scale)
    text += " For this picture, the model is in eval mode." if found.evaluating else ""
    below = wrapped(text, width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    _fill(canvas, found, scale)
    _draw_points(canvas, found, scale, across, up)
    return [head, *canvas.with_axes(across, up, first), *below]


def _subject(found: Regions, names: Sequence[str]) -> str:
    if found.column is None:
        return "regions of the classes"
    what = "regions" if found.classes else "prediction"
    if found.columns == 1:
        return what
    return f"{what} of {names[found.column] if names else f'output {found.column}'}"


def _class_text(found: Regions, names: Sequence[str]) -> str:
    called = class_names(found, names)
    signs = ", ".join(
        f"{letter} on '{fill}' is {name}" for letter, fill, name in zip(LETTERS, FILLS, called, strict=False)
    )
    off = len(wrong_points(found))
    count = len(found.points)
    wrong = f"{off} of them, in lower case, are predicted wrongly" if off else "all are predicted correctly"
    return f"{signs}: {rule_text(found)}. Letters are the {count} points of the data; {wrong}."


def _scale_text(found: Regions, scale: Scale) -> str:
    return (
        f"output {cell(scale.low)} '{RAMP}' {cell(scale.high)}. Each digit is one of the {len(found.points)} "
        f"targets on the same scale, from 0 for '{RAMP[0]}' to 9 for '{RAMP[-1]}'."
    )


def _fill(canvas: Canvas, found: Regions, scale: Scale | None) -> None:
    rows, columns = found.predicted.shape
    for row in range(canvas.height):
        values = found.predicted[(2 * (canvas.height - row) - 1) * rows // (2 * canvas.height)]
        for column in range(canvas.width):
            value = float(values[(2 * column + 1) * columns // (2 * canvas.width)])
            if value != value:
                canvas.put(column, row, UNKNOWN, "dim")
            elif scale is None:
                canvas.put(column, row, FILLS[int(value)], FILL_ROLES[int(value) % len(FILL_ROLES)])
            else:
                canvas.put(column, row, RAMP[scale.place(value, len(RAMP)) or 0], "dim")


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
