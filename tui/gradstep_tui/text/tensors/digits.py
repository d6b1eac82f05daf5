"""Numbers of a column in as few digits as tell them apart, with their points below each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeGuard

DIGITS: Final = 6
"""Significant digits of the largest number of a column."""

MOST_DIGITS: Final = 12
"""Largest number of digits, for numbers that hardly differ."""

LEAST_SHOWN: Final = 2
"""Significant digits that a small number of a column has at least; else it is written by itself."""

SMALLEST: Final = 1e-4
LARGEST: Final = 1e9
"""Magnitudes between which a number is written without an exponent."""


def column_texts(numbers: Sequence[complex | bool | str | None], digits: int = DIGITS) -> list[str]:
    """Return numbers as text, with the same number of decimals as far as that tells what they are.

    Args:
        numbers: Numbers below each other; None is `None`, and a text stays as it is.
        digits: Significant digits of the largest number.
    """
    reals = [*filter(_is_finite, numbers)]
    size = max([abs(number) for number in reals], default=0.0)
    if size < LARGEST and all(number.is_integer() for number in reals):
        return [_whole(number) for number in numbers]
    places = _decimals(size, digits, digits)
    return _without_zeros([_real(number, places, digits) for number in numbers])


def number_text(number: complex | bool | str | None, digits: int = DIGITS) -> str:
    """Return one number as text."""
    return column_texts([number], digits)[0]


def telling_digits(pairs: Sequence[tuple[float, float]], least: int = DIGITS) -> int:
    """Return how many digits, at least `least`, tell the two numbers of each pair apart, if they differ."""
    for digits in range(least, MOST_DIGITS):
        if all(
            one == other or number_text(one, digits) != number_text(other, digits) for one, other in pairs
        ):
            return digits
    return MOST_DIGITS


def _is_finite(number: complex | bool | str | None) -> TypeGuard[float]:
    return type(number) is float and math.isfinite(number)


def _without_zeros(texts: list[str]) -> list[str]:
    """Return texts without the zeros that all of them have at their ends, after the point."""
    written = [text for text in texts if "." in text]
    if any("e" in text or "j" in text for text in written):
        return texts
    while written and all(text.endswith("0") and text[-2] != "." for text in written):
        written = [text[:-1] for text in written]
        texts = [text[:-1] if "." in text else text for text in texts]
    if written and all(text.endswith(".0") for text in written):
        return [text.removesuffix(".0") for text in texts]
    return texts


def _decimals(size: float, digits: int, most: int) -> int:
    """Return the decimals, at most `most`, that give a number of some magnitude its significant digits."""
    return 0 if not size else min(max(digits - 1 - math.floor(math.log10(size)), 0), most)


def _whole(number: complex | bool | str | None) -> str:
    return str(int(number)) if isinstance(number, float) and math.isfinite(number) else _other(number)


def _real(number: complex | bool | str | None, places: int, digits: int) -> str:
    if not isinstance(number, float) or not math.isfinite(number) or not number:
        return _whole(number) if number == 0 and isinstance(number, float) else _other(number)
    size = abs(number)
    if not SMALLEST <= size < LARGEST:
        return f"{number:.{max(digits - 3, 1)}e}"
    if size < 10 ** (LEAST_SHOWN - 1 - places):
        places = _decimals(size, LEAST_SHOWN, MOST_DIGITS)
    return f"{number:.{places}f}"


def _other(number: complex | bool | str | None) -> str:
    if isinstance(number, complex):
        return f"{number.real:.4g}{number.imag:+.4g}j"
    return str(number)
