"""Begins of rounds that a captured loop can be taken back to."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from gradstep.capture.draws import ItemsPlace, Positions
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.process_view import MAIN
from gradstep.capture.rounds.keepsake import Keepsake
from gradstep.captured_output import Printed


@dataclass(frozen=True, slots=True, eq=False)
class LoopMoment:
    """Begin of a round, with all that is needed to go back to it."""

    keepsake: Keepsake
    counts: Mapping[int, int]
    begun: int
    drawn: Positions
    places: Mapping[int, ItemsPlace | None]
    printed: tuple[int, tuple[str, ...]]
    handed: int
    hooks: Hooks = field(repr=False)

    @property
    def copies(self) -> Sequence[Tensor]:
        """Copies of tensors that are kept by value."""
        return self.keepsake.copies


def moment_of(hooks: Hooks, printed: Printed, copies: Mapping[int, Tensor]) -> LoopMoment:
    """Return the present moment of a script that is parked at the begin of a round; share existing copies."""
    spaces = [vars(sys.modules[name]) for name in hooks.own_modules if name in sys.modules and name != MAIN]
    return LoopMoment(
        keepsake=Keepsake(hooks.loop.scopes, hooks.own_modules, spaces, keeps_trained=True, copies=copies),
        counts=dict(hooks.loop.counts),
        begun=hooks.loop.begun,
        drawn=hooks.draws.positions(),
        places={number: hooks.draws.place(number) for number in hooks.loop.chain},
        printed=printed.mark(),
        handed=hooks.handings.count,
        hooks=hooks,
    )


def can_return_to(moment: LoopMoment, hooks: Hooks) -> bool:
    """Return whether nothing since a moment is out of reach, such as items that were forgotten."""
    if moment.hooks is not hooks or hooks.handings.since(moment.handed):
        return False
    draws_all = all(
        place is not None or not hooks.loop.draws_items(number) for number, place in moment.places.items()
    )
    return draws_all and hooks.draws.can_go_back(moment.drawn)


def return_to(moment: LoopMoment, hooks: Hooks, printed: Printed) -> list[str]:
    """Put a script that is parked at the begin of a round back to a moment.

    Returns:
        Names of what could not be put back.
    """
    hooks.loop.counts.clear()
    hooks.loop.counts.update(moment.counts)
    hooks.loop.begun = moment.begun
    hooks.draws.go_back(moment.drawn)
    for number, place in moment.places.items():
        if place is not None:
            hooks.draws.put_back(number, place)
    lost = moment.keepsake.put_back(hooks.loop.scopes)
    printed.back_to(moment.printed)
    return lost
