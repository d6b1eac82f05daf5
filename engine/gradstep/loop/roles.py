"""Purposes of the statements of a learner's own loop, told apart by what they do when they run."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Purpose of a statement of a loop, by its effects; each value is a stable id."""

    BACKWARD = "backward"
    """A pass of autograd adds to a `.grad`."""

    UPDATE = "update"
    """The numbers of a parameter change."""

    ZERO = "zero"
    """A `.grad` becomes None or zero."""

    CLIP = "clip"
    """A `.grad` changes otherwise, without a pass."""

    LOSS = "loss"
    """The tensor is made that a later statement differentiates."""

    FORWARD = "forward"
    """A tensor with a graph is made, which is not the loss."""

    SCHEDULE = "schedule"
    """A setting of an optimizer changes, such as its learning rate."""

    EVALUATE = "evaluate"
    """A module is called without a graph."""

    MODE = "mode"
    """A module goes to training or evaluation mode."""

    DRAW = "draw"
    """Items or random numbers are drawn, or a tensor without a graph gets a name."""

    LOG = "log"
    """Something is printed, or a list grows."""

    OTHER = "other"
    """None of these is seen."""
