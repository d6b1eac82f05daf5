"""What a learner chose about a CSV file. Importing it does not import torch."""

from __future__ import annotations

from msgspec import Struct


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns of a CSV file are predicted, and how the others go in."""

    targets: tuple[str, ...]
    """The names of the columns that are predicted; all others are inputs."""

    standardize: bool = False
    """Whether each input column is brought to zero mean and unit standard deviation."""
