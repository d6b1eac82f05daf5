"""Values that learners give, typed or passed on: used as they are, or refused in one sentence."""

from __future__ import annotations

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import (
    MOST_EPOCHS,
    Action,
    Forward,
    LowerLearningRate,
    RaiseLearningRate,
    RunEpochs,
    SetLearningRate,
    epochs_from,
    learning_rate_from,
)
from gradstep.errors import BadInput, Refused
from gradstep.loop.learning_rate import LARGEST, SMALLEST, lowered, raised
from gradstep.session import Session

BAD_RATES = [math.nan, math.inf, -math.inf, 0, 0.0, -1, True, "x", None, 10**400, -(10**400), 1j, [1e-5]]
BAD_COUNTS = [0, -1, 1.5, 100.0, True, "100", None, MOST_EPOCHS + 1, 2_000_000, 10**5000, math.nan]


def one_sentence(error: pytest.ExceptionInfo[BadInput]) -> str:
    """Give the message, which fits into a line or two and stands alone."""
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 150
    assert not re.search(r"[.!?] [A-Z]", message)
    return message


@pytest.mark.parametrize(
    "action",
    [*map(SetLearningRate, BAD_RATES), *map(RunEpochs, BAD_COUNTS)],
    ids=lambda one: type(one).__name__,
)
def test_a_value_that_cannot_be_used_changes_nothing(action: Action) -> None:
    session = Session(problems.load("crops"))
    before = session.apply(Forward())
    with pytest.raises(BadInput) as caught:
        session.apply(action)
    one_sentence(caught)
    assert session.frame is before
    assert session.progress is None


@pytest.mark.parametrize("rate", BAD_RATES[:9])
def test_a_session_does_not_start_with_a_bad_learning_rate(rate: float) -> None:
    if rate is None:
        assert Session(problems.load("crops"), rate).frame.learning_rate == 1e-5
        return
    with pytest.raises(BadInput):
        Session(problems.load("crops"), rate)


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_every_positive_finite_number_is_a_learning_rate(rate: float) -> None:
    assert learning_rate_from(repr(rate)) == rate
    assert learning_rate_from(f"  {rate!r} ") == rate
    session = Session(problems.load("crops"))
    assert session.apply(SetLearningRate(rate)).learning_rate == rate


@pytest.mark.parametrize(
    "text", ["", "  ", "x", "0", "-1", "nan", "inf", "-inf", "1e999", "1e-999", "1,5", "1e", "9" * 5000]
)
def test_other_text_is_no_learning_rate_and_is_named(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        learning_rate_from(text)
    message = one_sentence(caught)
    assert message.startswith(repr(text.strip())[:30] if text.strip() else "an empty text")


@given(st.text())
def test_any_text_gives_a_learning_rate_or_one_sentence(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert 0 < learning_rate_from(text) < math.inf


@given(st.integers(1, MOST_EPOCHS))
def test_every_whole_number_up_to_a_million_is_a_number_of_epochs(count: int) -> None:
    assert epochs_from(str(count)) == epochs_from(f" {count:,} ") == epochs_from(f"{count:_}") == count


@pytest.mark.parametrize(
    "text", ["", " ", "x", "0", "-1", "1.5", "1e3", "nan", "1000001", "2_000_000", "9" * 5000, "²", "٣", "+5"]
)
def test_other_text_is_no_number_of_epochs_and_is_named(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        epochs_from(text)
    message = one_sentence(caught)
    assert message.startswith(repr(text.strip())[:30] if text.strip() else "an empty text")
    assert "1,000,000" in message


@given(st.text())
def test_any_text_gives_a_number_of_epochs_or_one_sentence(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert 1 <= epochs_from(text) <= MOST_EPOCHS


# The steps of the learning rate

STEPS = [float(f"{m}e{e}") for e in range(-12, 6) for m in (1, 2, 5)] + [1e6]


def test_the_learning_rate_goes_up_and_down_by_1_2_5() -> None:
    assert [raised(step) for step in STEPS] == [*STEPS[1:], LARGEST]
    assert [lowered(step) for step in STEPS] == [SMALLEST, *STEPS[:-1]]


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_a_step_is_the_nearest_one_on_its_side(rate: float) -> None:
    above = [step for step in STEPS if step > rate]
    below = [step for step in STEPS if step < rate]
    if SMALLEST <= rate <= LARGEST:
        assert raised(rate) == min(above, default=rate)
        assert lowered(rate) == max(below, default=rate)
    assert raised(rate) >= rate >= lowered(rate)


@pytest.mark.parametrize(("action", "end"), [(RaiseLearningRate(), 1e6), (LowerLearningRate(), 1e-12)])
def test_at_its_last_step_the_learning_rate_says_so(action: Action, end: float) -> None:
    session = Session(problems.load("crops"), end)
    refusal = session.frame.refusal(action)
    with pytest.raises(Refused, match="set a value instead") as caught:
        session.apply(action)
    assert caught.value.refusal == refusal
    assert str(caught.value) == str(refusal)
    assert session.frame.position == 0
