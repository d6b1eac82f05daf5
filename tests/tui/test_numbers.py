"""Numbers as text."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradstep.loop.learning_rate import lowered, raised
from gradstep_tui.text.tensors.numbers import (
    BRIEFEST,
    DIGITS,
    SCIENTIFIC,
    SUM_DIGITS,
    WIDEST,
    brief,
    cell,
    cells,
    decimals_of,
    rate,
    shape_text,
)
from gradstep_tui.text.tensors.summaries import summary_text
from gradstep_tui.text.tensors.values import value_text

SPECIAL = [None, 0.0, -0.0, math.nan, math.inf, -math.inf, 1e-45, -1e-45, 3.4e38, 5e-324, 1.7e308, 0.00005]


def test_none_both_zeros_nan_inf_tiny_and_huge_are_told_apart() -> None:
    assert [cell(value) for value in SPECIAL[:6]] == ["None", "0", "-0", "nan", "inf", "-inf"]
    assert len({cell(value) for value in SPECIAL}) == len(SPECIAL)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0000"),
        (-1.8666, "-1.8666"),
        (18746.5391, "18746.5391"),
        (0.001, "0.0010"),
        (0.000999, "9.9900e-04"),
        (99999.9999, "99999.9999"),
        (-99999.9999, "-99999.9999"),
        (99999.99999, "9.9999e+04"),
        (123456.0, "1.2346e+05"),
        (-1.23456e-300, "-1.235e-300"),
    ],
)
def test_numbers_have_four_decimals_unless_those_would_hide_them(value: float, text: str) -> None:
    if value == 99999.99999:  # rounds up: either text is right, four decimals of it would be too wide
        assert cell(value) in ("9.9999e+04", "1.0000e+05")
    else:
        assert cell(value) == text


@given(st.one_of(st.none(), st.floats(), st.floats(width=32)))
def test_no_number_is_wider_than_its_cell(value: float | None) -> None:
    assert 0 < len(cell(value)) <= WIDEST


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_on_screen_is_near_the_number_and_zero_only_for_zero(value: float) -> None:
    shown = float(cell(value))
    assert (shown == 0) == (value == 0)
    assert math.copysign(1, shown) == math.copysign(1, value)
    assert math.isclose(shown, value, rel_tol=5e-2 if abs(value) < 1e-1 else 1e-3) or math.isinf(shown)


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_a_learning_rate_is_written_so_that_typing_it_gives_it_back(value: float) -> None:
    assert float(rate(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(1e-5, "1e-05"), (0.1, "0.1"), (1.0, "1"), (0.5, "0.5"), (20, "20")]
)
def test_a_learning_rate_is_short(value: float, text: str) -> None:
    assert rate(value) == text


def test_every_learning_rate_that_the_keys_give_is_short() -> None:
    rates = [1e-12]
    while raised(rates[-1]) != rates[-1]:
        rates.append(raised(rates[-1]))
    assert max(len(rate(value)) for value in rates) <= 7
    assert lowered(rates[0]) == rates[0]


@given(
    st.integers(0, 4).flatmap(
        lambda rows: st.integers(0, 4).flatmap(
            lambda columns: st.lists(
                st.lists(st.floats(width=32), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            )
        )
    )
)
def test_a_matrix_keeps_its_shape_and_every_number_fits(numbers: list[list[float]]) -> None:
    tensor = torch.from_numpy(np.array(numbers, dtype=np.float32).reshape(len(numbers), -1 if numbers else 0))
    grid = cells(tensor)
    assert [len(row) for row in grid] == [len(row) for row in numbers]
    assert all(len(text) <= WIDEST for row in grid for text in row)


@given(st.lists(st.floats(width=32), min_size=1, max_size=6))
def test_in_a_matrix_too_zeros_nan_and_inf_are_told_apart(numbers: list[float]) -> None:
    [row] = cells(torch.tensor(numbers))
    for number, text in zip(torch.tensor(numbers).tolist(), row, strict=True):
        if not math.isfinite(number) or number == 0:
            assert text == cell(number)
        else:
            assert text not in ("0", "-0", "nan", "inf", "-inf", "None")


def test_more_than_two_dimensions_are_rows_of_the_last_one() -> None:
    assert cells(torch.arange(8).reshape(2, 2, 2)) == [["0", "1"], ["2", "3"], ["4", "5"], ["6", "7"]]
    assert cells(torch.tensor(1.5)) == [["1.5000"]]
    assert cells(torch.zeros(0)) == [[]]


def test_complex_numbers_and_truth_values_are_written_too() -> None:
    assert cells(torch.tensor([1 + 2j])) == [["1+2j"]]
    assert cells(torch.tensor([True, False])) == [["True", "False"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (0.0, "0"),
        (2, "2"),
        ((2, 3), "(2, 3)"),
        ("mean", "mean"),
        (torch.tensor(0.1), "0.1000"),
        (torch.arange(8), "[0 1 2 3 4 5 …]"),
    ],
)
def test_any_operand_is_written_in_one_line(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_scalar_has_a_shape_too() -> None:
    assert [shape_text(shape) for shape in [(), (3,), (5, 2)]] == ["()", "3", "5x2"]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_whole_numbers_of_an_integer_tensor_keep_all_their_digits(dtype: torch.dtype) -> None:
    big = torch.tensor([[99_999, 100_000], [-123_456_789, 0]], dtype=dtype)
    assert cells(big) == [["99999", "100000"], ["-123456789", "0"]]
    assert cells(big[1, 0]) == [["-123456789"]]
    assert value_text(big[0]) == "[99999 100000]"
    assert cell(100_000) == "100000"
    assert cells(torch.tensor([2**62 + 1])) == [["4611686018427387905"]]
    assert "max 123456, " in summary_text(torch.tensor([123_456, 1]))
    assert cells(torch.tensor([True, False])) == [["True", "False"]]


@given(st.lists(st.floats(width=32), min_size=1, max_size=6), st.sampled_from([DIGITS, SUM_DIGITS]))
def test_numbers_of_a_table_are_short_and_none_is_hidden(values: list[float], digits: int) -> None:
    decimals = decimals_of(values, digits)
    for value in values:
        text = brief(value, decimals)
        assert len(text) <= BRIEFEST
        assert (float(text) == 0) == (value == 0)
        assert math.isnan(value) or value in (float(text), pytest.approx(float(text), rel=0.05))


def test_a_table_has_as_many_decimals_as_its_largest_number_allows() -> None:
    assert [brief(n, decimals_of([-24391.5703, 399.9787])) for n in (-24391.5703, 399.9787)] == [
        "-24391.57",
        "399.98",
    ]
    assert brief(0.3394, decimals_of([0.3394, -1.86])) == "0.3394"
    assert brief(3.0, decimals_of([3.0, 18.0])) == "3"
    assert brief(0.00123, decimals_of([24391.5, 0.00123])) == "0.00123"
    assert decimals_of([1e7, 2.5]) == decimals_of([1e-4]) == SCIENTIFIC
