"""What a class is to have seen, found in the states of a learner's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.loop.loop import Kind

if TYPE_CHECKING:
    from gradstep.training.state import State

NODES, ACCUMULATION, NO_ZEROING, DIVERGED = "single nodes", "accumulation", "zeroing off", "divergence"

ALL: Final = (NODES, ACCUMULATION, NO_ZEROING, DIVERGED)
"""In the order in which a class usually comes to them."""


def seen_in(state: State, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Give what was known to have been seen, and what a state shows."""
    found = set(known)
    passing = state.passing
    if passing is not None and not passing.over:
        if not passing.finished:
            found.add(NODES)
        if ACCUMULATION not in found and any(
            one.before is not None and bool(one.before.any()) for one in passing.accumulated().values()
        ):
            found.add(ACCUMULATION)
    if not state.loop.is_enabled(Kind.ZERO):
        found.add(NO_ZEROING)
    if state.diverged:
        found.add(DIVERGED)
    return frozenset(found)
