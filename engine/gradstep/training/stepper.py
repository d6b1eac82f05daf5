"""Execution of the loop's statements, whole or node by node, and the state that results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile

from gradstep.errors import BadInput, EngineError
from gradstep.ledger.ledger import Page, RunPage, ZeroPage
from gradstep.loop.loop import Kind, Loop
from gradstep.training.batch_indices import Feed
from gradstep.training.loss_history import Losses
from gradstep.training.machine import Machine
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.snapshots import Batch, LastStatement, Snapshot
from gradstep.training.state import Passing, State
from gradstep.training.trainer import Trainer


class Statements(Machine[Trainer, State]):
    """Runs the statements of the built-in loop."""

    @property
    def is_steady(self) -> bool:
        """Whether the model came to the same loss again, as far as is known."""
        return not self.trainer.steady.broken

    def put_back_after_interruption(self, state: State) -> None:
        """Return to a state and run nothing of the learner's, as it may never end."""
        self.state = state
        self.trainer.restore_without_graph(state.trainer)

    def next_line(self) -> None:
        """Run the loop's next statement; inside a pass, the rest of the pass."""
        kind = Kind.BACKWARD if self.state.in_pass else self.state.loop.next
        if kind is not None:
            self.run(kind)

    def run(self, kind: Kind) -> None:
        """Run a statement of the loop.

        Raises:
            EngineError: PyTorch refused the statement; what it had changed by then stays changed.
        """
        match kind:
            case Kind.FORWARD:
                self.trainer.forward(self._batch())
                self._advance(kind, None)
            case Kind.BACKWARD if self.recording or self.state.in_pass:
                self._finish(self._pass_under_way() or self._begun_pass())
            case Kind.BACKWARD:
                with self._keeping_what_pytorch_left(kind):
                    self.trainer.backward_unrecorded()
                self._advance(kind, None, RunPage(0, 1, self.grads()))
                self.state = replace(self.state, recorded=False)
            case Kind.UPDATE:
                self._settle_trace()
                with self._keeping_what_pytorch_left(kind):
                    self.trainer.update(self.state.learning_rate)
                self._advance(kind, self.state.ended_pass)
            case Kind.ZERO:
                grads = self.grads()
                with self._keeping_what_pytorch_left(kind):
                    self.trainer.zero(set_to_none=self.state.loop.set_to_none)
                self._advance(kind, self.state.ended_pass, ZeroPage(grads, self.grads()))

    @property
    def feed(self) -> Feed | None:
        """Parts of the samples; None if the samples are not split."""
        loop = self.state.loop
        return None if loop.split is None else Feed(loop.split, loop.lines(Kind.FORWARD))

    def _batch(self) -> Batch | None:
        """Return the part of the samples for a forward pass that runs now; None for all samples."""
        feed, state = self.feed, self.state
        if feed is None:
            return None
        loop, ended = state.loop.ran(Kind.FORWARD)
        return feed.batch(state.epoch + ended - int(loop.complete), loop.at.part)

    def step_node(self) -> None:
        """Go one event forward in the backward pass; begin a pass if none is under way.

        Raises:
            EngineError: PyTorch refused the pass; what it had changed by then stays changed.
        """
        passing = self._pass_under_way() or self._begun_pass()
        if passing.cursor + 1 == len(passing.trace):
            self._finish(passing)
        else:
            self._stand_at(passing, passing.cursor + 1)

    def step_to(self, event: int) -> None:
        """Go forward to an event of the backward pass; begin a pass if none is under way.

        Raises:
            BadInput: the pass has no such event after its position; nothing has changed.
            EngineError: PyTorch refused the pass; what it had changed by then stays changed.
        """
        before = self.state
        passing = self._pass_under_way() or self._begun_pass()
        if event not in range(passing.cursor + 1, len(passing.trace) + 1):
            self.trainer.restore(before.trainer)
            raise BadInput(
                f"there is no event {event!r} ahead in this pass: {passing.cursor} of its "
                f"{len(passing.trace)} are behind"
            )
        if event == len(passing.trace):
            self._finish(passing)
        else:
            self._stand_at(passing, event)

    def step_node_back(self) -> None:
        """Go one event back in the pass, finished or not; from its first event, to the state before."""
        passing = self.state.passing
        if passing is None:
            return
        assert isinstance(passing.start, State)
        start = self.state.rewound_to(passing.start)
        if passing.cursor > 1:
            inside = replace(passing, cursor=passing.cursor - 1)
            self.state = replace(start, trainer=self.state.trainer, passing=inside, last=None)
        else:
            self.return_to(start)

    def _pass_under_way(self) -> Passing | None:
        return self.state.passing if self.state.in_pass else None

    def _begun_pass(self) -> Passing:
        with self._keeping_what_pytorch_left(Kind.BACKWARD):
            return Passing(self.trainer.backward(), 0, self.state)

    def _finish(self, passing: Passing) -> None:
        passing = replace(passing, cursor=len(passing.trace))
        self._advance(Kind.BACKWARD, passing, passing.page)

    def _stand_at(self, passing: Passing, event: int) -> None:
        inside = replace(passing, cursor=event)
        self.state = replace(self.state, trainer=self.trainer.snapshot(), passing=inside, last=None)

    def ran_unrecorded(
        self,
        epochs: int,
        losses: Losses,
        begun: Sequence[Kind] = (),
        part_losses: Mapping[int, float] | None = None,
    ) -> None:
        """Bring the state up to date with epochs that the trainer has run at full speed.

        Args:
            epochs: Number of whole epochs.
            losses: Losses of all epochs, including earlier ones.
            begun: Statements that ran of one more, unfinished epoch.
            part_losses: Losses of the unfinished epoch's parts.
        """
        state, trainer = self.state, self.trainer.snapshot()
        loop, written = state.loop, state.written
        for kind in begun:
            loop, _ = loop.ran(kind)
        if epochs or begun:
            passes = epochs * loop.epoch.count(Kind.BACKWARD) + begun.count(Kind.BACKWARD)
            written = self._with_page(written, RunPage(epochs, passes, self._named_grads(trainer)))
        self.state = replace(
            state,
            trainer=trainer,
            loop=loop,
            epoch=state.epoch + epochs,
            losses=losses,
            part_losses=part_losses or {},
            passing=None,
            written=written,
            recorded=True,
            last=None,
        )

    def _advance(self, kind: Kind, passing: Passing | None, page: Page | None = None) -> None:
        """Move the loop past a statement that has just run.

        Args:
            kind: The statement.
            passing: The last recorded backward pass; None if there is none.
            page: The ledger's record of the statement's writes to `.grad`; None if there is none.
        """
        state, trainer = self.state, self.trainer.snapshot()
        loop, ended = state.loop.ran(kind)
        epoch, losses, parts = state.epoch + ended, state.losses, state.part_losses
        if kind is Kind.FORWARD and trainer.forward is not None:
            losses, parts = _with_loss(state, loop, epoch - int(loop.complete), trainer.forward.loss.item())
        written = self._with_page(state.written, page)
        self.state = replace(
            state,
            trainer=trainer,
            loop=loop,
            epoch=epoch,
            losses=losses,
            part_losses=parts,
            passing=passing,
            written=written,
            last=LastStatement(_before(kind, state, passing), state.learning_rate, kind),
            recorded=state.recorded or kind is Kind.FORWARD or passing is not None,
        )

    @contextmanager
    def _keeping_what_pytorch_left(self, kind: Kind) -> Iterator[None]:
        before = self.state
        try:
            yield
        except EngineError as error:
            left = self.trainer.snapshot()
            if left is not before.trainer:
                written = self._with_page(before.written, self._half_page(kind, error, before))
                self.state = replace(
                    before, trainer=left, passing=before.ended_pass, written=written, last=None
                )
            raise

    def _half_page(self, kind: Kind, error: EngineError, before: State) -> Page | None:
        """Return the writes to gradients that a statement made before it raised an error."""
        if isinstance(error, PyTorchError) and error.trace is not None:
            return Passing(error.trace, len(error.trace), before).page
        if kind is not Kind.ZERO:
            return None
        old, new = self._named_grads(before.trainer), self.grads()
        reached = takewhile(lambda name: old[name] is not None, old)
        return ZeroPage(old, {name: new[name] for name in reached})


def _before(kind: Kind, state: State, passing: Passing | None) -> Snapshot:
    """Return the snapshot from before a statement; a pass that was stepped through began earlier."""
    return passing.start.trainer if kind is Kind.BACKWARD and passing is not None else state.trainer


def _with_loss(state: State, loop: Loop, epoch: int, loss: float) -> tuple[Losses, Mapping[int, float]]:
    """Return the losses of epochs and of parts with `loss`; an epoch gets one when all its parts have."""
    if loop.split is None:
        return state.losses.with_loss(epoch, loss), state.part_losses
    part = loop.at.part
    earlier = state.part_losses if part else {}
    parts = {number: value for number, value in earlier.items() if number < part} | {part: loss}
    if len(parts) < loop.parts and math.isfinite(loss):
        return state.losses, parts
    return state.losses.with_loss(epoch, loop.split.epoch_loss(parts)), parts
