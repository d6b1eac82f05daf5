"""The losses of every epoch: each view keeps what it showed, though views share a buffer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.training.loss_history import Losses

numbers = st.floats(allow_nan=True, allow_infinity=True)
writes = st.lists(st.tuples(st.integers(0, 8), numbers, st.integers(0, 100)), max_size=30)


def shown(losses: Losses) -> list[str]:
    """Every loss as text, in which nan equals nan."""
    return [repr(losses[epoch]) for epoch in range(len(losses))]


@given(writes)
def test_adding_a_loss_to_any_view_changes_no_other(writes: list[tuple[int, float, int]]) -> None:
    views, expected = [Losses()], [list[str]()]
    for epoch, value, which in writes:
        base = which % len(views)
        views.append(views[base].with_loss(epoch, value))
        known = expected[base][:epoch]
        expected.append([*known, *["nan"] * (epoch - len(known)), repr(value)])
        assert [shown(view) for view in views] == expected


@given(st.lists(numbers, max_size=5), st.integers(0, 8), st.lists(numbers, min_size=1, max_size=5))
def test_a_run_appends_to_a_buffer_that_earlier_views_do_not_see(
    start: list[float], epoch: int, run: list[float]
) -> None:
    losses = Losses()
    for position, value in enumerate(start):
        losses = losses.with_loss(position, value)
    before = shown(losses)
    buffer = losses.open_end(epoch)
    growing = Losses(buffer, len(buffer))
    buffer.extend(run)
    assert shown(losses) == before
    known = before[:epoch]
    assert shown(growing.grown()) == [*known, *["nan"] * (epoch - len(known)), *map(repr, run)]
    assert len(growing) == max(epoch, 0)


def test_epochs_without_a_loss_hold_nan() -> None:
    losses = Losses().with_loss(0, 4.0).with_loss(3, 1.0)
    assert shown(losses) == ["4.0", "nan", "nan", "1.0"]


@pytest.mark.parametrize("epoch", [-1, 1, 100])
def test_a_loss_outside_is_an_index_error(epoch: int) -> None:
    with pytest.raises(IndexError):
        Losses().with_loss(0, 1.0)[epoch]


@given(st.lists(numbers, max_size=60), st.integers(-1, 25))
def test_a_sample_holds_the_lowest_and_highest_of_each_stretch(values: list[float], columns: int) -> None:
    losses = Losses()
    for epoch, value in enumerate(values):
        losses = losses.with_loss(epoch, value)
    pairs = losses.sampled(columns)
    assert len(pairs) == (0 if columns < 1 else min(columns, len(values)))
    finite = [value for value in values if math.isfinite(value)]
    lows = [low for low, _ in pairs if not math.isnan(low)]
    highs = [high for _, high in pairs if not math.isnan(high)]
    assert len(lows) == len(highs)
    assert all(low <= high for low, high in pairs if not math.isnan(low))
    if pairs:
        assert min(lows, default=None) == min(finite, default=None)
        assert max(highs, default=None) == max(finite, default=None)
    if len(pairs) == len(values):
        assert [repr(low) for low, _ in pairs] == [
            repr(value) if math.isfinite(value) else "nan" for value in values
        ]
