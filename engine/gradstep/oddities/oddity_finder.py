"""Finds what is odd about a captured loop by running a few of its rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.loop.roles import Role
from gradstep.oddities.coverage import LONG, Coverage
from gradstep.oddities.kept_graphs import KeptGraphs
from gradstep.oddities.loss_shapes import loss_oddities, unit_oddities
from gradstep.oddities.oddity import Oddity, Oddness
from gradstep.oddities.rate_scale import RISES, losses_of, rate_oddities
from gradstep.oddities.update_order import UpdateOrder
from gradstep.oddities.watching.diary import Diary
from gradstep.oddities.watching.round_watch import RoundWatch

PATIENCE: Final = 3.0
"""Seconds for rounds beyond those that were asked for."""

_EXPLAIN: Final = frozenset({Oddness.CUT, Oddness.STEPS_BEFORE_BACKWARD})
"""Oddities that explain why a round raises an exception."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A few rounds of a loop, looked at."""

    oddities: tuple[Oddity, ...]
    """Mistakes first, then notes."""

    rounds: int
    """Rounds that ran to their end."""

    first_losses: tuple[float, ...]
    """Numbers that the first pass of the loop differentiates."""

    roles: Mapping[int, frozenset[Role]]
    """What each statement was seen to do in the first two rounds, by its index; empty if not looked for."""


def find_oddities(
    loop: CapturedLoop, rounds: int = 3, stopped: Callable[[], bool] = lambda: False
) -> tuple[Oddity, ...]:
    """Run a few rounds of a loop, and return what is odd about it; for all else see `inspect_loop`."""
    return inspect_loop(loop, rounds, stopped, finds_roles=False).oddities


def inspect_loop(
    loop: CapturedLoop,
    rounds: int = 3,
    stopped: Callable[[], bool] = lambda: False,
    *,
    finds_roles: bool = True,
) -> Inspection:
    """Run a few rounds of a loop, and return what was seen.

    The loop stands at the begin of a round, and goes on: it is for the caller to take the rounds back. More
    rounds run if the first ones update nothing, or if their loss rises. An exception of the learner's code is
    an oddity itself.

    Args:
        loop: The loop.
        rounds: How many rounds run; fewer if the loop is over before.
        stopped: Called before each round; return True to run no more.
        finds_roles: Whether to find the roles of statements, for which tensors are copied.

    Raises:
        Interrupted: the learner stopped the round.
    """
    if loop.over:
        return Inspection((), 0, (), {})
    watch = RoundWatch(loop, finds_roles=finds_roles)
    with watch.hooks():
        extra = None
        while not stopped() and watch.run():
            if watch.diary.complete >= rounds:
                extra = extra or time.monotonic()
                if not _wants_more(watch.diary) or time.monotonic() - extra > PATIENCE:
                    break
        watch.finish()
    diary = watch.diary
    found = list(_all(diary)) if diary.rounds else []
    oddities = tuple(sorted(dict.fromkeys(found), key=lambda oddity: oddity.is_note))
    first = next(diary.passes, None)
    return Inspection(oddities, diary.complete, () if first is None else first.losses, watch.roles)


def _wants_more(diary: Diary) -> bool:
    losses = losses_of(diary)
    if len(losses) > 1 and min(losses[1:]) > losses[0] and len(losses) <= RISES:
        return True
    updated = {update.round for update in diary.updates}
    return len(updated) < 2 and not diary.changed and diary.complete < LONG


def _all(diary: Diary) -> Iterator[Oddity]:
    order, kept = UpdateOrder(diary), KeptGraphs(diary)
    graphs = list(kept.oddities())
    found = [
        *order.oddities(),
        *graphs,
        *Coverage(diary, frozenset(kept.explained)).oddities(),
        *loss_oddities(diary),
        *unit_oddities(diary),
    ]
    yield from found
    if diary.error is not None:
        if not kept.explains_error and not any(oddity.kind in _EXPLAIN for oddity in found):
            number, _ = diary.failed_in
            yield Oddity(Oddness.RAISES, diary.error_place, count=number, error=diary.error)
    elif not order.piles_up:
        yield from rate_oddities(diary)
