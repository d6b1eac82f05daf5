"""The line of points that a recording leads through: forward passes, backward passes, steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from torch import Tensor

from gradstep.actions import Action, Backward, Forward, Update
from gradstep.ledger.ledger import Ledger, PassPage, ZeroPage
from gradstep.recordings.recording import PassRecord, Recording, RoundRecord, StepRecord
from gradstep.training.loss_history import Losses

NONE: Final[Mapping[str, Tensor]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class RecordedPoint:
    """One point of a recording, and everything that is known there."""

    number: int
    action: Action | None
    """What the program did on the way to the point; None for the first point."""

    record: PassRecord
    """The pass that comes next after a forward pass, and else the last one."""

    values: Mapping[str, Tensor]
    """Value of each leaf of the recording, by name."""

    grads: Mapping[str, Tensor | None]
    """`.grad` of each leaf."""

    rounds: int = 0
    """Rounds that have ended."""

    step: StepRecord | None = None
    """Step that led to the point; None if none did."""

    zeroed: bool = False
    """Whether a `.grad` became None or zeros on the way to the point."""

    losses: Losses = field(default_factory=Losses)
    """Loss of each round so far."""

    ledger: Ledger = field(default_factory=Ledger)
    """Every write to a `.grad` up to the point."""

    rate: float = math.nan
    """Learning rate of the latest step, or of the next one before the first; nan if none is known."""

    @property
    def ran(self) -> bool:
        """Whether the pass of the point has run."""
        return isinstance(self.action, Backward | Update)


def points_of(recording: Recording) -> tuple[RecordedPoint, ...]:
    """Return the points of a recording that has at least one pass.

    The first point is right before the first backward pass.
    """
    return tuple(_points(recording))


def _points(recording: Recording) -> Iterator[RecordedPoint]:
    at: RecordedPoint | None = None
    unknown = math.nan if recording.rate is None else recording.rate
    rates = (step.rate for one in recording.rounds for step in one.steps)
    rate = next((rate for rate in rates if rate is not None), unknown)
    for number, one in enumerate(recording.rounds):
        for place, record in enumerate(one.passes):
            at = _first(recording, record, rate) if at is None else _after_forward(at, record)
            at = replace(at, losses=_with_loss(at.losses, number, record))
            yield at
            ended = place + 1 == len(one.passes) and not one.steps
            at = _after_backward(at, number, ended=ended, share=_share(one, place))
            yield at
        for place, step in enumerate(one.steps):
            assert at is not None
            at = replace(
                at,
                number=at.number + 1,
                action=Update(),
                zeroed=False,
                step=step,
                values={**at.values, **step.values},
                grads={**at.grads, **step.grads},
                rounds=number + (place + 1 == len(one.steps)),
                rate=at.rate if step.rate is None else step.rate,
            )
            yield at


def _first(recording: Recording, record: PassRecord, rate: float) -> RecordedPoint:
    values: dict[str, Tensor] = {}
    grads: dict[str, Tensor | None] = {}
    for one in recording.rounds:
        for each in one.passes:
            for leaf in each.leaves:
                values.setdefault(leaf.name, leaf.value)
                grads.setdefault(leaf.name, leaf.grad_before)
    return RecordedPoint(0, None, record, values, grads, rate=rate)


def _after_forward(at: RecordedPoint, record: PassRecord) -> RecordedPoint:
    """Return the point before a later pass, with what was zeroed until then."""
    grads = {**at.grads, **{leaf.name: leaf.grad_before for leaf in record.leaves}}
    zeroed = {name: grad for name, grad in grads.items() if _is_zeroed(at.grads[name], grad)}
    ledger = at.ledger
    if zeroed:
        ledger = ledger.with_page(ZeroPage(at.grads, zeroed))
    return replace(
        at,
        number=at.number + 1,
        action=Forward(),
        record=record,
        step=None,
        values={**at.values, **{leaf.name: leaf.value for leaf in record.leaves}},
        grads=grads,
        zeroed=bool(zeroed),
        ledger=ledger,
    )


def _after_backward(
    at: RecordedPoint, number: int, *, ended: bool, share: tuple[int, int] | None
) -> RecordedPoint:
    record = at.record
    page = PassPage(at.ledger.passes + 1, number + 1, record.trace, len(record.trace), share)
    return replace(
        at,
        number=at.number + 1,
        action=Backward(),
        zeroed=False,
        grads={**at.grads, **{leaf.name: leaf.grad_after for leaf in record.leaves}},
        ledger=at.ledger.with_page(page),
        rounds=number + ended,
    )


def _with_loss(losses: Losses, number: int, record: PassRecord) -> Losses:
    """Return the losses with that of a round's pass; a later pass of the round replaces an earlier one."""
    earlier = Losses(losses.first(number), min(number, len(losses)))
    return earlier.with_loss(number, math.nan if record.loss is None else record.loss)


def _share(one: RoundRecord, place: int) -> tuple[int, int] | None:
    return None if len(one.passes) == 1 else (place + 1, len(one.passes))


def _is_zeroed(before: Tensor | None, after: Tensor | None) -> bool:
    """Return whether a `.grad` with numbers other than 0 has become None or zeros."""
    if before is None or before is after or before.is_meta:
        return before is not None and after is None
    return after is None or (not after.is_meta and bool(before.count_nonzero()) and not after.count_nonzero())
