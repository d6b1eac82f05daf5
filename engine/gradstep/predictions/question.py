"""A question about what comes next, as data that can be saved.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from gradstep.loop.run_actions import RunAction


class Asked(StrEnum):
    """What a question asks for."""

    VALUE = "value"
    """An element of a parameter, after the actions."""

    MOVE = "move"
    """How far the actions move an element of a parameter: after minus before."""

    GRAD = "grad"
    """An element of a parameter's `.grad`, after the actions; `None` if there is no `.grad`."""

    MEMORY = "memory"
    """An element of the optimizer's state for a parameter, after the actions."""

    GRADIENT = "gradient"
    """An element of a gradient that an event of the backward pass makes."""

    LOSS = "loss"
    """The loss, after the actions."""

    DIRECTION = "direction"
    """Whether the loss falls, rises or stays."""

    OUTCOME = "outcome"
    """Whether the actions run, or PyTorch raises an exception."""


class Choice(StrEnum):
    """An answer that is no number."""

    FALLS = "falls"
    RISES = "rises"
    STAYS = "stays"
    RUNS = "runs"
    RAISES = "raises"


CHOICES: Final[Mapping[Asked, tuple[Choice, ...]]] = {
    Asked.DIRECTION: (Choice.FALLS, Choice.RISES, Choice.STAYS),
    Asked.OUTCOME: (Choice.RUNS, Choice.RAISES),
}
"""Answers to a question that asks for no number."""


class Target(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked for: a number of the session, or a choice."""

    asked: Asked
    name: str = ""
    """Name of the parameter; empty if the question is about no parameter."""

    index: tuple[int, ...] = ()
    """Place of the element, counted from 0 along each dimension; empty for a tensor without dimensions."""

    part: str = ""
    """Part of the optimizer's state by PyTorch's name, e.g. `momentum_buffer`; empty for anything else."""

    event: int = 0
    """Number of the event in its backward pass, counted from 1; 0 if the question is about no event."""

    result: int = 0
    """Which of the gradients that the event makes, counted from 0."""


class Question(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked for, and what runs before it is looked at."""

    target: Target
    after: tuple[RunAction, ...]
    """Actions that run, in order; at least one."""
