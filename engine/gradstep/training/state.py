"""All that a session is at one point of its history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gradstep.autograd.events import Accumulation, NodeEvent
from gradstep.autograd.trace import Trace
from gradstep.ledger.ledger import Ledger, PassPage
from gradstep.loop.batches import Split
from gradstep.loop.loop import Loop
from gradstep.loop.optimizers import Optimizer
from gradstep.loop.script_names import Spelling
from gradstep.tensors.memory import bytes_of, memory_of
from gradstep.training.loss_history import Losses
from gradstep.training.snapshots import OptimizerStep, Snapshot

AROUND = 2_000
"""Bytes that a state of a small problem takes beside its numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """A recorded backward pass, and how far it has been stepped through."""

    trace: Trace
    cursor: int
    """How many events are behind."""

    start: State
    """The state before the pass."""

    over: bool = False
    """Whether another statement has run since."""

    @property
    def finished(self) -> bool:
        """Whether every event is behind."""
        return self.cursor == len(self.trace)

    @property
    def page(self) -> PassPage:
        """Its page in the ledger, as far as it has come."""
        start, loop = self.start, self.start.loop
        share = None if loop.split is None else (loop.at.part + 1, loop.parts)
        return PassPage(start.written.passes + 1, start.epoch + 1, self.trace, self.cursor, share)

    def accumulated(self) -> dict[str, Accumulation]:
        """Give, for each parameter that the pass has written to by now, its last write."""
        return {
            event.accumulation.parameter: event.accumulation
            for event in self.trace.events[: self.cursor]
            if isinstance(event, NodeEvent) and event.accumulation and event.accumulation.parameter
        }


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A point of the history, immutable; states share what did not change between them."""

    trainer: Snapshot
    loop: Loop
    learning_rate: float
    epoch: int = 0
    """Epochs run to their end."""

    losses: Losses = field(default_factory=Losses)
    passing: Passing | None = None
    """The last recorded backward pass; None before the first, and after a new forward."""

    written: Ledger = field(default_factory=Ledger)
    """What was written to each `.grad`, without the pass that is under way."""

    recorded: bool = True
    """Whether `passing` tells of the last pass since the last forward; False where that was not recorded."""

    part_losses: Mapping[int, float] = field(default_factory=dict)
    """The losses of the parts that the epoch under way, or the last one, has computed by now; empty where
    the samples are not split."""

    last_step: OptimizerStep | None = None
    """The optimizer's step that has just run; None after any other statement, and for the update by hand."""

    @property
    def ledger(self) -> Ledger:
        """What was written to each `.grad` up to this point, also inside a pass."""
        under_way = self.passing if self.in_pass else None
        return self.written if under_way is None else self.written.with_page(under_way.page)

    @property
    def weight(self) -> int:
        """Give about how many bytes it takes, as if it shared nothing with other states."""
        trace = 0 if self.passing is None else self.passing.trace.weight
        return AROUND + trace + sum(bytes_of(one) for one in self.trainer.numbers())

    @property
    def in_pass(self) -> bool:
        """Whether a backward pass has been begun and not finished."""
        return self.passing is not None and not self.passing.finished

    @property
    def loss(self) -> float | None:
        """The last forward pass's loss; None before the first."""
        forward = self.trainer.forward
        return None if forward is None else forward.loss.item()

    @property
    def diverged(self) -> bool:
        """Whether that loss is inf or nan."""
        return self.loss is not None and not math.isfinite(self.loss)

    def rewound_to(self, start: State) -> State:
        """Give `start` with the loop, the optimizer and the learning rate of now: no part of training.

        An optimizer that `start` does not have remembers nothing there.
        """
        loop = replace(self.loop, at=start.loop.at)
        same = start.trainer.optimizer == loop.optimizer
        trainer = start.trainer if same else start.trainer.with_optimizer(loop.optimizer)
        return replace(start, trainer=trainer, loop=loop, learning_rate=self.learning_rate)

    def with_split(self, split: Split | None, spelling: Spelling) -> State:
        """Give the same with the samples split in another way; an epoch under way is left as it is.

        A pass then lies behind, for it belongs to that epoch.
        """
        return replace(
            self,
            loop=self.loop.with_split(split, spelling),
            passing=None if self.passing is None else replace(self.passing, over=True),
            part_losses={},
        )

    def with_optimizer(self, optimizer: Optimizer) -> State:
        """Give the same with an optimizer that has not updated anything yet.

        A pass then lies behind: stepping back in it would bring back what the last optimizer remembered.
        """
        return replace(
            self,
            trainer=self.trainer.with_optimizer(optimizer),
            loop=self.loop.with_optimizer(optimizer),
            passing=None if self.passing is None else replace(self.passing, over=True),
            last_step=None,
        )


def weight_together(states: Iterable[State]) -> int:
    """Give about how many bytes the numbers of some states take; what they share is counted once."""
    snapshots, traces = dict[int, Snapshot](), dict[int, Trace]()
    for state in states:
        snapshots[id(state.trainer)] = state.trainer
        if state.passing is not None:
            traces[id(state.passing.trace)] = state.passing.trace
    pieces = memory_of(one for snapshot in snapshots.values() for one in snapshot.numbers())
    for trace in traces.values():
        pieces |= trace.pieces
    return sum(pieces.values())
