"""Draws the fit: predictions against targets or, for a single input, the model as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.dot_plot import DotPlot
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import scale_of, snug

if TYPE_CHECKING:
    from gradstep.pictures.fit import Fit

SERIES: Final = "ox+#%&"
"""Sign for each column of the targets, used in turn."""

ROLES: Final = ("key", "caution", "mark", "warn", "label", "title")
"""Role of each column's sign, used in turn."""

MOST_ERRORS: Final = 40
"""Largest number of pairs whose errors are drawn as lines."""

MOST_SIGNS: Final = 400
"""Largest number of pairs that are drawn with signs; more of them are dots."""


def fit_lines(found: Fit, names: Sequence[str], width: int, height: int, given: str = "input") -> list[Line]:
    """Return the lines that show the fit.

    Args:
        found: Predictions and targets.
        names: Names of the targets' columns; empty if they have none.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        given: Name of the input, if there is a single one.
    """
    if found.line:
        return _over_inputs(found, width, height, given)
    return _against_targets(found, names, width, height)


def _against_targets(found: Fit, names: Sequence[str], width: int, height: int) -> list[Line]:
    across, up = scale_of(found.targets, False), scale_of([*found.targets, *found.preds], False)
    if across is None or up is None:
        return _nothing(width)
    columns = max(found.series) + 1
    called = names or [f"column {number}" for number in range(columns)]
    text = f"The line is where a prediction equals its target. {_errors(found)}{_many(found)}"
    below = [*_legend(called if columns > 1 else ["prediction"], width), *wrapped(text, width)]
    across, up = snug(across), snug(up)
    plot = DotPlot(across, up, width, height - len(below) - 1)
    low, high = max(across.low, up.low), min(across.high, up.high)
    plot.curve([(low, low), (high, high)], "dim")
    for target, pred, series in zip(found.targets, found.preds, found.series, strict=True):
        _pair(plot, found, (target, target), (target, pred), series)
    head = line(Span("predictions up, targets across", "label"))
    return [head, *plot.lines("target"), *below]


def _over_inputs(found: Fit, width: int, height: int, given: str) -> list[Line]:
    across = scale_of([*found.inputs, *(x for x, _ in found.line)], False)
    up = scale_of([*found.targets, *(y for _, y in found.line)], False)
    if across is None or up is None:
        return _nothing(width)
    text = f"The line is the model's prediction, {_sign(0)} a target. {_errors(found)}{_many(found)}"
    below = wrapped(text, width)
    plot = DotPlot(snug(across), snug(up), width, height - len(below) - 1)
    for x, target, pred in zip(found.inputs, found.targets, found.preds, strict=True):
        _pair(plot, found, (x, pred), (x, target), 0)
    plot.curve(found.line, "mark")
    head = line(Span(f"predictions and targets up, {_article(given)} across", "label"))
    return [head, *plot.lines(given), *below]


def _pair(
    plot: DotPlot, found: Fit, begin: tuple[float, float], end: tuple[float, float], series: int
) -> None:
    """Draw a sign or a dot at `end`, and the error as a dotted line from `begin`."""
    role = ROLES[series % len(ROLES)]
    if len(found.targets) <= MOST_ERRORS:
        plot.curve([begin, end], "dim", dotted=True)
    if len(found.targets) <= MOST_SIGNS:
        plot.sign(*end, _sign(series), role)
    else:
        plot.curve([end], role)


def _legend(called: Sequence[str], width: int) -> list[Line]:
    """Return a line with the sign of each series before its name, as far as they fit."""
    spans, room = list[Span](), width
    for number, name in enumerate(called):
        text = f"{_sign(number)} {name}   "
        room -= len(text)
        if room < 0:
            break
        spans.append(Span(text, ROLES[number % len(ROLES)]))
    return [line(*spans)]


def _errors(found: Fit) -> str:
    return "Dotted lines are the errors. " if len(found.targets) <= MOST_ERRORS else ""


def _many(found: Fit) -> str:
    shown = len(found.targets)
    return f"{found.total:,} in all" + (f", {shown:,} of them drawn." if shown < found.total else ".")


def _article(given: str) -> str:
    return "the input" if given == "input" else given


def _sign(series: int) -> str:
    return SERIES[series % len(SERIES)]


def _nothing(width: int) -> list[Line]:
    return wrapped("There is nothing to draw: no prediction is a finite number.", width, "warn")
