"""What is pasted is cut, marked, and never taken for keys."""

from __future__ import annotations

import random

import pytest

from gradstep_tui.terminal.pastes import BEGIN, END, GIVEN_UP, KEPT, SAME_PASTE, UNTYPED, PasteShortener

NEAR = 0.001


class Clock:
    """A clock that goes on by itself, a little with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += NEAR
        return self.now


def shortened(*reads: str) -> str:
    pastes = PasteShortener(Clock())
    return "".join(pastes.shorten(read) for read in reads)


@pytest.mark.parametrize(
    "keys", ["f", "12\x7f3\r", "\x1b", "\x1b[A\x1b[20~\x1b[2~", "ö漢", "\x1b[<0;1;1M" * 99]
)
def test_keys_are_passed_on_as_they_are(keys: str) -> None:
    assert shortened(keys) == keys
    assert shortened(*keys) == keys


@pytest.mark.parametrize("text", ["", "one line", "two\nlines\t1", "x" * KEPT])
def test_a_paste_is_passed_on_when_it_ends_wherever_it_is_cut(text: str) -> None:
    pasted = f"f{BEGIN}{text}{END}s"
    for cut in {*range(10), *range(len(pasted) - 10, len(pasted))} & {*range(len(pasted))}:
        assert shortened(pasted[:cut], pasted[cut:]) == pasted
    assert shortened(*pasted) == pasted


def test_a_megabyte_is_cut() -> None:
    assert shortened(BEGIN, *["x" * 4096] * 250, END, "f") == f"{BEGIN}{'x' * KEPT}{END}f"
    assert shortened(*["x" * 4096] * 250, "\x03") == f"{BEGIN}{'x' * KEPT}{END}\x03"


def test_control_characters_are_left_out_of_pasted_text() -> None:
    assert shortened(f"{BEGIN}a\x1b[Ab\x03\x07\n{END}") == f"{BEGIN}a[Ab\n{END}"


def test_what_nobody_types_at_once_is_a_paste() -> None:
    assert shortened("f" * (UNTYPED - 1)) == "f" * (UNTYPED - 1)
    assert shortened("f" * UNTYPED, "fff", "\x1b[A") == f"{BEGIN}{'f' * UNTYPED}{END}{BEGIN}fff{END}\x1b[A"


def test_the_keys_after_a_paste_without_marks_are_keys_again() -> None:
    clock = Clock()
    pastes = PasteShortener(clock)
    pastes.shorten("f" * UNTYPED)
    clock.now += SAME_PASTE
    assert pastes.shorten("s") == "s"


@pytest.mark.parametrize("key", ["\x03", "\x1b"])
def test_a_paste_that_never_ends_is_ended_by_escape_or_ctrl_c(key: str) -> None:
    assert shortened(f"{BEGIN}fs", key, "q") == f"{BEGIN}fs{END}{key}q"


def test_a_paste_that_never_ends_is_ended_by_a_key_after_a_while() -> None:
    clock = Clock()
    pastes = PasteShortener(clock)
    assert pastes.shorten(f"{BEGIN}fs") == BEGIN
    clock.now += GIVEN_UP
    assert pastes.shorten("f") == f"fs{END}f"


def test_random_input_cut_anywhere_opens_and_ends_the_same_pastes() -> None:
    draw = random.Random(3)
    parts = [BEGIN, END, "f", "\x1b", "\x1b[", "\x1b[20", "漢", "x" * 300, "\x1b[A", "\r", "\x03s"]
    for _ in range(300):
        text = "".join(draw.choices(parts, k=20)) + END
        pastes = PasteShortener(Clock())
        passed = ""
        while text:
            cut = draw.randrange(1, 400)
            passed, text = passed + pastes.shorten(text[:cut]), text[cut:]
        assert passed.count(BEGIN) <= passed.count(END)
