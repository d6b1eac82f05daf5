"""State of a session at one point of its history."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, takewhile

from torch import Tensor

from gradstep.autograd.events import Accumulation
from gradstep.autograd.trace import Trace
from gradstep.ledger.ledger import Ledger, PassPage
from gradstep.loop.batches import Split
from gradstep.loop.loop import Loop
from gradstep.loop.optimizers import Optimizer
from gradstep.loop.script_loop import ScriptLoop
from gradstep.loop.script_names import Spelling
from gradstep.predictions.exercise import Prediction
from gradstep.tensors.memory import bytes_of, memory_of
from gradstep.training.loss_history import Losses
from gradstep.training.snapshots import LastEpochs, LastStatement, Snapshot, VariableValue

AROUND = 2_000
"""Bytes that a state takes in memory besides its tensors."""


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """A recorded backward pass, and the position in it."""

    trace: Trace
    cursor: int
    """Number of events before the position."""

    start: TrainingState
    """State before the pass."""

    over: bool = False
    """Whether another statement has run after the pass."""

    later: tuple[Trace, ...] = ()
    """Passes that the same statement ran after this one, as a closure does; they are stepped next."""

    earlier: tuple[Trace, ...] = ()
    """Passes of the same statement that were stepped through before this one."""

    @property
    def traces(self) -> tuple[Trace, ...]:
        """All passes that the statement ran."""
        return (*self.earlier, self.trace, *self.later)

    def at(self, number: int, cursor: int) -> Passing:
        """Return the position after `cursor` events of a pass of the statement, counted from 0."""
        traces = self.traces
        return replace(
            self,
            trace=traces[number],
            cursor=cursor,
            earlier=traces[:number],
            later=traces[number + 1 :],
        )

    @property
    def at_end(self) -> Passing:
        """The position after the last event of the last pass."""
        traces = self.traces
        return self.at(len(traces) - 1, len(traces[-1]))

    @property
    def finished(self) -> bool:
        """Whether the position is after the last event of the last pass."""
        return self.cursor == len(self.trace) and not self.later

    @property
    def page(self) -> PassPage:
        """The pass's page in the ledger, up to the position."""
        start, loop = self.start, self.start.loop
        share = (loop.at.part + 1, loop.parts) if isinstance(loop, Loop) and loop.split is not None else None
        number = start.written.passes + 1 + len(self.earlier)
        return PassPage(number, start.epoch + 1, self.trace, self.cursor, share)

    def accumulated(self) -> dict[str, Accumulation]:
        """Return the last write to each `.grad` among the events done so far, by the parameter's name."""
        passes = (write for trace in self.earlier for _, write in trace.writes)
        return {write.parameter: write for write in chain(passes, self._writes()) if write.parameter}

    @property
    def written_last(self) -> str | None:
        """Parameter whose `.grad` was written last among the events done so far; None if none was."""
        last = deque(self._writes(), maxlen=1)
        return last[0].parameter if last else None

    def _writes(self) -> Iterator[Accumulation]:
        before = takewhile(lambda write: write[0] < self.cursor, self.trace.writes)
        return (write for _, write in before)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """An immutable point of a history; states share whatever did not change between them."""

    trainer: Snapshot
    loop: Loop | ScriptLoop
    learning_rate: float
    epoch: int = 0
    """Number of completed epochs."""

    losses: Losses = field(default_factory=Losses)
    passing: Passing | None = None
    """Last recorded backward pass; None before the first, and after a new forward pass."""

    written: Ledger = field(default_factory=Ledger)
    """Ledger of the writes to each `.grad`, without the pass that is under way."""

    recorded: bool = True
    """Whether the last backward pass, if there was one since the last forward pass, was recorded."""

    part_losses: Mapping[int, float] = field(default_factory=dict)
    """Losses of the parts of the current or last epoch so far, by number from 0; empty if the samples are not
    split."""

    last: LastStatement | LastEpochs | None = None
    """What has just run; None before anything ran, inside a pass, and after PyTorch raised an error."""

    variables: Mapping[str, VariableValue] = field(default_factory=dict)
    """Variables of a script's own loop that the round under way, or the last one, assigned or used."""

    answered: Prediction | None = None
    """The prediction that was answered last on the way here; None if none was."""

    @property
    def ledger(self) -> Ledger:
        """Ledger of the writes to each `.grad` up to this point, including a pass under way."""
        if self.passing is None or not self.in_pass:
            return self.written
        written, passing = self.passing.start.written, self.passing
        for number, trace in enumerate(passing.earlier):
            written = written.with_page(passing.at(number, len(trace)).page)
        return written.with_page(passing.page)

    @property
    def weight(self) -> int:
        """Approximate size in bytes, including what is shared with other states."""
        trace = 0 if self.passing is None else self.passing.trace.weight
        kept = {id(tensor): tensor for snapshot in self.snapshots for tensor in snapshot.numbers()}
        values = (variable.value for variable in self.variables.values())
        kept |= {id(value): value for value in values if isinstance(value, Tensor)}
        return AROUND + trace + sum(map(bytes_of, kept.values()))

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Snapshots that the state holds: its own, and that from before what has just run."""
        return (self.trainer,) if self.last is None else (self.trainer, self.last.before)

    @property
    def ended_pass(self) -> Passing | None:
        """Last recorded pass, as it is once another statement has run; None if there is none."""
        return None if self.passing is None else replace(self.passing, over=True)

    @property
    def in_pass(self) -> bool:
        """Whether a backward pass is under way."""
        return self.passing is not None and not self.passing.finished

    @property
    def loss(self) -> float | None:
        """Loss of the last forward pass; None before the first."""
        forward = self.trainer.forward
        return None if forward is None else forward.loss.item()

    @property
    def diverged(self) -> bool:
        """Whether the last forward pass's loss is inf or nan."""
        return self.loss is not None and not math.isfinite(self.loss)


