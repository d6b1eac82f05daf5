"""A curve over the epochs: a line of dots with numbers at the ends of its axes, or one line of blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep_tui.drawing.dots import ACROSS, DOWN, Dots
from gradstep_tui.drawing.lines import Line, Span, joined, line
from gradstep_tui.drawing.scales import Scale, rounded, scale_of

if TYPE_CHECKING:
    from gradstep.training.loss_history import Losses

BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""Characters of a sparkline, from the lowest number to the highest."""

AXIS: Final = 11
"""Width of the numbers beside the plot, in cells."""

WIDEST_STEP: Final = 16
"""Largest distance between two epochs, in dots."""

LOG: Final = "log scale"
RISES: Final = "▲"
"""Sign below the epochs in which a curve rises; these parts have the role `warn`, too."""

NOTABLE: Final = 1e-4
"""Share of a number by which the next one has to be higher to count as a rise."""

TALL: Final = 9
"""Number of rows from which the vertical axis has a number between its ends."""

CURVE: Final = "label"
"""Role of a curve."""

Pairs: TypeAlias = Sequence[tuple[float, float]]
"""The lowest and the highest number of each stretch of epochs; nan if it has none."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve as it fits into a number of cells across."""

    pairs: Pairs
    step: float
    """Dots from one pair to the next."""

    rises: Sequence[bool]
    """Whether the curve rises to each pair."""

    def at(self, number: int) -> int:
        """Return the dot column of a pair."""
        return round(number * self.step)

    def cell_of(self, epoch: int, count: int) -> int:
        """Return the column of an epoch, counted from 1, of `count` epochs, in cells."""
        share = (epoch - 1) / max(count - 1, 1)
        return round(min(max(share, 0), 1) * (len(self.pairs) - 1) * self.step) // ACROSS

    @property
    def cells(self) -> int:
        """Number of cells across, up to the last pair."""
        return self.at(len(self.pairs) - 1) // ACROSS + 1


def curve_of(losses: Losses, cells: int, *, whole: bool = False) -> Curve:
    """Return the curve of all losses, stretched a little if there are few.

    The distance of two epochs halves whenever the room is used up, so that a curve mostly grows at its end.

    Args:
        losses: Number of each epoch.
        cells: Number of cells across.
        whole: Whether the curve takes the whole width, however few the losses are.
    """
    pairs = losses.sampled(cells * ACROSS)
    if whole:
        return Curve(pairs, (cells * ACROSS - 1) / max(len(pairs) - 1, 1), rises_of(pairs))
    step = WIDEST_STEP
    while step > 1 and (len(pairs) - 1) * step >= cells * ACROSS:
        step //= 2
    return Curve(pairs, step, rises_of(pairs))


def rises_of(pairs: Pairs) -> list[bool]:
    """Return for each pair whether both of its numbers are notably higher than those before it."""
    before = (math.nan, math.nan)
    found = []
    for pair in pairs:
        found.append(all(_rises(old, new) for old, new in zip(before, pair, strict=True)))
        before = before if math.isnan(pair[0]) else pair
    return found


def chart_lines(losses: Losses, width: int, height: int, unit: str, is_log: bool | None = None) -> list[Line]:
    """Return a curve as lines: dots, labelled at the ends of both axes, with every rise marked.

    Args:
        losses: Number of each epoch; drawn if there are two or more, and some are finite.
        width: Width of a line, in cells.
        height: Number of lines, at least three for a plot; one or two give a sparkline.
        unit: Word for an epoch.
        is_log: Whether the scale is logarithmic; None to decide by the numbers.
    """
    if height < 1 or len(losses) < 2:
        return []
    if height < 3:
        return [line(" ", *spark_line(losses.sampled(width - 1)))]
    curve = curve_of(losses, max(width - AXIS, 1))
    scale = curve_scale(curve, is_log)
    return [] if scale is None else plot_lines(curve, scale, len(losses), width, height, unit)


def curve_scale(curve: Curve, is_log: bool | None = None) -> Scale | None:
    """Return a scale with round ends for a curve; None if none of its numbers is finite."""
    found = scale_of([number for pair in curve.pairs for number in pair], is_log)
    return None if found is None else rounded(found)


