"""Any actions in any order, held against plain PyTorch that runs the same statements on a fresh problem."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gradstep.actions import (
    Action,
    Answer,
    Backward,
    Forward,
    GoTo,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    Reset,
    RunEpochs,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.errors import EngineError, Refused
from gradstep.frame import Frame, ParameterFrame
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.predictions.judging import Grade, Judged
from gradstep.predictions.question import Choice
from gradstep.reasons import Reason
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.recording_checks import bits
from tests.engine.test_ledger import assert_ledger_ends_at
from tests.session_strategies import PROBLEMS, Plain, counts, optimizers, rates

STATEMENTS = {Forward: Kind.FORWARD, Backward: Kind.BACKWARD, Update: Kind.UPDATE, Zero: Kind.ZERO}


Script = tuple[tuple[Kind | Optimizer, float], ...]


@dataclass(frozen=True)
class Point:
    """What the model knows of one point of the session's history."""

    script: Script = ()
    """The statements that lead there, and the optimizers chosen between them, with their learning rates."""

    rate: float = 0.0
    order: tuple[Kind, ...] = tuple(Kind)
    """The lines of the loop."""

    off: frozenset[Kind] = frozenset()
    """Those that are commented out."""

    optimizer: Optimizer = HAND
    last: Kind | None = None
    complete: bool = True
    """Whether the epoch ran to its end."""

    before_pass: Point | None = None
    """Where the pass began that is shown and can be stepped through; None where none can."""

    passed: int = 0
    length: int = 0

    @property
    def kinds(self) -> list[Kind]:
        return [kind for kind in self.order if kind not in self.off]

    @property
    def rest(self) -> list[Kind]:
        if self.complete or self.last is None:
            return self.kinds
        behind = self.order[self.order.index(self.last) + 1 :]
        return [kind for kind in behind if kind not in self.off] or self.kinds

    def with_settings_of(self, other: Point) -> Point:
        """Give this point of the training with another one's loop and learning rate."""
        return replace(self, rate=other.rate, order=other.order, off=other.off, optimizer=other.optimizer)

    @property
    def in_pass(self) -> bool:
        return self.before_pass is not None and self.passed < self.length


def stepped(point: Point, kind: Kind) -> Point:
    """Move the model past a statement that ran."""
    place = point.order.index
    goes_on = point.complete and point.last is not None and place(kind) >= place(point.last)
    begins, ends = kind in point.kinds[:1], kind in point.kinds[-1:]
    script = (*point.script, (kind, point.rate))
    complete = ends or (goes_on and not begins)
    return Point(script, point.rate, point.order, point.off, point.optimizer, kind, complete)


