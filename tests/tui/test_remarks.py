"""Notices: each has a sense that is seen without colours, and the remedy first; nothing is out of reach."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.actions import Backward, Forward
from gradstep.notices import Notice
from gradstep.opening import open_session
from gradstep.reasons import Reason, Refusal
from gradstep.start import Start
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.drawing.lines import length
from gradstep_tui.drawing.remark_lines import ROLES, remark_lines, remark_rows
from gradstep_tui.text.losses.loss_moves import moved_text
from gradstep_tui.text.notices import SENSES
from gradstep_tui.text.refusals import error_remark, refusal_remark
from gradstep_tui.text.remarks import GRAVITY, NOTHING, WORDS, Remark, Sense, failure, hint, success, warning
from gradstep_tui.widgets.notice import MOST_ROWS
from tests.tui.bench import bench, opened, press, text

remarks = st.builds(Remark, st.sampled_from(Sense), st.text("ab cdefg", max_size=400))


def test_every_sense_has_a_word_and_a_colour_of_its_own() -> None:
    assert set(WORDS) == set(ROLES) == set(GRAVITY) == set(Sense)
    assert len(set(WORDS.values())) == len(set(ROLES.values())) == len(Sense)


def test_every_notice_of_the_engine_has_its_sense_in_a_table() -> None:
    assert set(SENSES) == set(get_args(Notice))


def test_nothing_to_undo_is_no_warning() -> None:
    assert {refusal_remark(Refusal(reason, 1.0)).sense for reason in Reason} >= {Sense.HINT, Sense.WARNING}
    assert refusal_remark(Refusal(Reason.NOTHING_TO_UNDO)) == hint("there is nothing to undo")


@given(remarks, remarks)
def test_two_remarks_together_are_as_grave_as_the_graver_one(one: Remark, other: Remark) -> None:
    both = one.also(other)
    assert one.text in both.text
    assert other.text in both.text
    if one and other:
        assert GRAVITY.index(both.sense) == max(GRAVITY.index(one.sense), GRAVITY.index(other.sense))
    assert one.also(NOTHING) == (one or NOTHING)


@given(remarks, st.integers(40, 120), st.integers(1, 4))
def test_a_remark_begins_with_its_sense_and_loses_no_word_that_fits(
    remark: Remark, width: int, most: int
) -> None:
    lines = remark_lines(remark, width, most, "Enter shows all")
    assert len(lines) <= most
    assert all(length(row) <= width for row in lines)
    drawn = "".join(span.text for row in lines for span in row)
    if remark.text.strip():
        assert drawn.startswith(f" {WORDS[remark.sense]}:")
    if remark_rows(remark, width) <= most:
        assert "".join(drawn.split()) == "".join(str(remark).split())
    else:
        assert drawn.endswith("… Enter shows all")


def test_what_an_exception_means_comes_before_its_own_words() -> None:
    session = open_session(Start())
    session.apply(Forward())
    session.apply(Backward())
    with pytest.raises(PyTorchError) as caught:
        session.apply(Backward())
    remark = error_remark(caught.value)
    assert remark.sense is Sense.ERROR
    assert remark.text.startswith("Run forward again for a new graph")
    assert remark.text.index("RuntimeError: Trying to backward") > remark.text.index("forward")


async def test_each_sense_is_drawn_with_its_word_also_in_ascii() -> None:
    for ascii_only in (False, True):
        async with opened(ascii_only=ascii_only) as pilot:
            for remark in (success("this"), hint("this"), warning("this"), failure("this")):
                bench(pilot).notice = remark
                await pilot.pause()
                assert text(pilot).splitlines()[-2].rstrip() == f" {WORDS[remark.sense]}: this"


async def test_a_long_notice_grows_and_enter_shows_what_does_not_fit() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    async with opened() as pilot:
        before = text(pilot)
        bench(pilot).notice = failure(words)
        await pilot.pause()
        await pilot.pause()
        assert text(pilot).splitlines()[-1 - MOST_ROWS].startswith(" error: word0 word1")
        assert text(pilot).splitlines()[-2].rstrip().endswith("… Enter shows all")
        await press(pilot, "enter")
        assert "word59" in text(pilot)
        await press(pilot, "escape", "enter")  # it was read: now the key does what it always does
        assert "─ this step ─" in text(pilot)
        await press(pilot, "escape", "escape")
        assert text(pilot) == before


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (18746.5391, 231.7447, "down 98.8%"),
        (18746.5391, 5249919.0, "up 280-fold"),
        (1.0, 28.44, "up 28.4-fold"),
        (1.0, 9.5, "up 850.0%"),
        (18746.5391, 1.5011, "down 99.992%"),
        (1.0, 1e-12, "down >99.9999%"),
        (18746.5391, 1.5011e9, "up 80,073-fold"),
        (1.0, 1e20, "up 1e+20-fold"),
        (1.0, 1.0 + 1e-9, ""),
        (2.0, -2.0, "down 200.0%"),
        (0.0, 1.0, ""),
        (1.0, math.inf, ""),
    ],
)
def test_a_change_of_the_loss_has_a_word_and_few_digits(first: float, last: float, text: str) -> None:
    assert moved_text(first, last) == text
