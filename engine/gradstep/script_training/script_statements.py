"""Execution of a script's own statements, whole or node by node, and the state that results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_places import Control
from gradstep.errors import BadInput
from gradstep.ledger.ledger import Ledger, RunPage, ZeroPage
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import LoopHead, ScriptLoop
from gradstep.script_training.script_snapshot import ZERO_ALL
from gradstep.script_training.script_state import ScriptState
from gradstep.script_training.script_trainer import ScriptTrainer
from gradstep.script_training.statement_runner import StatementRun
from gradstep.statement_steps.script_variables import NO_NAMES, StatementNames, copies_of, names_in
from gradstep.training.loss_history import Losses
from gradstep.training.machine import Machine
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.snapshots import LastStatement, VariableValue
from gradstep.training.state import Passing


class ScriptStatements(Machine[ScriptTrainer, ScriptState]):
    """Runs the statements of a script's own loop."""

    @property
    def is_steady(self) -> bool:
        """Whether what ran again came to the same numbers, as far as is known."""
        return self.trainer.is_steady

    def can_return_to(self, state: ScriptState) -> bool:
        """Return whether the script can return to a state without doing actions again."""
        return self.trainer.can_return_to(state.trainer)

    # Statements

    def next_line(self) -> None:
        """Run the next statement; inside a pass, the rest of the pass."""
        if self.state.in_pass:
            self._finish_pass()
            return
        key = self.state.loop.next
        if key is None:
            return
        if not self.state.loop.ahead():
            self.end_round()
        self.run(key)
        self.settle()

    def run(self, key: int) -> None:
        """Run a statement, in order or not; the round does not end by it, unless it leaves the loop.

        Raises:
            EngineError: the statement raised; what it had changed by then stays changed.
        """
        before = self.state
        self._settle_trace()
        try:
            ran = self.trainer.run_statement(key, recorded=self.recording)
        except PyTorchError as error:
            self._take(key, StatementRun(), before, error)
            raise
        self._take(key, ran, before)
        if ran.control is not Control.NEXT:
            self.end_round(ran.control)

    def settle(self) -> None:
        """End the round if none of its statements is left."""
        loop = self.state.loop
        if not loop.complete and not loop.ahead() and not self.state.in_pass and not loop.over:
            self.end_round()

    def end_round(self, control: Control = Control.NEXT) -> None:
        """End the round under way, and go on to the begin of the next."""
        state = self.state
        losses = state.losses
        if len(losses) <= state.epoch:
            losses = losses.with_loss(state.epoch, float("nan"))
        try:
            self.trainer.end_round(control)
        finally:
            self.state = replace(
                self.state,
                trainer=self.trainer.snapshot(),
                loop=placed(self.state.loop, self.trainer.loop),
                epoch=state.epoch + 1,
                losses=losses,
                passing=self.state.ended_pass,
                learning_rate=self.trainer.rate,
            )

    def run_rest(self) -> None:
        """Run what is left of the round, and end it."""
        for key in self.state.loop.ahead():
            self.run(key)
            if self.state.loop.complete or self.state.loop.over:  # a statement has left the round
                return
        self.end_round()

    def run_to(self, keys: Sequence[int]) -> None:
        """Run the statements that are left of the round up to the last of some of them.

        If none of these is left, they run again, in order.
        """
        ahead = self.state.loop.ahead()
        places = [number for number, key in enumerate(ahead) if key in keys]
        for key in ahead[: places[-1] + 1] if places else keys:
            self.run(key)
            if self.state.loop.complete:  # the statement has left the round
                return

    def _take(
        self, key: int, ran: StatementRun, before: ScriptState, error: PyTorchError | None = None
    ) -> None:
        """Bring the state up to date with a statement that has run."""
        trainer = self.trainer.snapshot()
        is_next = error is None and before.loop.next == key
        loop = replace(before.loop, last=key) if is_next else before.loop
        traces = ran.traces
        passing = before.ended_pass
        if traces:
            passing = Passing(traces[-1], len(traces[-1]), before, earlier=tuple(traces[:-1]))
        losses, forward = before.losses, trainer.forward
        is_new = forward is not None and forward is not before.trainer.forward
        if forward is not None and is_new and (len(losses) <= before.epoch or not _has_passed(before)):
            losses = losses.with_loss(before.epoch, forward.loss.item())
        names, copies = self._variables(key, before)
        self.state = replace(
            before,
            trainer=trainer,
            loop=loop,
            losses=losses,
            passing=passing,
            written=self._written(before, ran),
            learning_rate=self.trainer.rate,
            last=LastStatement(before.trainer, before.learning_rate, key, *names) if error is None else None,
            variables=copies,
            recorded=bool(traces) if ran.passes else before.recorded,
        )

    def _variables(self, key: int, before: ScriptState) -> tuple[StatementNames, Mapping[str, VariableValue]]:
        """Return the names in a statement that has run, and copies of the round's variables."""
        earlier = {} if before.loop.complete else before.variables
        if not self.recording:
            return NO_NAMES, earlier
        loop, parameters = self.trainer.loop, self.trainer.problem.parameters
        names = names_in(next(place.text for place in loop.statements if place.index == key))
        found = copies_of(names, loop.names, earlier)
        return names, {**earlier, **{name: found[name] for name in found if name not in parameters}}

    def _written(self, before: ScriptState, ran: StatementRun) -> Ledger:
        """Return the ledger with the writes to gradients of a statement that has run."""
        written = before.written
        for page in ran.pages(before, self._named_grads(before.trainer), self.grads()):
            written = self._with_page(written, page)
        return written

    # Nodes

    def step_node(self) -> None:
        """Go one event forward in the pass; begin the next pass of the round if none is under way."""
        self._step(1)

    def step_to(self, event: int) -> None:
        """Go forward to an event of the pass; begin the next pass of the round if none is under way.

        Raises:
            BadInput: the pass has no such event after its position; nothing has changed.
        """
        self._step(None, event)

    def _step(self, steps: int | None, event: int = 0) -> None:
        before = self.state
        passing = before.passing if before.in_pass else self._begun_pass()
        if passing is None:
            return
        if passing.cursor == len(passing.trace):
            passing = passing.at(len(passing.earlier) + 1, 0)
        to = event if steps is None else passing.cursor + steps
        if to not in range(passing.cursor + 1, len(passing.trace) + 1):
            self.return_to(before)
            raise BadInput(
                f"there is no event {event!r} ahead in this pass: {passing.cursor} of its "
                f"{len(passing.trace)} are behind"
            )
        self.state = replace(self.state, passing=replace(passing, cursor=to))
        self.settle()

    def _begun_pass(self) -> Passing | None:
        """Run the round up to its next pass, and return that pass before its first event."""
        loop = self.state.loop
        keys = loop.keys_of(Kind.BACKWARD)
        ahead = [key for key in loop.ahead() if key in keys]
        if not ahead and not loop.complete:
            self.run_rest()
        self.run_to(ahead[:1] or keys[:1])
        passing = self.state.passing
        if passing is None or passing.over:
            return None
        return passing.at(0, 0)

    def _finish_pass(self) -> None:
        passing = self.state.passing
        assert passing is not None
        self.state = replace(self.state, passing=passing.at_end)
        self.settle()

    def step_node_back(self) -> None:
        """Go one event back in the pass, finished or not; from its first event, to the state before."""
        passing = self.state.passing
        if passing is None:
            return
        if passing.cursor > 1:
            self.state = replace(self.state, passing=replace(passing, cursor=passing.cursor - 1))
        elif passing.earlier:
            earlier = passing.at(len(passing.earlier) - 1, len(passing.earlier[-1]))
            self.state = replace(self.state, passing=earlier)
        else:
            assert isinstance(passing.start, ScriptState)
            self.return_to(self.state.rewound_to(passing.start))

    # Whole rounds

    def run_keys(self, keys: Sequence[int]) -> None:
        """Run a round of given statements, one by one; `ZERO_ALL` may be among them."""
        for key in keys:
            if key == ZERO_ALL:
                self._zero_all()
                continue
            self.run(key)
            if self.state.loop.complete:
                return
        self.end_round()

    def _zero_all(self) -> None:
        before = self.state
        self.trainer.zero_all()
        page = ZeroPage(self._named_grads(before.trainer), self.grads())
        self.state = replace(
            before, trainer=self.trainer.snapshot(), written=self._with_page(before.written, page)
        )

    def run_rounds(self, count: int, stopped: Callable[[], bool], order: Sequence[int] | None = None) -> int:
        """Run whole rounds at the script's own speed, from the begin of one; return how many have run.

        Args:
            count: How many rounds.
            stopped: Polled between rounds; return True to stop.
            order: Keys of a round's statements, `ZERO_ALL` among them; None for those of the loop as it is.
        """
        state, order = self.state, order or self.state.loop.order
        buffer = state.losses.open_end(state.epoch)
        first = self.trainer.loop.position.done
        try:
            self.trainer.run_rounds(count, order, buffer.append, stopped)
        finally:
            done = self.trainer.loop.position.done - first
            losses = Losses(buffer, state.epoch + done)
            passes = sum(loss == loss for loss in buffer[state.epoch : state.epoch + done])
            page = RunPage(done, passes, self.grads())
            self.state = replace(
                state,
                trainer=self.trainer.snapshot(),
                loop=placed(state.loop, self.trainer.loop, self.trainer.failed_after),
                epoch=state.epoch + done,
                losses=losses,
                passing=None,
                written=self._with_page(state.written, page) if done else state.written,
                learning_rate=self.trainer.rate,
                recorded=True,
                last=None,
                variables={},
            )
        return done

    def look_at_variables(self) -> None:
        """Copy the variables of a round's statements, after a round that was not recorded."""
        if not self.recording:
            return
        loop, parameters = self.trainer.loop, self.trainer.problem.parameters
        texts = {place.index: place.text for place in loop.statements}
        found: dict[str, VariableValue] = {}
        for key in self.state.loop.enabled:
            copies = copies_of(names_in(texts[key]), loop.names, found)
            found |= {name: copy for name, copy in copies.items() if name not in parameters}
        self.state = replace(self.state, variables=found)

    def take_for_unrecorded(self, first: ScriptState) -> None:
        """Take the rounds since a state for unrecorded ones, although the last of them may be recorded.

        A run that is cut short by the end of the loop could not record its last round, because no one knew
        that it was the last. The same number of rounds, asked for when the session is resumed, shows no more.
        """
        state = self.state
        rounds = range(first.epoch, state.epoch)
        passes = sum(state.losses[number] == state.losses[number] for number in rounds)
        page = RunPage(len(rounds), passes, self.grads())
        written = self._with_page(first.written, page)
        self.state = replace(state, written=written, passing=None, recorded=True)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the loop's optimizers."""
        self.trainer.set_rate(rate)
        self.state = replace(self.state, trainer=self.trainer.snapshot(), learning_rate=rate)


def placed(loop: ScriptLoop, captured: CapturedLoop, ran: Sequence[int] | None = None) -> ScriptLoop:
    """Return a loop in the round at which the script is parked, after the statements that ran in it."""
    rounds = captured.position.rounds
    heads = tuple(
        LoopHead(place.header, place.lines.first, place.function, number)
        for place, number in zip(captured.loops, rounds, strict=True)
    )
    return replace(loop, heads=heads, last=ran[-1] if ran else None, over=captured.over)


def _has_passed(state: ScriptState) -> bool:
    """Return whether a pass has run in the round under way."""
    passing = state.passing
    return passing is not None and passing.start.epoch == state.epoch