@dataclass(frozen=True, slots=True, eq=False)
class State(TrainingState):
    """A point of the history of a session on the built-in loop."""

    loop: Loop

    def rewound_to(self, start: State) -> State:
        """Return `start` with this state's loop, optimizer and learning rate, which are not part of training.

        An optimizer that `start` does not have is a new one there.
        """
        loop = replace(self.loop, at=start.loop.at)
        same = start.trainer.optimizer == loop.optimizer
        trainer = start.trainer if same else start.trainer.with_optimizer(loop.optimizer)
        return replace(start, trainer=trainer, loop=loop, learning_rate=self.learning_rate)

    def with_split(self, split: Split | None, spelling: Spelling) -> State:
        """Return this state with the samples split in another way; an epoch under way is abandoned.

        A recorded pass can no longer be stepped through, because it belongs to that epoch.
        """
        return replace(
            self,
            loop=self.loop.with_split(split, spelling),
            passing=self.ended_pass,
            part_losses={},
        )

    def with_optimizer(self, optimizer: Optimizer) -> State:
        """Return this state with a new optimizer.

        A recorded pass can no longer be stepped through: going back would restore the last optimizer's state.
        """
        return replace(
            self,
            trainer=self.trainer.with_optimizer(optimizer),
            loop=self.loop.with_optimizer(optimizer),
            passing=self.ended_pass,
            last=None,
        )


def weight_together(states: Iterable[TrainingState]) -> int:
    """Return the approximate size in bytes of the tensors of several states; shared tensors count once."""
    snapshots, traces = dict[int, Snapshot](), dict[int, Trace]()
    for state in states:
        snapshots.update((id(snapshot), snapshot) for snapshot in state.snapshots)
        if state.passing is not None:
            traces[id(state.passing.trace)] = state.passing.trace
    pieces = memory_of(tensor for snapshot in snapshots.values() for tensor in snapshot.numbers())
    for trace in traces.values():
        pieces |= trace.pieces
    return sum(pieces.values())
