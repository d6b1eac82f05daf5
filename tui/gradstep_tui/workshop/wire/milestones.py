"""Milestones: the things that a class is supposed to see, found in the states of a learner's session."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gradstep_tui.text.statements import zeroes

if TYPE_CHECKING:
    from gradstep.training.state import TrainingState


class Milestone(StrEnum):
    """Something that a learner has seen, in the order in which a class usually comes to it.

    The values are stored in the database.
    """

    NODES = "nodes"
    """A backward pass, stepped node by node."""

    ACCUMULATION = "accumulation"
    """A backward pass that added to gradients other than zero."""

    NO_ZEROING = "no_zeroing"
    """A loop whose zeroing is commented out."""

    DIVERGENCE = "divergence"
    """A loss that is no longer finite."""


def seen_in(state: TrainingState, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the milestones in `known` and those that a state shows."""
    found = set(known)
    passing = state.passing
    if passing is not None and not passing.over:
        if not passing.finished:
            found.add(Milestone.NODES)
        if Milestone.ACCUMULATION not in found and any(
            write.before is not None and bool(write.before.any()) for write in passing.accumulated().values()
        ):
            found.add(Milestone.ACCUMULATION)
    if zeroes(state.loop) is False:
        found.add(Milestone.NO_ZEROING)
    if state.diverged:
        found.add(Milestone.DIVERGENCE)
    return frozenset(found)