class Training(RuleBasedStateMachine):
    @initialize(name=st.sampled_from(sorted(PROBLEMS)), seed=st.integers(0, 3), rate=rates)
    def begin(self, name: str, seed: int, rate: float) -> None:
        self.make = PROBLEMS[name]
        torch.default_generator.manual_seed(seed)
        self.rng = torch.get_rng_state()
        self.session = Session(self.make(), rate)
        self.history = [Point(rate=rate)]
        self.frames = [self.picture(self.session.frame)]
        self.path: tuple[Action, ...] = ()
        self.reached: dict[tuple[Action, ...], tuple[Point, object]] = {}
        self.numbered: list[tuple[Action, ...]] = [()]
        self.taken: dict[tuple[Action, ...], Action] = {}
        self.ran: Script = ()
        self.plain = Plain(self.make(), self.rng)

    # The model

    @property
    def at(self) -> int:
        """How many actions lie behind; `history` and `frames` hold the points up to here."""
        return len(self.path)

    @property
    def point(self) -> Point:
        return self.history[self.at]

    def plain_at(self, script: Script) -> Plain:
        """Give the plain training after `script`; it starts again where it cannot go on from where it is."""
        if script[: len(self.ran)] != self.ran:
            self.plain, self.ran = Plain(self.make(), self.rng), ()
        for kind, rate in script[len(self.ran) :]:
            self.attempt(kind, rate)
        self.ran = script
        return self.plain

    def attempt(self, kind: Kind | Optimizer, rate: float) -> Exception | None:
        try:
            if isinstance(kind, Optimizer):
                self.plain.choose(kind, rate)
            else:
                self.plain.run(kind, rate)
        except (RuntimeError, TypeError, AttributeError, NameError) as error:
            return error
        return None

    @staticmethod
    def picture(frame: Frame) -> object:
        """Everything of a frame that must come back, as plain data."""
        return (
            [(bits(one.value), bits(one.grad), remembered(one)) for one in frame.parameters],
            (str(frame.loss), frame.epoch, frame.learning_rate, frame.loop, frame.next, frame.stale),
            [str(frame.losses[epoch]) for epoch in range(len(frame.losses))],
            None
            if frame.backward is None
            else (frame.backward.done, frame.backward.over, frame.backward.rows),
            frame.position,
        )

    # Applying

    def act(self, action: Action) -> bool:
        """Apply an action; True where it was done. One that is refused leaves the very same frame."""
        before = self.session.frame
        listed = before.refusal(action)
        try:
            after = self.session.apply(action)
        except Refused as refused:
            assert refused.refusal == listed  # noqa: PT017 - not refused is as good, and checked below
            assert self.session.frame is before
            return False
        assert listed is None
        if not isinstance(action, Undo | Redo | GoTo):
            self.arrive(after, action)
        return True

    def arrive(self, frame: Frame, action: Action) -> None:
        """Go on to the point that an action leads to: where it was done before, what followed lies ahead."""
        self.remember()
        self.taken[self.path] = action
        self.path = (*self.path, action)
        if self.path not in self.numbered:
            self.numbered.append(self.path)
        self.frames.append(self.picture(frame))
        assert frame.position == self.at
        assert frame.future == self.ahead()

    def remember(self) -> None:
        self.reached[self.path] = self.history[self.at], self.frames[self.at]

    def ahead(self) -> int:
        path = self.path
        while path in self.taken:
            path = (*path, self.taken[path])
        return len(path) - len(self.path)

    def stand_at(self, path: tuple[Action, ...]) -> None:
        """Stand at a point that was reached before."""
        self.remember()
        self.path = path
        ways = [path[:length] for length in range(len(path) + 1)]
        self.taken |= {way: path[len(way)] for way in ways[:-1]}
        self.history, self.frames = map(list, zip(*(self.reached[way] for way in ways), strict=True))
        assert self.picture(self.session.frame) == self.frames[-1]
        assert self.session.frame.future == self.ahead()

    def statement(self, action: Action, kind: Kind) -> None:
        """Run one statement on both sides: the same outcome, or the same error in the same words."""
        before, point = self.session.frame, self.point
        if point.in_pass:
            if self.act(action):
                assert kind is Kind.BACKWARD
                self.finished()
            else:
                assert kind is not Kind.BACKWARD
            return
        plain = self.plain_at(point.script)
        error = self.attempt(kind, point.rate)
        self.ran = (*self.ran, (kind, point.rate))
        if error is None:
            assert self.act(action)
            self.history.append(stepped(point, kind))
            if kind is Kind.BACKWARD:
                self.began_pass(point, finished=True)
        else:
            self.refused_by_pytorch(action, error, before, kind, plain)

    def refused_by_pytorch(
        self, action: Action, error: Exception, before: Frame, kind: Kind, plain: Plain
    ) -> None:
        with pytest.raises(PyTorchError) as caught:
            self.session.apply(action)
        assert numberless(caught.value.own_words) == numberless(str(error).split("\n")[0])
        assert caught.value.kind == type(error).__name__
        assert caught.value.lesson
        assert str(caught.value).endswith(caught.value.lesson)
        if "inplace" not in str(error):
            assert before.refusal(action) is not None
        after = self.session.frame
        if after.position != before.position or after is not before:
            point = self.point
            self.arrive(after, action)
            self.history.append(replace(point, script=(*point.script, (kind, point.rate)), before_pass=None))

    def began_pass(self, start: Point, finished: bool) -> None:
        shown = self.session.frame.backward
        assert shown is not None
        passed = len(shown.rows) if finished else 1
        self.history[-1] = replace(self.history[-1], before_pass=start, passed=passed, length=len(shown.rows))

    def finished(self) -> None:
        point = self.history[self.at - 1]
        assert point.before_pass is not None
        start = point.before_pass.with_settings_of(point)
        done = replace(stepped(start, Kind.BACKWARD), script=(*start.script, (Kind.BACKWARD, point.rate)))
        self.history.append(replace(done, before_pass=start, passed=point.length, length=point.length))

    # The actions

    @rule(action=st.sampled_from([Forward(), Backward(), Update(), Zero()]))
    def one_statement(self, action: Action) -> None:
        self.statement(action, STATEMENTS[type(action)])

    @rule()
    def next_line(self) -> None:
        if self.point.in_pass or self.point.kinds:
            self.statement(NextLine(), Kind.BACKWARD if self.point.in_pass else self.point.rest[0])
        else:
            assert not self.act(NextLine())

    @rule(times=st.integers(1, 12))
    def step_node(self, times: int) -> None:
        for _ in range(times):
            self.step_once()

    def step_once(self, action: Action | None = None) -> None:
        point = self.point
        if point.in_pass:
            assert self.act(action or StepNode())
            if point.passed + 1 == point.length:
                self.finished()
            else:
                self.history.append(replace(point, passed=point.passed + 1))
            return
        listed = self.session.frame.refusal(StepNode())
        if listed is not None and listed.reason is Reason.PASS_FINISHED:
            assert point.before_pass is not None
            assert not self.act(StepNode())
            return
        plain = self.plain_at(point.script)
        before = self.session.frame
        error = self.attempt(Kind.BACKWARD, point.rate)
        self.ran = (*self.ran, (Kind.BACKWARD, point.rate))
        if error is not None:
            self.refused_by_pytorch(StepNode(), error, before, Kind.BACKWARD, plain)
            return
        assert self.act(StepNode())
        self.history.append(replace(point, script=(*point.script, (Kind.BACKWARD, point.rate))))
        self.began_pass(point, finished=False)

    @rule(is_right=st.booleans())
    def answer(self, is_right: bool) -> None:
        """Ask, which changes nothing, and answer: what was asked about runs, and the answer is a point."""
        before, state, point = self.session.frame, self.session.state, self.point
        try:
            exercise = self.session.ask()
        except Refused:
            assert self.session.frame is before
            return
        assert self.session.frame is before
        assert self.session.state is state
        posed = exercise.posed
        reply = posed.truth if is_right else posed.slips[0][1]
        action = Answer(exercise.question, f"{reply:.6g}" if isinstance(reply, float) else str(reply))
        if point.in_pass:
            self.step_once(action)
        else:
            self.answered(action, point.rest[0], point)
        prediction = self.session.frame.prediction
        assert prediction is not None
        assert replace(prediction.posed, raised="") == replace(posed, raised="")
        assert numberless(prediction.posed.raised) == numberless(posed.raised)
        assert prediction.judged == Judged(*((Grade.RIGHT,) if is_right else (Grade.SLIP, posed.slips[0][0])))

    def answered(self, action: Answer, kind: Kind, point: Point) -> None:
        """Run a statement on both sides; an error of PyTorch's is the truth, and is not raised."""
        plain, state = self.plain_at(point.script), self.session.state
        error = self.attempt(kind, point.rate)
        self.ran = (*self.ran, (kind, point.rate))
        assert self.act(action)
        assert plain is self.plain
        prediction = self.session.frame.prediction
        assert prediction is not None
        assert (prediction.posed.truth is Choice.RAISES) == (error is not None)
        if error is not None:
            script = (*point.script, (kind, point.rate))
            shown = point.before_pass if self.session.state.trainer is state.trainer else None
            self.history.append(replace(point, script=script, before_pass=shown))
            return
        self.history.append(stepped(point, kind))
        if kind is Kind.BACKWARD:
            self.began_pass(point, finished=True)

    @rule(times=st.integers(1, 12))
    def step_node_back(self, times: int) -> None:
        for _ in range(times):
            point = self.point
            start = point.before_pass
            if start is None:
                assert not self.act(StepNodeBack())
                return
            assert self.act(StepNodeBack())
            start = start.with_settings_of(point)
            if point.passed == 1:
                self.history.append(replace(start, before_pass=None, passed=0, length=0))
            else:
                inside = replace(start, script=(*start.script, (Kind.BACKWARD, point.rate)))
                self.history.append(
                    replace(inside, before_pass=start, passed=point.passed - 1, length=point.length)
                )

    @rule(count=counts)
    def run_epochs(self, count: int) -> None:
        point = self.point
        plain = self.plain_at(point.script)
        broken = point.rest[:1] != [Kind.FORWARD] and not plain.finite
        elsewhere = point.in_pass and point.rest[:1] != [Kind.BACKWARD]
        if elsewhere or broken or not point.kinds:
            assert not self.act(RunEpochs(count))
            return
        before, points, error = self.session.frame, [point], None
        kinds = [*point.rest, *point.kinds * (count - 1)]
        if point.in_pass:  # the whole pass has run in the plain training
            points, kinds = [replace(stepped(point, Kind.BACKWARD), script=point.script)], kinds[1:]
        for kind in kinds:
            if len(points) > 1 and points[-1].last is Kind.FORWARD and not plain.finite:
                break
            error = self.attempt(kind, point.rate)
            if error is not None:
                self.ran = (*points[-1].script, (kind, point.rate))
                break
            points.append(stepped(points[-1], kind))
            self.ran = points[-1].script
        if error is None:
            assert self.act(RunEpochs(count))
            assert bool(self.session.frame.notice) == (not plain.finite)
        elif len(points) == 1 and not point.in_pass:
            self.refused_by_pytorch(RunEpochs(count), error, before, kind, plain)
            return
        else:
            with pytest.raises(PyTorchError) as caught:
                self.session.apply(RunEpochs(count))
            assert numberless(caught.value.own_words) == numberless(str(error).split("\n")[0])
            self.arrive(self.session.frame, RunEpochs(count))
        self.history.append(replace(points[-1], script=self.ran))
        shown = self.session.frame.backward
        if points[-1].last is Kind.BACKWARD:
            began = points[-2] if len(points) > 1 else point.before_pass
            assert began is not None
            self.began_pass(began, finished=True)
        assert shown is None or shown.over == (points[-1].last is not Kind.BACKWARD)

    @rule()
    def toggle_zeroing(self) -> None:
        assert self.act(ToggleZeroing())
        point = self.history[self.at - 1]
        self.history.append(replace(point, off=point.off ^ {Kind.ZERO}))

    @rule(kind=st.sampled_from(Kind))
    def toggle_statement(self, kind: Kind) -> None:
        point = self.point
        if self.act(ToggleStatement(kind)):
            self.history.append(replace(point, off=point.off ^ {kind}))
        else:
            assert point.in_pass

    @rule(kind=st.sampled_from(Kind), steps=st.sampled_from([-1, 1]))
    def move_statement(self, kind: Kind, steps: int) -> None:
        point = self.point
        place, order = point.order.index(kind), list(point.order)
        if self.act(MoveStatement(kind, steps)):
            order[place], order[place + steps] = order[place + steps], kind
            self.history.append(replace(point, order=tuple(order)))
        else:
            assert point.in_pass or place + steps in (-1, 4)

    @rule(rate=rates)
    def set_rate(self, rate: float) -> None:
        assert self.act(SetLearningRate(rate))
        self.history.append(replace(self.history[self.at - 1], rate=rate))

    @rule(action=st.sampled_from([RaiseLearningRate(), LowerLearningRate()]))
    def move_rate(self, action: Action) -> None:
        old = self.point.rate
        assert self.act(action)
        new = self.session.frame.learning_rate
        assert new > old if action == RaiseLearningRate() else new < old
        self.history.append(replace(self.history[self.at - 1], rate=new))

    @rule(optimizer=st.just(HAND) | optimizers)
    def set_optimizer(self, optimizer: Optimizer) -> None:
        point = self.point
        if not self.act(SetOptimizer(optimizer)):
            assert point.in_pass
            return
        script = (*point.script, (optimizer, point.rate))
        self.history.append(replace(point, script=script, optimizer=optimizer, before_pass=None))

    @rule()
    def reset(self) -> None:
        point = self.point
        assert self.act(Reset())
        script = () if point.optimizer.by_hand else ((point.optimizer, point.rate),)
        self.history.append(Point(script).with_settings_of(point))

    @rule(times=st.integers(1, 6))
    def undo(self, times: int) -> None:
        for _ in range(times):
            if not self.act(Undo()):
                assert self.at == 0
                return
            self.stand_at(self.path[:-1])

    @rule(times=st.integers(1, 6))
    def redo(self, times: int) -> None:
        for _ in range(times):
            if not self.act(Redo()):
                assert not self.ahead()
                return
            self.stand_at((*self.path, self.taken[self.path]))

    @rule(data=st.data())
    def go_to(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.numbered) - 1))
        assert self.act(GoTo(number))
        self.stand_at(self.numbered[number])

    # What always holds

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def the_numbers_are_plain_pytorchs(self) -> None:
        frame, point = self.session.frame, self.point
        plain = self.plain_at(point.script)
        assert frame.learning_rate == point.rate
        assert [bits(one.value) for one in frame.parameters] == plain.state()[0]
        assert [remembered(one) for one in frame.parameters] == plain.memory()
        assert frame.loop.optimizer == point.optimizer
        assert frame.in_pass == point.in_pass
        assert [frame.next] == ([Kind.BACKWARD] if point.in_pass else point.rest[:1] or [None])
        assert frame.loop.enabled == tuple(point.kinds)
        if not point.in_pass:
            assert [bits(one.grad) for one in frame.parameters] == plain.state()[1]
        if plain.loss is None:
            assert frame.loss is None
            assert frame.preds is None
        else:
            assert bits(torch.tensor(frame.loss, dtype=plain.loss.dtype)) == bits(plain.loss)
            assert bits(frame.preds) == bits(plain.preds)

    @invariant()
    @precondition(lambda self: hasattr(self, "session"))
    def the_ledger_tells_how_every_grad_came_to_be(self) -> None:
        for parameter in self.session.frame.parameters:
            newest_first = list(self.session.frame.ledger.newest_first(parameter.name))
            assert_ledger_ends_at(newest_first, parameter.grad)

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        while self.at:
            self.undo(1)
        fresh = self.make()
        assert [bits(one.value) for one in self.session.frame.parameters] == [
            bits(value) for value in fresh.parameters.values()
        ]
        assert all(one.grad is None for one in self.session.frame.parameters)


def remembered(parameter: ParameterFrame) -> dict[str, object]:
    """What the optimizer remembers of a parameter, as bits."""
    return {name: bits(value) for name, value in parameter.memory.items()}


def numberless(words: str) -> str:
    """PyTorch's words without the counts of in-place changes, which depend on what was undone."""
    return re.sub(r"version \d+", "version", words)


TestTraining = Training.TestCase
TestTraining.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_a_refusal_is_an_engine_error() -> None:
    assert issubclass(Refused, EngineError)
