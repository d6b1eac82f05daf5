"""The outcome of a gradient check, in a word; importing it does not import torch."""

from __future__ import annotations

from enum import StrEnum


class Judgement(StrEnum):
    """What an element's error says."""

    NORMAL = "normal"
    SUSPICIOUS = "suspicious"
    UNKNOWN = "unknown"
    """A loss on the way is inf or nan: there is nothing to compare with."""
