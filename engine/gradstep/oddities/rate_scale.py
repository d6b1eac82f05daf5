"""A learning rate outside of the scale in which the loss can fall, measured in the first rounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import torch
from torch.optim import SGD, Optimizer

from gradstep.oddities.loss_shapes import same_data
from gradstep.oddities.oddity import Oddity, Oddness
from gradstep.oddities.watching.diary import Diary, Move, SeenPass, SeenStep, place

RISES: Final = 4
"""Rounds in a row in which the loss has to rise."""

TINY: Final = 1e-5
"""Part of the loss, and of the parameters, that a step has to change at least."""

MATTERS: Final = 1e-2
"""How strongly a loss has to depend on its parameters before small steps are blamed on the rate."""

_ANY, _SAME, _PLAIN = 100.0, 10.0, 1.2
"""Factors by which a loss has to rise: with changing batches, on the same data, and with plain descent on it
in every round."""


def losses_of(diary: Diary) -> list[float]:
    """Return the losses of the rounds, if each round has one pass over one loss; else none."""
    passes = list(diary.passes)
    if len({seen.round for seen in passes}) != len(passes) or any(len(seen.losses) != 1 for seen in passes):
        return []
    return [seen.losses[0] for seen in passes]


def is_rising(losses: list[float]) -> bool:
    """Return whether all losses are finite, and each is larger than the one before."""
    return all(map(math.isfinite, losses)) and all(a < b for a, b in pairwise(losses))


def rate_oddities(diary: Diary) -> Iterator[Oddity]:
    """Yield what is odd about the learning rate."""
    losses, passes = losses_of(diary), list(diary.passes)
    if not losses or not passes:
        return
    if not math.isfinite(losses[0]):
        yield Oddity(Oddness.LOSS_NOT_FINITE, place(_spot(passes[0])), numbers=(losses[0],))
        return
    update = next(diary.updates, None)
    if update is None:
        return
    where = place(update.spot)
    optimizer = update.optimizer if isinstance(update, SeenStep) else None
    rate = _rate(optimizer, diary.moves)
    if _is_too_large(diary, losses, optimizer):
        last = next((loss for loss in losses if not math.isfinite(loss)), losses[-1])
        yield Oddity(
            Oddness.RATE_TOO_LARGE,
            where,
            numbers=(losses[0], last),
            count=losses.index(last) if math.isfinite(last) else _first_not_finite(losses),
            rate=rate,
            limit=_limit(diary, losses, rate),
        )
    elif (small := _too_small(diary)) is not None:
        yield Oddity(Oddness.RATE_TOO_SMALL, where, numbers=small, rate=rate)


def _is_too_large(diary: Diary, losses: list[float], optimizer: Optimizer | None) -> bool:
    if not all(map(math.isfinite, losses)):
        return True
    if len(losses) <= RISES or losses[0] <= 0:
        return False
    is_same = same_data(diary) and _is_repeatable(diary)
    if min(losses[1 : RISES + 1]) > losses[0] * (_SAME if is_same else _ANY):
        return True
    rise = losses[RISES] / losses[0]
    return is_same and _is_plain(optimizer) and is_rising(losses[: RISES + 1]) and rise > _PLAIN


def _too_small(diary: Diary) -> tuple[float, float] | None:
    """Return by which part a step changes the loss and the parameters, if both are next to nothing."""
    if diary.rounds[-1].names.has_scheduler or len(diary.moves) < 2:
        return None
    parts = []
    for move in diary.moves[:2]:
        size = max(move.size, 0.1 * math.sqrt(move.count))
        if not move.loss or not math.isfinite(move.loss) or not math.isfinite(move.along):
            return None
        if move.gradient * size / abs(move.loss) < MATTERS:
            return None
        parts.append((abs(move.along / move.loss), move.change / size))
    found = max(part[0] for part in parts), max(part[1] for part in parts)
    return found if max(found) < TINY else None


def _limit(diary: Diary, losses: list[float], rate: float | None) -> float | None:
    """Return the rate at which the loss would stay as it is along the first step, by its curvature there."""
    if not diary.moves or rate is None or len(losses) < 2 or not same_data(diary):
        return None
    move = diary.moves[0]
    bend = losses[1] - losses[0] - move.along
    if not math.isfinite(bend) or bend <= 0 or move.along >= 0:
        return None
    return rate * -move.along / bend


def _rate(optimizer: Optimizer | None, moves: list[Move]) -> float | None:
    if optimizer is not None:
        rates = {float(group["lr"]) for group in optimizer.param_groups if "lr" in group}
        return rates.pop() if len(rates) == 1 else None
    if not moves or not moves[0].gradient or not math.isfinite(moves[0].along):
        return None
    return -moves[0].along / moves[0].gradient ** 2


def _is_plain(optimizer: Optimizer | None) -> bool:
    return optimizer is None or (
        type(optimizer) is SGD and all(not group.get("momentum") for group in optimizer.param_groups)
    )


def _is_repeatable(diary: Diary) -> bool:
    """Return whether the rounds drew no random numbers of PyTorch's, e.g. for dropout."""
    states = [start.randoms for start in diary.rounds]
    return all(torch.equal(states[0], state) for state in states[1:])


def _first_not_finite(losses: list[float]) -> int:
    return next(number for number, loss in enumerate(losses) if not math.isfinite(loss))


def _spot(seen: SeenPass) -> tuple[str, int] | None:
    return seen.spots[0] if seen.spots else None
