"""Values typed as in Python: read, or refused in words, whatever the text."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradstep.errors import BadInput
from gradstep.loop.batches import batches_from
from gradstep.loop.literals import shown
from gradstep.loop.optimizers import optimizer_from

PIECES = (
    *(
        "SGD",
        "Adam",
        "micro",
        "mini",
        "momentum",
        "betas",
        "size",
        "seed",
        "shuffle",
        "weight",
        "True",
        "None",
    ),
    *("(", ")", "[", "]", "{", "}", "=", ",", "*", "**", "-", "~", ":", ".", ":=", "lambda", "if", "f'{x}'"),
    *("0", "2", "0.9", "1e999", "0inf", "1if", "0x" + "f" * 400, "9" * 5000, "1j", "'a'", "'\\d'", "b'\\d'"),
    *("\x00", "\ud800", "٣", "𝐒𝐆𝐃", "\n", "\\", "#", "...", "await", "yield"),
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


def answers(read: Callable[[str], object], text: str) -> str:
    """Return the sentence that refuses a text, empty if it is read; nothing may be warned about meanwhile."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            read(text)
            refused = ""
        except BadInput as error:
            refused = str(error)
    assert not warned
    return refused


@settings(max_examples=150, deadline=None)
@given(TEXTS)
@example("0inf(")
@example("1if 1else 2")
@example("SGD(momentum='\\d')")
@example("SGD(momentum={**{}})")
@example("mini(**{})")
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for read in (optimizer_from, batches_from):
        assert len(answers(read, text)) < 400


@pytest.mark.parametrize("many", [50, 90, 500, 5_000, 100_000])
@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        ("", "-", "1"),
        ("", "(", "1"),
        ("", "[", "]"),
        ("", "not ", "1"),
        ("a", ".b", ""),
        ("a", "()", ""),
        ("1", "+1", ""),
        ("", "9", ""),
        ("0x", "f", ""),
        ("", "f'{", ""),
        ("", "lambda:", "1"),
    ],
)
def test_a_deeply_nested_or_endless_value_is_refused_in_words(
    before: str, repeated: str, after: str, many: int
) -> None:
    value = f"{before}{repeated * many}{after}"
    for read, text in (
        (optimizer_from, f"SGD(momentum={value})"),
        (optimizer_from, value),
        (batches_from, f"micro({value})"),
        (batches_from, value),
    ):
        refused = answers(read, text)
        assert refused or many < 500  # a short one may well be a number
        assert len(refused) < 400


@pytest.mark.parametrize(
    "value", [10**5000, (10**5000, 2), [[10**5000]], -(10**5000)], ids=["one", "pair", "nested", "negative"]
)
def test_a_number_of_any_length_can_be_named_in_a_message(value: object) -> None:
    assert len(shown(value)) < 50


def test_an_option_that_is_given_twice_is_refused() -> None:
    assert "momentum is given twice" in answers(optimizer_from, "SGD(momentum=0.9, momentum=0.5)")
    assert "size is given twice" in answers(batches_from, "micro(2, size=3)")
    assert "seed is given twice" in answers(batches_from, "mini(2, shuffle=True, seed=3, seed=4)")
