"""The chart of the losses: a line of dots, its axes, and what rises."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from gradstep.training.loss_history import Losses
from gradstep_tui.drawing.ascii import BlocksFilter, to_ascii
from gradstep_tui.drawing.chart import BLOCKS, LOG, RISES, chart_lines, short, spark_line
from gradstep_tui.drawing.dots import EMPTY, Dots, dots_of
from gradstep_tui.drawing.lines import Line, length
from gradstep_tui.drawing.scales import Scale, rounded
from gradstep_tui.terminal.capabilities import shows_braille
from tests.tui.frames import plain

ANY = st.floats(allow_nan=True, allow_infinity=True)


def losses(*values: float) -> Losses:
    return Losses(array("d", values), len(values))


def drawn(*values: float, width: int = 60, height: int = 10) -> list[str]:
    return plain(chart_lines(losses(*values), width, height, "epoch"))


def roles(rows: list[Line]) -> set[str]:
    return {role for row in rows for text, role in row if any(ord(char) > EMPTY for char in text)}


@given(st.lists(ANY, max_size=300), st.integers(20, 120), st.integers(0, 20))
@example([1.0, 1.005e308], 20, 3)
def test_a_chart_of_any_losses_fits(values: list[float], width: int, height: int) -> None:
    rows = chart_lines(losses(*values), width, height, "epoch")
    assert len(rows) in (0, 1, height)
    assert all(length(row) <= width for row in rows)


def test_one_loss_is_no_chart_and_two_are_a_line() -> None:
    assert drawn() == drawn(18746.5) == []
    assert drawn(2.0, 1.0)[-1].split() == ["epoch", "1", "2"]


def test_a_linear_axis_begins_at_0_and_ends_at_a_round_number() -> None:
    rows = drawn(*range(180, 90, -1))
    assert rows[0].split()[0] == "200"
    assert rows[-2].split()[0] == "0"
    assert rows[-1].startswith(" " * 11 + "epoch 1 ─")
    assert rows[-1].endswith("─ 90")
    assert LOG not in "".join(rows)


def test_of_a_large_range_the_scale_is_logarithmic_and_says_so() -> None:
    rows = drawn(*(18746.0 * 0.9**epoch for epoch in range(100)))
    assert (rows[0].split()[0], rows[-2].split()[0]) == ("20,000", "0.5")
    assert LOG in rows[1]
    dots = [row[11:].rstrip() for row in rows[:-1]]
    ends = [len(row) for row in dots]
    assert ends == sorted(ends)  # an exponential decay is straight: it goes on by as much in each line
    assert max(b - a for a, b in pairwise(ends)) <= 7


def test_a_rise_is_marked_by_a_sign_below_it_and_by_the_colour_of_a_warning() -> None:
    falling = chart_lines(losses(*range(30, 1, -1)), 60, 10, "epoch")
    assert RISES not in "".join(plain(falling))
    assert "warn" not in roles(falling)
    values = [*range(30, 10, -1), *range(10, 30)]
    rising = chart_lines(losses(*values), 60, 10, "epoch")
    signs = plain(rising)[-1].removeprefix(" " * 11 + "epoch 1 ").split()[0]
    assert signs.strip(RISES).strip("─") == ""
    assert RISES in signs[-3:]
    assert RISES not in signs[:3]
    assert roles(rising) == {"label", "warn"}


def test_rounding_at_the_end_of_a_descent_is_no_rise() -> None:
    assert RISES not in "".join(drawn(3.0, 2.0, 1.0, *(1.0 + (n % 2) * 1e-7 for n in range(30))))


def test_a_loss_that_is_no_number_interrupts_the_line() -> None:
    rows = drawn(8.0, 7.0, 6.0, math.nan, math.inf, 3.0, 2.0, 1.0)
    dotted = "".join(max(column) for column in zip(*(row[11:].ljust(49) for row in rows[:-1]), strict=True))
    assert len(dotted.split()) == 2


def test_a_chart_mostly_grows_at_its_end() -> None:
    before, after = drawn(8.0, 7.0, 6.0), drawn(8.0, 7.0, 6.0, 5.0)
    for old, new in zip(before[:-1], after[:-1], strict=True):
        assert new.startswith(old.rstrip()[:-1])


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60))
def test_the_lowest_loss_has_a_block_too(values: list[float]) -> None:
    text = plain([spark_line([(value, value) for value in values])])[0]
    assert len(text) == len(values)
    assert set(text) <= set(BLOCKS)
    assert text[values.index(max(values))] == max(text)
    assert text[values.index(min(values))] == min(text)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.booleans())
def test_round_ends_cover_the_numbers_between(one: float, other: float, is_log: bool) -> None:
    low, high = sorted((abs(one), abs(other)) if is_log else (one, other))
    if is_log and low < 1e-300:
        return
    found = rounded(Scale(low, high, is_log))
    assert found.low <= low <= high <= found.high
    assert all(len(short(end)) <= 9 for end in (found.low, found.high))


# Plainer terminals


def test_dots_are_read_back_from_their_character() -> None:
    raster = Dots(1, 1)
    raster.put(1, 3)
    raster.put(0, 0)
    [[span]] = raster.lines()
    assert dots_of(span.text) == [(0, 0), (3, 1)]


@pytest.mark.parametrize(
    ("begin", "end", "sign"),
    [((0, 0), (1, 0), "'"), ((0, 1), (1, 1), "-"), ((0, 3), (1, 3), "."), ((0, 0), (1, 3), "\\"),
     ((0, 3), (1, 0), "/"), ((0, 0), (0, 3), "|")],
)  # fmt: skip
def test_in_ascii_a_line_keeps_its_direction(begin: tuple[int, int], end: tuple[int, int], sign: str) -> None:
    raster = Dots(1, 1)
    raster.stroke(begin, end)
    assert to_ascii(raster.lines()[0][0].text) == sign


def test_a_terminal_without_braille_gets_half_blocks() -> None:
    raster = Dots(3, 1)
    raster.put(0, 0)
    raster.put(2, 3)
    raster.stroke((4, 0), (4, 3))
    text = raster.lines()[0][0].text
    [segment] = BlocksFilter().apply([Segment(text)], Color(0, 0, 0))
    assert segment.text == "▀▄█"
    assert shows_braille({"TERM": "xterm-256color"})
    assert not shows_braille({"TERM": "linux"})
