"""Draws two runs side by side: their numbers, their first difference, and both loss curves in one plot."""

from __future__ import annotations

import math
from collections.abc import Set
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.chart import AXIS, Curve, curve_of, plotted, up_labels
from gradstep_tui.drawing.dot_plot import GAP, across_line
from gradstep_tui.drawing.dots import ACROSS, Dots
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, rounded, scale_of
from gradstep_tui.text.comparison import Names, first_text, momentum_text, told_apart
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison, FirstDifference

ONE, OTHER, BOTH = "x", "o", "@"
"""Signs on the curves: of the session, of the other run, and of places that both curves pass."""

ROLES: Final = ("label", "caution")
"""Roles of the two curves."""

NAME, HERE, THERE = 21, 24, 19
"""Widths of the columns for names, for the session's numbers and for the other run's."""

APART: Final = 16
"""Cells from one sign of a curve to the next."""

FIRST: Final = "▲"
"""Sign on the axis at the first epoch that differs."""

ROOMY: Final = 10
"""Rows for the plot from which there are empty rows above it."""

FURTHEST: Final = "Of each parameter, the number that differs most between the two."
"""Sentence on the rows of parameters."""

MOST_GAPS: Final = 4
"""Largest number of parameters that are listed; those with the largest gaps are."""


def comparison_lines(found: Comparison, names: Names, width: int, height: int) -> list[Line]:
    """Return the lines of a comparison: the numbers, then the plot if at least four lines are left."""
    numbers = [line(), *number_lines(found, names)]
    if found.first is not None and found.gaps:
        numbers += indented(FURTHEST, width, "dim")
    texts = [*first_lines(found.first, names, width), *momentum_lines(found, width)]
    gap = [line()] if height - len(numbers) - len(texts) - 2 >= ROOMY else []
    room = height - len(numbers) - len(texts) - 2 * len(gap)
    plot, signs = plot_lines(found, width, room, names.unit) if room >= 4 else ([], frozenset())
    numbers[0] = head_line(found, names, signs)
    return [*numbers, *gap, *texts, *(gap if plot else []), *plot]


def head_line(found: Comparison, names: Names, signs: Set[str]) -> Line:
    """Return the line that names the two runs, each with the sign of its curve if that is among `signs`."""
    many = f"{names.unit}s: {found.epochs:,}"
    return line(
        Span(f" {many:<{NAME}}", "dim"),
        Span(f"{f'{ONE} ' * (ONE in signs) + names.here:<{HERE}}", ROLES[0]),
        Span(f"{f'{OTHER} ' * (OTHER in signs) + names.other:<{THERE}}", ROLES[1]),
        Span("difference", "key"),
    )


def number_lines(found: Comparison, names: Names) -> list[Line]:
    """Return the lines for the last loss of each run, and for the elements that lie furthest apart."""
    rows = []
    if found.last is not None:
        rows.append(_row("loss", *found.last))
    widest = sorted(found.gaps, key=lambda gap: -_known(gap.size))[:MOST_GAPS]
    rows += [_row(names.element(gap), gap.first, gap.second) for gap in widest]
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


def plot_lines(found: Comparison, width: int, height: int, unit: str = EPOCH) -> tuple[list[Line], Set[str]]:
    """Return a plot of both loss curves, with the first difference marked, and the signs on the curves.

    There are no lines if it does not fit.
    """
    known, room = len(found.losses[0]), width - AXIS - 1
    if not known or room < 20 or height < 4:
        return [], frozenset()
    curves = [curve_of(losses, room, whole=True) for losses in found.losses]
    scale = scale_of([number for curve in curves for pair in curve.pairs for number in pair])
    if scale is None:
        return [line(Span(" there is no curve to draw: no loss is a finite number", "dim"))], frozenset()
    scale = rounded(scale)
    feet = _feet(found, curves[0], scale, unit, room)
    dots = Dots(room, height - len(feet))
    for curve, role, every in reversed([*zip(curves, ROLES, (1, GAP), strict=True)]):
        plotted(dots, curve, scale, role, every)
    for number, curve in enumerate(curves):
        _put_signs(dots, curve, curves[1 - number], scale, number)
    drawn = "".join(span.text for row in dots.lines() for span in row)
    signs = {sign for sign in (ONE, OTHER, BOTH) if sign in drawn}
    feet = _feet(found, curves[0], scale, unit, room, has_both=BOTH in signs)
    labels = up_labels(scale, dots.height)
    rows = [
        line(Span(f"{labels.get(row, ''):>{AXIS - 1}} ", "dim"), *spans)
        for row, spans in enumerate(dots.lines())
    ]
    return [*rows, *feet], signs


def _put_signs(dots: Dots, curve: Curve, other: Curve, scale: Scale, number: int) -> None:
    """Write signs at some places of a curve, other places than those of the curve with the other number."""
    count = len(curve.pairs)
    last = -APART + number * APART // 2
    for at in range(count):
        column, row = curve.at(at) // ACROSS, _row_of(curve, at, scale, dots.height)
        if row is None or column - last < APART:
            continue
        last = column
        same = _row_of(other, at, scale, dots.height) == row
        dots.sign(column, row, BOTH if same else (ONE, OTHER)[number], "key" if same else ROLES[number])


def _row_of(curve: Curve, at: int, scale: Scale, height: int) -> int | None:
    place = scale.place(curve.pairs[at][1], height) if at < len(curve.pairs) else None
    return None if place is None else height - 1 - place


def _feet(
    found: Comparison, curve: Curve, scale: Scale, unit: str, room: int, *, has_both: bool = True
) -> list[Line]:
    """Return the lines below the plot: the epochs with the first difference, then what the signs mean.

    Args:
        found: The comparison.
        curve: One of the curves.
        scale: Scale of the losses.
        unit: Word for an epoch.
        room: Cells beside the labels.
        has_both: Whether there is a sign for both runs in the plot.
    """
    known, blank = len(found.losses[0]), " " * AXIS
    axis = across_line("1", unit, f"{known:,}", room).text
    told, marked = f"loss up, {scale.name}", [Span(axis, "dim")]
    told += f"; {BOTH} both runs" if has_both else ""
    if found.first is not None and found.first.epoch <= known and "─" in axis:
        there = curve.cell_of(found.first.epoch, known)
        place = min((at for at, char in enumerate(axis) if char == "─"), key=lambda at: abs(at - there))
        marked = [Span(axis[:place], "dim"), Span(FIRST, "mark"), Span(axis[place + 1 :], "dim")]
        told += f"; {FIRST} first difference"
    return [line(blank, *marked), *(line(blank, *row) for row in wrapped(told, room, "dim"))]


def _row(name: str, ours: complex, theirs: complex) -> Line:
    mine, others = told_apart(ours, theirs)
    gap = "none" if ours == theirs else cell(ours - theirs)
    return line(
        Span(f" {name if len(name) < NAME else f'{name[: NAME - 2]}…':<{NAME}}", "label"),
        f"{mine:<{HERE}}{others:<{THERE}}{gap:<11}",
    )


def _known(size: float) -> float:
    return math.inf if math.isnan(size) else size
