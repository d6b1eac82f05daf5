"""Frames of a learner's code that called what is watched."""

from __future__ import annotations

import os
from functools import cache
from types import FrameType
from typing import Final

import torch

from gradstep.learner_code.places import is_learners
from gradstep.oddities.watching.node_walk import Spot

_OPTIMIZERS: Final = os.path.join(os.path.dirname(torch.__file__), "optim") + os.sep
_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_DEEP: Final = 12
"""Frames of libraries that are searched for a `zero_grad`."""


@cache
def _is_learners(file: str) -> bool:
    return is_learners(file)


def spots_above(frame: FrameType | None) -> tuple[Spot, ...]:
    """Return the lines of the learner's files on the stack, innermost first, up to the loop."""
    found: list[Spot] = []
    while frame is not None:
        file = frame.f_code.co_filename
        if _is_learners(file):
            found.append((file, frame.f_lineno))
        elif found and file.startswith(_OURS):
            break
        frame = frame.f_back
    return tuple(found)


def spot_above(frame: FrameType | None) -> Spot | None:
    """Return the innermost line of a learner's file; None if there is none."""
    while frame is not None:
        if _is_learners(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def is_in_optimizer(frame: FrameType | None) -> bool:
    """Return whether PyTorch's optimizers, and no learner's code since, called what is watched."""
    while frame is not None and not _is_learners(frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith(_OPTIMIZERS):
            return True
        frame = frame.f_back
    return False


def is_below_optimizer(frame: FrameType | None) -> bool:
    """Return whether an optimizer's step called what is watched, perhaps by way of the learner's closure."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OPTIMIZERS) and frame.f_code.co_name == "step":
            return True
        frame = frame.f_back
    return False


def zeroing_object(frame: FrameType | None) -> object | None:
    """Return the object whose `zero_grad` called what is watched; None if none did."""
    for _ in range(_DEEP):
        if frame is None:
            return None
        if frame.f_code.co_name == "zero_grad":
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None
