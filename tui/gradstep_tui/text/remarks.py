"""Remarks: what a screen or a conversation says of the last action, each with its sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sense(StrEnum):
    """Sense of a remark: what it means for the reader; the value is a stable id."""

    SUCCESS = "success"
    """What was asked for is done."""

    HINT = "hint"
    """Something to know or to do; nothing is wrong."""

    WARNING = "warning"
    """The action worked, and its outcome is probably unwanted."""

    ERROR = "error"
    """The action did not work."""


WORDS: Final[Mapping[Sense, str]] = {
    Sense.SUCCESS: "done",
    Sense.HINT: "hint",
    Sense.WARNING: "warning",
    Sense.ERROR: "error",
}
"""Word before a remark of each sense, so that senses differ without colours as well."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A text and its sense; false if there is no text."""

    sense: Sense
    text: str
    """What to do and what happened, the remedy first; an exception's own words come last."""

    def __bool__(self) -> bool:
        """Return whether there is a text."""
        return bool(self.text)

    def __str__(self) -> str:
        """Return the text after the word for its sense; empty if there is no text."""
        return f"{WORDS[self.sense]}: {self.text}" if self.text else ""

    def also(self, other: Remark) -> Remark:
        """Return one remark with both texts, this one's first, in the graver sense of the two."""
        if not (self and other):
            return self or other
        return Remark(max(self.sense, other.sense, key=GRAVITY.index), f"{self.text}; {other.text}")


GRAVITY: Final = (Sense.SUCCESS, Sense.HINT, Sense.WARNING, Sense.ERROR)
"""Senses, the gravest last."""

NOTHING: Final = Remark(Sense.HINT, "")
"""The remark without a text."""


def success(text: str) -> Remark:
    """Return a remark that something is done."""
    return Remark(Sense.SUCCESS, text)


def hint(text: str) -> Remark:
    """Return a remark on something to know or to do."""
    return Remark(Sense.HINT, text)


def warning(text: str) -> Remark:
    """Return a remark on an outcome that is probably unwanted."""
    return Remark(Sense.WARNING, text)


def failure(text: str) -> Remark:
    """Return a remark on something that did not work."""
    return Remark(Sense.ERROR, text)
