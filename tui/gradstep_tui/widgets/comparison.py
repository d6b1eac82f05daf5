"""Draws two runs side by side: their numbers, their first difference, and both loss curves in one plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.text.comparison import Names, first_text, momentum_text, told_apart
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison, FirstDifference
    from gradstep.training.loss_history import Losses

ONE, OTHER, BOTH = "#", "o", "@"
"""Characters of the curves: of the session, of the other run, and of cells that both curves pass."""

AXIS: Final = 12
"""Width of the numbers beside the plot, in cells."""

MOST_GAPS: Final = 4
"""Largest number of parameters that are listed; those with the largest gaps are."""

STEEP: Final = 50.0
"""Ratio of the highest to the lowest loss from which the plot's scale is logarithmic."""


def comparison_lines(found: Comparison, names: Names, width: int, height: int) -> list[Line]:
    """Return the lines of a comparison: the numbers, then the plot if at least four lines are left."""
    top = [
        head_line(found, names),
        *number_lines(found),
        line(),
        *first_lines(found.first, names, width),
        *momentum_lines(found, width),
    ]
    room = height - len(top) - 1
    return [*top, line(), *plot_lines(found, width, room, names.unit)] if room >= 4 else top


def head_line(found: Comparison, names: Names) -> Line:
    """Return the line that names the two runs, each with the character of its curve."""
    many = f"{names.unit}s: {found.epochs:,}"
    return line(
        Span(f" {many:<18}", "dim"),
        Span(f"{f'{ONE} {names.here}':<24}", "key"),
        Span(f"{f'{OTHER} {names.other}':<22}", "key"),
        Span("largest gap", "key"),
    )


def number_lines(found: Comparison) -> list[Line]:
    """Return the lines for the last loss of each run, and for the elements that lie furthest apart."""
    rows = []
    if found.last is not None:
        rows.append(_row("loss", *found.last))
    widest = sorted(found.gaps, key=lambda gap: -_known(gap.size))[:MOST_GAPS]
    rows += [_row(gap.name, gap.first, gap.second) for gap in widest]
    return rows


def first_lines(first: FirstDifference | None, names: Names, width: int) -> list[Line]:
    """Return the lines on the first difference between the two runs."""
    return indented(first_text(first, names), width, "" if first is None else "mark")


def momentum_lines(found: Comparison, width: int) -> list[Line]:
    """Return the lines on momentum, if the comparison confirmed that never zeroing equals it; else none."""
    text = momentum_text(found)
    return indented(text, width) if text else []


def indented(text: str, width: int, role: str = "") -> list[Line]:
    """Return text broken into lines that are indented like the names of the rows."""
    return [line(" ", *row) for row in wrapped(text, width - 2, role)]


def plot_lines(found: Comparison, width: int, height: int, unit: str = EPOCH) -> list[Line]:
    """Return a plot of both loss curves, with the first difference marked; no lines if it does not fit."""
    known = len(found.losses[0])
    columns = width - AXIS - 2
    if not known or columns < 10 or height < 3:
        return []
    curves = [_points(losses, columns) for losses in found.losses]
    finite = [value for curve in curves for value in curve if math.isfinite(value)]
    if not finite:
        return [line(Span(" there is no curve to draw: no loss is a finite number", "dim"))]
    scale = _Scale(min(finite), max(finite), height - 2)
    rows = [_plot_row(curves, scale, row) for row in range(height - 2)]
    labels = {0: cell(scale.high), height - 3: cell(scale.low)}
    axis = [line(Span(f"{labels.get(row, ''):>{AXIS}} ", "dim"), *rows[row]) for row in range(height - 2)]
    return [*axis, *_feet(found, known, len(curves[0]), scale, unit)]


class _Scale:
    """A scale, linear or logarithmic, that maps losses to rows, the highest loss to row 0."""

    def __init__(self, low: float, high: float, rows: int) -> None:
        self.low, self.high, self._rows = low, high, rows
        self.is_log = low > 0 and high / low >= STEEP

    def row(self, value: float) -> int:
        low, high = self._at(self.low), self._at(self.high)
        share = (self._at(value) - low) / (high - low) if high > low else 0.0
        return round((1 - share) * (self._rows - 1))

    def _at(self, value: float) -> float:
        return math.log(value) if self.is_log else value


def _points(losses: Losses, columns: int) -> list[float]:
    """Return one loss per column, the highest of its epochs; few epochs get up to four columns each."""
    points = [high for _, high in losses.sampled(columns)]
    wide = min(max(columns // max(len(points), 1), 1), 4)
    return [point for point in points for _ in range(wide)]


def _plot_row(curves: Sequence[Sequence[float]], scale: _Scale, row: int) -> Line:
    text = ""
    for losses in zip(*curves, strict=True):
        hits = [math.isfinite(value) and scale.row(value) == row for value in losses]
        text += BOTH if all(hits) else ONE if hits[0] else OTHER if hits[1] else " "
    return line(text.rstrip())


def _feet(found: Comparison, known: int, columns: int, scale: _Scale, unit: str) -> list[Line]:
    """Return the lines below the plot: the mark of the first difference, then the epochs."""
    marks = ""
    if found.first is not None and found.first.epoch <= known:
        place = (found.first.epoch - 1) * columns // known
        marks = f"{' ' * place}^ first difference"
    ends = f"{unit}s 1 to {known:,}, {'logarithmic' if scale.is_log else 'linear'}; {BOTH} marks both"
    return [
        line(" " * (AXIS + 1), Span(marks, "mark")),
        line(Span(f"{' ' * (AXIS + 1)}{ends}", "dim")),
    ]


def _row(name: str, ours: complex, theirs: complex) -> Line:
    mine, others = told_apart(ours, theirs)
    gap = "none" if ours == theirs else cell(ours - theirs)
    return line(
        Span(f" {name[:17]:<18}", "label"),
        f"{mine:<24}{others:<22}{gap:<11}",
    )


def _known(size: float) -> float:
    return math.inf if math.isnan(size) else size
