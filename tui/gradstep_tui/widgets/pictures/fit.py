"""Draws the fit: predictions against targets or, for a single input, the model as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of

if TYPE_CHECKING:
    from gradstep.pictures.fit import Fit

SERIES: Final = "ox+#%&"
"""Character for each column of the targets, used in turn."""

EQUAL, LINE = ".", "*"


def fit_lines(found: Fit, names: Sequence[str], width: int, height: int) -> list[Line]:
    """Return the lines that show the fit.

    Args:
        found: Predictions and targets.
        names: Names of the targets' columns; empty if they have none.
        width: Width of a line, in cells.
        height: Number of lines that fit.
    """
    if found.line:
        return _over_inputs(found, width, height)
    return _against_targets(found, names, width, height)


def _against_targets(found: Fit, names: Sequence[str], width: int, height: int) -> list[Line]:
    across, up = scale_of(found.targets), scale_of([*found.targets, *found.preds])
    if across is None or up is None:
        return _nothing(width)
    columns = max(found.series) + 1
    called = names or [f"column {number}" for number in range(columns)]
    signs = ", ".join(f"{sign} {name}" for sign, name in zip(SERIES, called, strict=False))
    text = (
        f"{signs if columns > 1 else _sign(0)}: a prediction, above its target; {EQUAL} is where both would "
        f"be equal. {_many(found)}"
    )
    below = wrapped(text, width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    for column in range(canvas.width):
        target = across.low + (across.high - across.low) * (column + 0.5) / canvas.width
        canvas.point(across, up, target, target, EQUAL, "dim")
    for target, pred, series in zip(found.targets, found.preds, found.series, strict=True):
        canvas.point(across, up, target, pred, _sign(series), "key")
    head = line(Span("predictions up, targets across", "label"))
    return [head, *canvas.with_axes(across, up, "target"), *below]


def _over_inputs(found: Fit, width: int, height: int) -> list[Line]:
    across = scale_of([*found.inputs, *(x for x, _ in found.line)])
    up = scale_of([*found.targets, *(y for _, y in found.line)])
    if across is None or up is None:
        return _nothing(width)
    below = wrapped(f"{LINE} is the model's prediction, {_sign(0)} a target. {_many(found)}", width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    _draw_line(canvas, found, across, up)
    for x, target in zip(found.inputs, found.targets, strict=True):
        canvas.point(across, up, x, target, _sign(0), "key")
    head = line(Span("predictions and targets up, the input across", "label"))
    return [head, *canvas.with_axes(across, up, "input"), *below]


def _draw_line(canvas: Canvas, found: Fit, across: Scale, up: Scale) -> None:
    for column in range(canvas.width):
        place = column * (len(found.line) - 1) / max(canvas.width - 1, 1)
        (x, y), (_, after) = found.line[int(place)], found.line[min(int(place) + 1, len(found.line) - 1)]
        row = up.place(y + (after - y) * (place - int(place)), canvas.height)
        if row is not None and across.place(x, canvas.width) is not None:
            canvas.put(column, canvas.height - 1 - row, LINE, "mark")


def _many(found: Fit) -> str:
    shown = len(found.targets)
    return f"{found.total:,} in all" + (f", {shown:,} of them drawn." if shown < found.total else ".")


def _sign(series: int) -> str:
    return SERIES[series % len(SERIES)]


def _nothing(width: int) -> list[Line]:
    return wrapped("There is nothing to draw: no prediction is a finite number.", width, "warn")
