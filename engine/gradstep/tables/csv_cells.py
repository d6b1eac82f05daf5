"""Reads the text of a cell as a number, as a date, or as nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MISSING: Final = frozenset(["", "?", "na", "n/a", "nan", "null"])
"""Texts, in lower case, of a cell that has no value."""

MISSING_NUMBERS: Final = MISSING | frozenset(["-", "--", ".", "#n/a", "nat", "none"])
"""Texts, in lower case, of a cell that has no number."""

SPACES: Final = ("\u00a0", "\u202f")
"""Spaces beside the usual one that group digits."""

FORMATS: Final = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m", "%Y/%m"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"),
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"),
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%y"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S"),
    *("%m/%d/%y", "%d/%m/%y", "%m-%d-%Y", "%d-%m-%Y", "%m-%d-%y", "%d-%m-%y"),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%b %Y"),
)
"""Formats of dates that are recognized."""


@dataclass(frozen=True, slots=True)
class Notation:
    """Signs with which numbers are written."""

    decimal: str = "."
    thousands: str | None = None

    def number(self, text: str) -> float | None:
        """Return the number that a text without surrounding spaces is; None if it is not one."""
        if self.thousands:
            for space in SPACES if self.thousands == " " else ():
                text = text.replace(space, " ")
            whole, point, rest = text.partition(self.decimal)
            sign = re.escape(self.thousands)
            if self.thousands in rest or not re.fullmatch(
                rf"[+-]?(\d*|\d{{1,3}}({sign}\d{{2,3}})*)\S*", whole
            ):
                return None
            if self.thousands in whole and not re.fullmatch(
                rf"[+-]?\d{{1,3}}({sign}\d{{2,3}})*{sign}\d{{3}}", whole
            ):
                return None
            text = whole.replace(self.thousands, "") + point + rest
        if self.decimal == ",":
            if "." in text:
                return None
            text = text.replace(",", ".", 1)
        try:
            return None if "_" in text or not text.isascii() else float(text)
        except ValueError:
            return None


def is_missing(text: str, *, number: bool) -> bool:
    """Return whether a cell lacks a value; if `number`, a number is expected in it."""
    return text.casefold() in (MISSING_NUMBERS if number else MISSING)


def moment(text: str, form: str) -> datetime | None:
    """Return the date in a text, or None if it does not have the form."""
    try:
        return datetime.strptime(text, form).replace(tzinfo=None)
    except (ValueError, re.error):
        return None


def formats_of(texts: Sequence[str]) -> list[str]:
    """Return the known formats that all of these dates have; none if there are no texts."""
    if not texts or not any(map(str.isdigit, texts[0])):
        return []
    fitting = [form for form in FORMATS if moment(texts[0], form) is not None]
    return [form for form in fitting if all(moment(text, form) is not None for text in texts)]


def ambiguous(formats: Sequence[str], texts: Iterable[str]) -> bool:
    """Return whether the formats give different dates for some of the texts."""
    return any(len({moment(text, form) for form in formats}) > 1 for text in texts)
