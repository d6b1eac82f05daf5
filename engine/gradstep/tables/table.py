"""Choices of a learner about a CSV file. Importing this module does not import torch."""

from __future__ import annotations

from msgspec import Struct


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of a CSV file that are predicted, and the treatment of the other columns, the inputs."""

    targets: tuple[str, ...]
    """Names of the columns that are predicted; all other columns are inputs."""

    standardize: bool = False
    """Whether each input column is scaled to zero mean and unit standard deviation."""
