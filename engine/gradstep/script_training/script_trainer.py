"""A captured loop with copies of what it holds: statements run, and every earlier state can come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import torch
from torch import Tensor

from gradstep.autograd.leaf_copies import LeafCopies, LeafCopy
from gradstep.autograd.pass_recording import RecordedPasses, recorded_passes
from gradstep.autograd.source_map import SourceMaps, watch_forward
from gradstep.autograd.trace import TRACE_LIMIT, Trace
from gradstep.capture.captured_loop import CapturedLoop, NotTakenBack
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.capture.loop_moments import LoopMoment
from gradstep.capture.loop_places import Control
from gradstep.learner_code.interruption import Interrupted
from gradstep.loop.optimizers import HAND
from gradstep.problem import ScriptProblem
from gradstep.script_training.round_losses import RoundLosses
from gradstep.script_training.script_names_found import (
    found_in,
    live_memory,
    present,
    rate_in,
    set_rate_in,
    total_of,
)
from gradstep.script_training.script_snapshot import NO_ROUNDS, RateSet, ScriptSnapshot
from gradstep.tensors.bitwise import same_bits, shared_copy
from gradstep.training.pytorch_errors import PyTorchError, learners_code
from gradstep.training.snapshots import ForwardPass

ZERO_ALL: Final = -1
"""Key of a statement that no script has: it sets every `.grad` to None."""

Reopen = Callable[[], CapturedLoop]
"""Runs the script anew up to its loop."""


@dataclass(slots=True)
class StatementRun:
    """What one run of a statement came to."""

    control: Control = Control.NEXT
    traces: list[Trace] = field(default_factory=list)
    """Recordings of the passes that the statement ran."""

    passes: int = 0
    """Number of passes, recorded or not."""


class ScriptTrainer:
    """Runs the statements of a script's loop."""

    def __init__(self, problem: ScriptProblem, loop: CapturedLoop, reopen: Reopen) -> None:
        """Take over a loop at the begin of its first round."""
        self.problem, self.loop, self._reopen = problem, loop, reopen
        self.trace_limit = TRACE_LIMIT
        """Bytes of a trace beyond which tensors are kept as summaries."""

        self.is_steady = True
        """Whether what ran again came to the same numbers."""

        self.lost: tuple[str, ...] = ()
        """Names of objects that could not be put back when the loop was taken back last."""

        self.rate = float("nan")
        self._live: dict[str, Tensor] = dict(problem.parameters)
        self._sources = SourceMaps()
        self.failed_after: tuple[int, ...] | None = None
        """Keys of what had run in the round that raised, in a run of rounds; None if none raised."""

        self._last_loss: Tensor | None = None
        self._past = NO_ROUNDS
        self._due: tuple[int | RateSet, ...] = ()
        """What still has to run again before the script is in the state of the last snapshot."""

        zero = tuple(tensor.detach().clone() for tensor in self._live.values())
        self._kept = ScriptSnapshot(zero, (None,) * len(zero), torch.get_rng_state(), optimizer=HAND)
        self._start = loop.keep()
        """Begin of the first round of the present run of the script."""

        self._first = self._kept = self._copied(moment=self._start)

    # What there is

    def snapshot(self) -> ScriptSnapshot:
        """Return the present state."""
        return self._kept

    def can_return_to(self, snapshot: ScriptSnapshot) -> bool:
        """Return whether the script can be taken back to a state, or be run again up to it."""
        return snapshot is self._kept or snapshot is self._first or self.reaches(snapshot)

    def reaches(self, snapshot: ScriptSnapshot) -> bool:
        """Return whether the script can be taken back to a state without running it anew."""
        moment = self._moment_of(snapshot)
        return moment is not None and self.loop.can_go_back(moment)

    def _moment_of(self, snapshot: ScriptSnapshot) -> LoopMoment | None:
        return self._start if snapshot is self._first else snapshot.moment

    def restore(self, snapshot: ScriptSnapshot) -> None:
        """Return to a state. What ran in its round before runs again when the next statement does.

        Raises:
            EngineError: the script had to be run anew, and could not be.
        """
        try:
            moment = self._moment_of(snapshot)
            if moment is None or not self.loop.can_go_back(moment):
                raise NotTakenBack
            self.lost = self.loop.go_back(moment)
        except NotTakenBack:
            if snapshot is not self._first:
                raise
            self.loop = self._reopen()
            self._start = self.loop.keep()
        self._sources, self.failed_after = SourceMaps(), None
        self._due, self._past = snapshot.ran, snapshot.past
        self._kept = replace(snapshot, moment=self._start) if snapshot is self._first else snapshot
        found = found_in(self.loop.names)
        self._live = present(self.loop.names, found, self._live)
        self.rate = rate_in(self.loop.names, found.optimizers)
        self._know_loss()

    # The statements

    def run_statement(self, key: int, *, recorded: bool) -> StatementRun:
        """Run one statement of the round under way.

        Raises:
            PyTorchError: the statement raised; what it had changed by then stays changed.
        """
        self.catch_up()
        ran = StatementRun()
        known = self._known() if recorded else {}
        found = RecordedPasses()
        try:
            with self._errors(found):
                ran.control = self.loop.ask(lambda: self._run(key, known, found, recorded=recorded))
        finally:
            ran.traces, ran.passes = found.traces, len(found.outputs)
            self._keep(found, (*self._kept.ran, key))
        return ran

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of all parameter groups of the loop's optimizers."""
        self.catch_up()
        set_rate_in(self.loop.names, rate)
        if self._kept.ran:
            self._kept = replace(self._kept, ran=(*self._kept.ran, RateSet(rate)))
        else:
            self._past = self._past.and_then(0, (RateSet(rate),))
            self._kept = replace(self._kept, moment=self.loop.keep(), past=self._past)
        self.rate = rate

    def end_round(self, control: Control = Control.NEXT) -> None:
        """Leave the round under way, and go on to the begin of the next.

        Raises:
            PyTorchError: the script raised on the way.
        """
        self.catch_up()
        self._sources, self.failed_after = SourceMaps(), None
        self._past = self._past.and_then(1, self._kept.ran)
        try:
            with learners_code():
                self.loop.end_round(control)
        finally:
            self._keep(RecordedPasses(), ())

    def run_rounds(
        self,
        count: int,
        order: Sequence[int] | None,
        add_loss: Callable[[float], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Run whole rounds unrecorded, from the begin of one.

        Args:
            count: How many rounds.
            order: Keys of the statements of a round, in their order; None for the script's own round.
            add_loss: Called with the loss of each round; nan if it had none.
            stopped: Polled between rounds; return True to stop.

        Raises:
            PyTorchError: a round raised.
        """
        self.catch_up()
        losses, self.failed_after = RoundLosses(self.loop, self.problem.loss_name, add_loss), None
        self.loop.next_statement = 0  # what ran out of order has not begun the round
        first = self.loop.position.done
        try:
            with learners_code(), watched(losses.seen), self.loop.rounds_watched(losses.end_round):
                if order is None:
                    self.loop.run(count, stopped)
                else:
                    self._run_edited(count, order, stopped)
        except (PyTorchError, Interrupted):
            if self.failed_after is None:
                self.failed_after = tuple(range(self.loop.next_statement))
            raise
        finally:
            losses.end()
            self._sources = SourceMaps()
            before, done = self._kept, self.loop.position.done - first
            self._past = self._past.and_then(done, None if order is None else tuple(order))
            if self.failed_after is not None:
                keys = range(len(self.loop.statements)) if order is None else order
                self._past = self._past.and_then(0, tuple(keys[: len(self.failed_after) + 1]))
            self._keep(RecordedPasses(), ())
            if losses.last is not None:
                self._set_loss(losses.last, before)

    def catch_up(self) -> None:
        """Run again what ran in the round before the script was taken back to its begin."""
        due, self._due = self._due, ()
        if not due:
            return
        wanted, self._kept = self._kept, replace(self._kept, ran=())
        for step in due:
            if isinstance(step, RateSet):
                set_rate_in(self.loop.names, step.rate)
            elif step == ZERO_ALL:
                self._zero_live()
            else:
                with suppress(PyTorchError), learners_code():
                    self.loop.ask(partial(self._run_again, step))
        self._know_loss()
        self._live = present(self.loop.names, found_in(self.loop.names), self._live)
        now = tuple(tensor.detach() for tensor in self._live.values())
        self.is_steady &= all(map(same_bits, now, wanted.parameters)) and self.loop.is_exact
        self._kept = wanted

    def _run_edited(self, count: int, order: Sequence[int], stopped: Callable[[], bool]) -> None:
        for _ in range(count):
            if self.loop.over or stopped():
                return
            control = Control.NEXT
            for place, key in enumerate(order):
                self.failed_after = tuple(order[:place])
                if key == ZERO_ALL:
                    self._zero_live()
                    continue
                if (control := self.loop.run_statement(key)) is not Control.NEXT:
                    break
            self.failed_after = None
            self.loop.end_round(control)

    def zero_all(self) -> None:
        """Set every `.grad` to None."""
        self.catch_up()
        self._zero_live()
        self._kept = self._copied(moment=self._kept.moment, ran=(*self._kept.ran, ZERO_ALL))

    def _zero_live(self) -> None:
        for tensor in present(self.loop.names, found_in(self.loop.names), self._live).values():
            if tensor.is_leaf:
                tensor.grad = None

    def _run(self, key: int, known: LeafCopies, found: RecordedPasses, *, recorded: bool) -> Control:
        """Run a statement in the script's thread."""
        if not recorded:
            with watched(lambda made: _note(found, made)):
                return self.loop.run_here(key)
        with (
            self._sources_watched(),
            recorded_passes(self._live, self._sources, known, self.trace_limit, found),
        ):
            return self.loop.run_here(key)

    def _run_again(self, key: int) -> Control:
        """Run a statement in the script's thread as it ran before, so that its nodes have their sources."""
        with self._sources_watched():
            return self.loop.run_here(key)

    @contextmanager
    def _sources_watched(self) -> Iterator[None]:
        with watch_forward() as sources:
            self._sources.add(sources)
            yield

    @contextmanager
    def _errors(self, found: RecordedPasses) -> Iterator[None]:
        try:
            with learners_code():
                yield
        except PyTorchError as error:
            if found.traces and found.traces[-1].error is not None:
                error.trace = found.traces[-1]
            raise

    # Copies

    def _known(self) -> LeafCopies:
        """Return the copies that there are, by `id` of the parameter."""
        copies = zip(self._live.values(), self._kept.parameters, self._kept.grads, strict=True)
        return {id(leaf): LeafCopy(leaf, value, grad) for leaf, value, grad in copies if leaf.is_leaf}

    def _copies(self) -> dict[int, Tensor]:
        """Return the copies of what is trained in the present state, by `id` of the tensor."""
        optimizers = found_in(self.loop.names).optimizers
        copies = dict[int, Tensor]()
        kept = self._kept
        for leaf, value, grad, memory in zip(
            self._live.values(), kept.parameters, kept.grads, kept.memory, strict=True
        ):
            copies[id(leaf)] = value
            if grad is not None:
                copies[id(leaf.grad)] = grad
            for name, tensor in live_memory(optimizers, leaf).items():
                copies[id(tensor)] = memory[name]
        return copies

    def _keep(self, found: RecordedPasses, ran: tuple[int | RateSet, ...]) -> None:
        """Take a new snapshot after a statement or at the begin of a round."""
        if not ran:
            self._know_loss()
        before = self._kept
        self._kept = self._copied(moment=before.moment if ran else None, ran=ran)
        if not ran and self.loop.is_at_begin and self.failed_after is None:
            self._kept = replace(self._kept, moment=self.loop.keep(self._copies()))
        if found.outputs:
            self._set_loss(total_of(found.outputs[0]), before)
            if self._kept.passed is None:
                self._kept = replace(self._kept, passed=self._kept.forward)
        elif ran and isinstance(ran[-1], int):
            self._look_for_loss(before)

    def _know_loss(self) -> None:
        """Take what the loss's variable holds now for known: only another tensor is a new loss."""
        value = self.loop.value_of(self.problem.loss_name)
        self._last_loss = value if isinstance(value, Tensor) else None

    def _look_for_loss(self, before: ScriptSnapshot) -> None:
        """Take the loss from the variable that holds it, once a statement has made a new one."""
        value = self.loop.names.get(self.problem.loss_name)
        if isinstance(value, Tensor) and value.grad_fn is not None and value is not self._last_loss:
            self._last_loss = value
            self._set_loss(total_of((value,)), before)

    def _set_loss(self, loss: Tensor, before: ScriptSnapshot) -> None:
        made = ForwardPass(before.parameters, before.rng, None, loss)
        self._kept = replace(self._kept, forward=made)

    def _copied(self, *, moment: LoopMoment | None, ran: tuple[int | RateSet, ...] = ()) -> ScriptSnapshot:
        names, old = self.loop.names, self._kept
        found = found_in(names)
        self._live = present(names, found, self._live)
        self.rate = rate_in(names, found.optimizers)
        live = self._live.values()
        return ScriptSnapshot(
            parameters=tuple(map(shared_copy, live, old.parameters)),
            grads=tuple(
                None if (grad := _grad_of(leaf)) is None else shared_copy(grad, kept)
                for leaf, kept in zip(live, old.grads, strict=True)
            ),
            rng=old.rng,
            forward=old.forward if ran else old.passed or old.forward,
            passed=old.passed if ran else None,
            memory=tuple(
                {
                    name: shared_copy(tensor, kept.get(name))
                    for name, tensor in live_memory(found.optimizers, leaf).items()
                }
                for leaf, kept in zip(live, old.memory or ({},) * len(live), strict=True)
            ),
            moment=moment,
            ran=ran,
            past=self._past,
        )


def _note(found: RecordedPasses, made: ComingPass) -> None:
    if made.accumulates:
        found.outputs.append(tuple(output.detach().clone() for output in made.outputs))


def _grad_of(tensor: Tensor) -> Tensor | None:
    """Return a tensor's `.grad`; None for a tensor that is no leaf, whose `.grad` PyTorch does not fill."""
    return tensor.grad if tensor.is_leaf and tensor.layout == torch.strided else None