def plot_lines(curve: Curve, scale: Scale, count: int, width: int, height: int, unit: str) -> list[Line]:
    """Return the lines of a plot with its axes.

    Args:
        curve: The curve, of `count` epochs.
        scale: Scale of the vertical axis.
        count: Number of epochs.
        width: Width of a line, in cells.
        height: Number of lines, at least three.
        unit: Word for an epoch.
    """
    room = max(width - AXIS, 1)
    names = up_labels(scale, height - 1)
    dots = Dots(room, height - 1)
    plotted(dots, curve, scale)
    plot = dots.lines()
    rows = [line(Span(f"{names.get(row, ''):>{AXIS - 1}} ", "dim"), *plot[row]) for row in range(height - 1)]
    return [*rows, line(" " * AXIS, *epochs_line(curve, count, unit, room))]


def plotted(dots: Dots, curve: Curve, scale: Scale, role: str = "", every: int = 1) -> None:
    """Draw a curve as a line of dots; a number outside the scale interrupts it.

    Args:
        dots: The raster to draw on.
        curve: The curve.
        scale: Scale of the vertical axis.
        role: Role of the line; empty for the usual one, with rises in another.
        every: Of the dots of the line, one of so many is set.
    """
    before: tuple[int, int] | None = None
    rows = dots.height * DOWN
    for number, pair in enumerate(curve.pairs):
        low, high = (scale.place(value, rows) for value in pair)
        if low is None or high is None:
            before = None
            continue
        x, drawn = curve.at(number), role or ("warn" if curve.rises[number] else CURVE)
        bottom, top = (rows - 1 - place for place in (low, high))
        near = bottom if before is None or abs(before[1] - bottom) <= abs(before[1] - top) else top
        if before is not None:
            dots.stroke(before, (x, near), drawn, every)
        dots.stroke((x, bottom), (x, top), drawn, every)
        before = x, bottom if near == top else top


def up_labels(scale: Scale, height: int) -> dict[int, str]:
    """Return the numbers beside a vertical axis, by row from the top: at both ends, and between if tall.

    A logarithmic scale is named below its highest number.
    """
    labels = {}
    between = _between(scale)
    place = None if between is None else scale.place(between, height)
    if height >= TALL and between is not None and place is not None and 1 < place < height - 2:
        labels[height - 1 - place] = short(between)
    labels |= {0: short(scale.high), height - 1: short(scale.low)}
    if scale.is_log and height > 2:
        labels[1] = LOG
    elif scale.is_log and len(f"log {labels[0]}") < AXIS:
        labels[0] = f"log {labels[0]}"
    return labels


def _between(scale: Scale) -> float | None:
    """Return a round number between the ends of a scale: 0, the middle, or a power of 10; None for none."""
    if not scale.is_log:
        return 0.0 if scale.low < 0 < scale.high else (scale.low + scale.high) / 2
    middle = 10.0 ** round((math.log10(scale.low) + math.log10(scale.high)) / 2)
    return middle if scale.low < middle < scale.high else None


def epochs_line(curve: Curve, count: int, unit: str, width: int) -> Line:
    """Return the axis of the epochs: the first and the last number, and signs below the rises between."""
    first, last = f"{unit} 1 ", f" {count:,}"
    first = first if len(first) + len(last) <= width else ""
    room = max(min(max(curve.cells, len(first) + len(last)), width) - len(first) - len(last), 0)
    marks = ["─"] * room
    for number, rise in enumerate(curve.rises):
        place = curve.at(number) // ACROSS - len(first)
        if rise and 0 <= place < room:
            marks[place] = RISES
    spans = [Span(sign, "warn" if sign == RISES else "dim") for sign in marks]
    return joined([Span(first, "dim"), *spans, Span(last, "dim")])


def spark_line(pairs: Pairs) -> Line:
    """Return a curve as one line of blocks, a cell for each pair; the lowest number still has a block."""
    scale = scale_of([high for _, high in pairs])
    rises = rises_of(pairs)
    spans = []
    for (_, high), rise in zip(pairs, rises, strict=True):
        level = None if scale is None else scale.place(high, len(BLOCKS))
        spans.append(Span(" " if level is None else BLOCKS[level], "warn" if rise else CURVE))
    return joined(spans)


def short(value: float) -> str:
    """Return a round number in few characters."""
    whole = value == int(value) and abs(value) < 1e6
    text = f"{value:,.0f}" if whole else f"{value:.3g}"
    return text if len(text) < AXIS - 1 else f"{value:.2g}"


def _rises(old: float, new: float) -> bool:
    return new - old > NOTABLE * max(abs(old), abs(new))
