"""Predictions: the truth is what PyTorch then gives, asking changes nothing, and wrong ideas have names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Answer,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Reset,
    RunEpochs,
    SetBatches,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.errors import BadInput, EngineError, Refused
from gradstep.exports.export import export
from gradstep.loop.batches import Batches
from gradstep.loop.optimizers import HAND, Optimizer, optimizer_from
from gradstep.opening import open_session
from gradstep.predicting.readings import reply_in
from gradstep.predictions.exercise import Exercise, Help, Part, Working
from gradstep.predictions.judging import (
    Doing,
    Grade,
    Reply,
    Slip,
    agree,
    coincide,
    judge,
)
from gradstep.predictions.mastery import mastery, topic_of
from gradstep.predictions.question import Asked, Choice, Question, Target
from gradstep.reasons import Reason
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start, start_from
from tests.engine.recording_checks import bits
from tests.engine.test_capture import _settings, written
from tests.session_strategies import PROBLEMS, batches, optimizers, problem, rates

__all__ = ["_settings"]

QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def said(reply: Reply) -> str:
    """Write an answer as a learner does: a number in three digits."""
    return f"{reply:.3g}" if isinstance(reply, float) else str(reply)


def whole(session: Session) -> Any:
    """Everything that asking must leave as it is."""
    state, frame = session.state, session.frame
    trainer = state.trainer
    live = session.problem.parameters.values()
    return (
        id(state),
        id(frame),
        [bits(leaf) for leaf in live],
        [bits(leaf.grad) for leaf in live],
        [bits(value) for value in trainer.parameters],
        [{name: bits(one) for name, one in each.items()} for each in trainer.memory],
        torch.get_rng_state().tolist(),
        len(session.timeline().stops),
        session.line(),
        session.problem.printed.lines,
        [len([*frame.ledger.newest_first(name)]) for name in session.problem.parameters],
    )


class Written:
    """Notes what a session file would get."""

    def __init__(self, session: Session) -> None:
        self.actions: list[Action] = []
        session.watch = lambda action, state, error: self.actions.append(action)


steps = st.sampled_from(
    [
        NextLine(),
        NextLine(),
        NextLine(),
        Forward(),
        Backward(),
        Update(),
        Zero(),
        StepNode(),
        StepNode(),
        StepNodeBack(),
        RunEpochs(2),
        ToggleZeroing(),
        ToggleSetToNone(),
        Undo(),
        Reset(),
    ]
)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """A session on some problem, optimizer and batches, after random actions."""
    torch.default_generator.manual_seed(draw(st.integers(0, 3)))
    session = Session(PROBLEMS[draw(st.sampled_from(sorted(PROBLEMS)))](), draw(rates))
    settings_first: list[Action] = []
    optimizer = draw(st.just(HAND) | optimizers)
    if optimizer != HAND:
        settings_first.append(SetOptimizer(optimizer))
    settings_first.append(SetBatches(draw(batches)))
    for action in (*settings_first, *draw(st.lists(steps, max_size=14))):
        with suppress(EngineError):
            session.apply(action)
    return session


def asked(session: Session, *, node: bool = False) -> Exercise | None:
    try:
        return session.ask(node=node)
    except Refused:
        return None


@QUICK
@given(sessions(), st.integers(1, 3))
def test_asking_changes_nothing(session: Session, times: int) -> None:
    written, before = Written(session), whole(session)
    for _ in range(times):
        asked(session)
        assert whole(session) == before
    assert not written.actions


@QUICK
@given(sessions(), st.integers(0, 4))
def test_the_truth_is_what_the_line_then_gives_bit_for_bit(session: Session, earlier: int) -> None:
    for _ in range(earlier):
        asked(session)
    exercise = asked(session)
    if exercise is None:
        return
    question, before = exercise.question, session.state
    raised = None
    try:
        for action in question.after:
            session.apply(action)
    except EngineError as error:
        raised = error
    if raised is not None:
        assert exercise.posed.truth is Choice.RAISES
        return
    found = reply_in(session.problem, before, session.state, question.target)
    assert found == exercise.posed.truth


@QUICK
@given(sessions())
def test_an_answer_runs_the_line_and_is_judged_by_what_came(session: Session) -> None:
    exercise = asked(session)
    if exercise is None:
        return
    position = session.frame.position
    frame = session.apply(Answer(exercise.question, said(exercise.posed.truth)))
    assert frame.prediction is not None
    assert frame.prediction.posed == exercise.posed
    assert frame.prediction.judged.grade is Grade.RIGHT
    assert frame.position == position + 1
    after = [bits(one.value) for one in frame.parameters], [bits(one.grad) for one in frame.parameters]
    assert session.apply(Undo()).prediction is session.timeline().stops[session.frame.position].prediction
    for action in exercise.question.after:
        with suppress(EngineError):
            session.apply(action)
    frame = session.frame
    assert after == (
        [bits(one.value) for one in frame.parameters],
        [bits(one.grad) for one in frame.parameters],
    )


@QUICK
@given(sessions(), st.integers(0, 6))
def test_no_question_has_two_answers_that_are_the_same(session: Session, times: int) -> None:
    for _ in range(times + 1):
        exercise = asked(session)
        if exercise is None:
            return
        replies = [exercise.posed.truth, *(reply for _, reply in exercise.posed.slips)]
        assert len(replies) > 1
        for place, one in enumerate(replies):
            for other in replies[place + 1 :]:
                assert not coincide(one, other)
        for slip, reply in exercise.posed.slips:
            judged = judge(exercise.posed, said(reply))
            assert (judged.grade, judged.slip) == (Grade.SLIP, slip)


@QUICK
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(3, 8))
def test_a_number_in_three_digits_or_more_is_right_rounded_or_cut_off(value: float, digits: int) -> None:
    assert agree(float(f"{value:.{digits}g}"), value)
    if 1e-30 < abs(value) < 1e30:
        exponent = math.floor(math.log10(abs(value)))
        step = 10.0 ** (exponent - 2)
        assert not agree(value + 2 * step, value)


# Slips, held against what a person with the wrong idea would compute


class Person:
    """Computes by hand, with PyTorch's numbers, on a twin of a session."""

    def __init__(self, name: str, optimizer: str = "", *before: Action, rate: float | None = None) -> None:
        chosen = optimizer_from(optimizer) if optimizer else None
        self.session = Session(problems.load(name), rate, chosen)
        self.twin = Session(problems.load(name), rate, chosen)
        for action in before:
            self.session.apply(action)
            self.twin.apply(action)
        self.before = self.twin.frame

    def posed(self, target: Target, *after: Action) -> Mapping[Slip, Reply]:
        """Return the slips of a question, and apply its actions to the twin."""
        exercise = self.session.put(Question(target, after))
        for action in after:
            self.twin.apply(action)
        self.truth = exercise.posed.truth
        return dict(exercise.posed.slips)

    def value(self, name: str, index: tuple[int, ...]) -> float:
        return self._number([one.value for one in self.before.parameters if one.name == name], index)

    def grad(self, name: str, index: tuple[int, ...], *, after: bool = False) -> float:
        frame = self.twin.frame if after else self.before
        return self._number([one.grad for one in frame.parameters if one.name == name], index)

    @staticmethod
    def _number(found: list[Any], index: tuple[int, ...]) -> float:
        return float(found[0][index].item()) if index else float(found[0].item())


def near(reply: Reply, wanted: float) -> None:
    assert isinstance(reply, float)
    assert reply == pytest.approx(wanted, rel=1e-4, abs=1e-9)


def test_a_gradient_that_is_not_empty_is_added_to() -> None:
    person = Person("crops", "", ToggleZeroing(), RunEpochs(1), Forward())
    where = ("w", (0, 1))
    old = person.grad(*where)
    slips = person.posed(Target(Asked.GRAD, *where), Backward())
    total = person.grad(*where, after=True)
    new = total - old
    assert person.truth == total
    near(slips[Slip.NEW], new)
    near(slips[Slip.OLD], old)
    near(slips[Slip.MEAN], (old + new) / 2)
    near(slips[Slip.WRONG_WAY], old - new)
    near(slips[Slip.NEGATED], -total)
    near(slips[Slip.TIMES_RATE], total * 1e-5)
    near(slips[Slip.TIMES_SAMPLES], old + new * 10)  # the loss is a mean over 10 numbers
    assert slips[Slip.ZERO] == 0.0


def test_the_notebooks_question_has_its_numbers() -> None:
    person = Person("crops", "", ToggleZeroing(), RunEpochs(1), Forward())
    slips = person.posed(Target(Asked.GRAD, "w", (0, 1)), Backward())
    assert isinstance(person.truth, float)
    assert round(person.truth, 2) == 82.23
    assert {slip: round(reply, 2) for slip, reply in slips.items() if isinstance(reply, float)} == {
        Slip.NEW: 26.47,
        Slip.OLD: 55.76,
        Slip.ZERO: 0.0,
        Slip.MEAN: 41.12,
        Slip.WRONG_WAY: 29.28,
        Slip.NEGATED: -82.23,
        Slip.TIMES_RATE: 0.0,
        Slip.TIMES_SAMPLES: 320.49,
    }


def test_backward_moves_no_weight_and_update_moves_it_against_the_slope() -> None:
    person = Person("line", "", Forward())
    name = next(iter(person.session.problem.parameters))
    value, rate = person.value(name, ()), person.session.frame.learning_rate
    slips = person.posed(Target(Asked.VALUE, name), Backward())
    grad = person.grad(name, (), after=True)
    assert person.truth == value
    near(slips[Slip.MOVED], value - rate * grad)
    near(slips[Slip.WRONG_WAY], value + rate * grad)
    person = Person("line", "", Forward(), Backward())
    slips = person.posed(Target(Asked.VALUE, name), Update())
    near(person.truth, value - rate * grad)
    near(slips[Slip.UNCHANGED], value)
    near(slips[Slip.WRONG_WAY], value + rate * grad)
    near(slips[Slip.WITHOUT_RATE], value - grad)
    near(slips[Slip.TIMES_RATE], rate * grad)
    person = Person("line", "", Forward(), Backward())
    slips = person.posed(Target(Asked.MOVE, name), Update())
    near(person.truth, -rate * grad)
    near(slips[Slip.WRONG_WAY], rate * grad)
    near(slips[Slip.WITHOUT_RATE], -grad)
    assert slips[Slip.UNCHANGED] == 0.0


def test_an_update_after_two_passes_uses_their_sum() -> None:
    person = Person("shared", "", ToggleZeroing(), RunEpochs(1), Forward(), Backward())
    where = ("w", (0, 1))
    rate, total = person.session.frame.learning_rate, person.grad(*where)
    old = Person("shared", "", ToggleZeroing(), RunEpochs(1)).grad(*where)
    value = person.value(*where)
    slips = person.posed(Target(Asked.VALUE, *where), Update())
    near(person.truth, value - rate * total)
    near(slips[Slip.NEW], value - rate * (total - old))
    near(slips[Slip.STALE], value - rate * old)


def test_momentum_and_decay_are_left_out() -> None:
    start = (RunEpochs(3), Forward(), Backward())
    person = Person("crops", "SGD(momentum=0.9, weight_decay=0.5)", *start)
    where = ("w", (0, 0))
    value, grad, rate = person.value(*where), person.grad(*where), person.session.frame.learning_rate
    slips = person.posed(Target(Asked.VALUE, *where), Update())
    near(slips[Slip.WITHOUT_MOMENTUM], value - rate * (grad + 0.5 * value))
    assert isinstance(person.truth, float)
    near(slips[Slip.WITHOUT_DECAY], person.truth + rate * 0.5 * value)
    person = Person("crops", "SGD(momentum=0.9)", *start)
    buffer = float(person.before.parameters[0].memory["momentum_buffer"][0, 0])
    slips = person.posed(Target(Asked.MEMORY, "w", (0, 0), "momentum_buffer"), Update())
    grad = person.grad(*where)
    near(person.truth, 0.9 * buffer + grad)
    near(slips[Slip.NEW], grad)
    near(slips[Slip.OLD], buffer)
    near(slips[Slip.SUM], buffer + grad)


def test_zero_is_a_gradient_and_none_is_not() -> None:
    start = [NextLine()] * 3
    person = Person("crops", "SGD(momentum=0.9)", *start, Zero())
    value, rate = person.value("w", (0, 0)), person.session.frame.learning_rate
    buffer = float(person.before.parameters[0].memory["momentum_buffer"][0, 0])
    slips = person.posed(Target(Asked.VALUE, "w", (0, 0)), Update())
    near(person.truth, value - rate * 0.9 * buffer)
    assert slips[Slip.UNCHANGED] == value
    person = Person("crops", "SGD(momentum=0.9)", *start, ToggleSetToNone(), Zero())
    assert person.before.parameters[0].grad is None
    slips = person.posed(Target(Asked.VALUE, "w", (0, 0)), Update())
    assert person.truth == value
    near(slips[Slip.MOVED], value - rate * 0.9 * buffer)


def test_adam_takes_no_step_of_gradient_descent() -> None:
    person = Person("crops", "Adam", Forward(), Backward(), rate=0.1)
    value, grad = person.value("w", (0, 0)), person.grad("w", (0, 0))
    slips = person.posed(Target(Asked.MOVE, "w", (0, 0)), Update())
    near(person.truth, -0.1 * math.copysign(1, grad))
    near(slips[Slip.PLAIN_STEP], -0.1 * grad)
    near(slips[Slip.WITHOUT_RATE], -grad)
    assert value


def test_clearing_writes_zeros_or_none() -> None:
    start = [NextLine()] * 3
    person = Person("crops", "", *start)
    old = person.grad("w", (0, 1))
    slips = person.posed(Target(Asked.GRAD, "w", (0, 1)), NextLine())
    assert person.truth == 0.0
    assert slips == {Slip.OLD: old, Slip.NONE: None}
    person = Person("crops", "", *start, ToggleSetToNone())
    slips = person.posed(Target(Asked.GRAD, "w", (0, 1)), NextLine())
    assert person.truth is None
    assert slips == {Slip.OLD: old, Slip.ZERO: 0.0}
    person = Person("crops", "", *start)
    slips = person.posed(Target(Asked.VALUE, "w", (0, 1)), NextLine())
    assert slips == {Slip.ZERO: 0.0}
    assert person.truth == person.value("w", (0, 1))


def test_two_paths_are_added() -> None:
    session = Session(problems.load("shared"))
    session.apply(Forward())
    found = None
    while found is None:
        exercise = asked(session, node=True)
        assert exercise is not None
        if exercise.working is Working.PATHS:
            found = exercise
        session.apply(StepNode())
    assert session.frame.backward is not None
    event = session.frame.backward.events[found.question.target.event - 1]
    first, last = (float(part[found.question.target.index]) for part in event.parts)  # type: ignore[union-attr]
    slips = dict(found.posed.slips)
    near(found.posed.truth, first + last)
    near(slips[Slip.LAST_PATH], last)
    near(slips[Slip.FIRST_PATH], first)
    near(slips[Slip.MEAN], (first + last) / 2)
    near(slips[Slip.PRODUCT], first * last)
    assert found.known[0].part is Part.PATH
    assert found.known[0].numbers == (first, last)


def test_a_node_multiplies_what_arrives_by_its_local_derivative() -> None:
    session = Session(problems.load("xor"))
    session.apply(Forward())
    seen = set()
    for _ in range(40):
        exercise = asked(session, node=True)
        if exercise is not None and exercise.working is Working.MULTIPLIED:
            known = {factor.part: factor.numbers[0] for factor in (*exercise.known, *exercise.given)}
            if exercise.help is not Help.ALONE and len(known) == 2:
                up, local = known[Part.UPSTREAM], known[Part.LOCAL]
                assert up is not None
                assert local is not None
                near(exercise.posed.truth, up * local)
                slips = dict(exercise.posed.slips)
                if Slip.UPSTREAM in slips:
                    near(slips[Slip.UPSTREAM], up)
                if Slip.LOCAL in slips:
                    near(slips[Slip.LOCAL], local)
                    near(slips[Slip.SUM], up + local)
                seen |= slips.keys()
        session.apply(StepNode())
        if not session.frame.in_pass:
            break
    assert {Slip.UPSTREAM, Slip.LOCAL, Slip.SUM, Slip.NEGATED, Slip.ZERO} <= seen


def test_the_other_operand_is_a_slip_of_its_own() -> None:
    x, y = torch.tensor([2.0, 3.0], requires_grad=True), torch.tensor([5.0, 7.0], requires_grad=True)
    session = Session(_of({"x": x, "y": y}, lambda _: x * y))
    session.apply(Forward())
    for _ in range(9):
        exercise = asked(session, node=True)
        session.apply(StepNode())
        slips = {} if exercise is None else dict(exercise.posed.slips)
        if exercise is not None and Slip.SWAPPED in slips:
            place, name = exercise.question.target.index[0], exercise.question.target.name
            up = exercise.known[0].numbers[0]
            assert up is not None
            own, other = (x, y) if name == "x" else (y, x)
            near(exercise.posed.truth, up * float(other.detach()[place]))
            near(slips[Slip.SWAPPED], up * float(own.detach()[place]))
            return
    raise AssertionError("no product was asked about")


def _of(parameters: dict[str, Tensor], model: Callable[[Tensor], Tensor]) -> Any:
    data = torch.tensor([1.0, -2.0])
    return problem(parameters, model, data, data)


def test_what_pytorch_refuses_is_a_truth_as_well() -> None:
    session = Session(problems.load("xor"))
    for action in (Forward(), Backward()):
        session.apply(action)
    exercise = session.put(Question(Target(Asked.OUTCOME), (Backward(),)))
    assert exercise.posed.truth is Choice.RAISES
    assert "second time" in exercise.posed.raised
    assert dict(exercise.posed.slips) == {Slip.RUNS: Choice.RUNS}
    position = session.frame.position
    frame = session.apply(Answer(exercise.question, "runs"))
    assert frame.prediction is not None
    assert frame.prediction.judged.slip is Slip.RUNS
    assert frame.position == position + 1


@pytest.mark.parametrize(("problem", "outcome"), [("crops", Choice.RUNS), ("xor", Choice.RAISES)])
def test_an_update_between_breaks_only_a_graph_that_saved_what_it_changed(
    problem: str, outcome: Choice
) -> None:
    session = Session(problems.load(problem))
    session.apply(RunEpochs(1))
    for action in (Forward(), Update()):
        session.apply(action)
    exercise = session.put(Question(Target(Asked.OUTCOME), (Backward(),)))
    assert exercise.posed.truth is outcome


# Who has looked ahead


def test_who_has_looked_ahead_is_known_on_whatever_branch() -> None:
    session = Session(problems.load("crops"))
    session.apply(Forward())
    target = Target(Asked.GRAD, "w", (0, 1))
    question = Question(target, (NextLine(),))
    assert not session.put(question).has_looked
    session.apply(NextLine())
    session.apply(Undo())
    assert session.put(question).has_looked
    frame = session.apply(Answer(question, "55.8"))
    assert frame.prediction is not None
    assert frame.prediction.is_right
    assert frame.prediction.after_looking
    assert not mastery(session.predictions, topic_of(frame.prediction.posed)).right
    session.apply(Reset())
    session.apply(Forward())
    assert session.put(question).has_looked


def test_half_of_a_pass_shows_only_the_gradients_that_it_has_written() -> None:
    session = Session(problems.load("crops"))
    session.apply(Forward())
    questions = {
        name: Question(Target(Asked.GRAD, name, index), (NextLine(),))
        for name, index in (("b", (0,)), ("w", (0, 1)))
    }
    while session.frame.backward is None or session.frame.backward.written is None:
        session.apply(StepNode())
    first = session.frame.backward.written
    other = "w" if first == "b" else "b"
    session.apply(GoTo(1))
    assert session.put(questions[first]).has_looked
    assert not session.put(questions[other]).has_looked


def test_each_question_is_about_another_element() -> None:
    session = Session(problems.load("crops"))
    session.apply(RunEpochs(1))
    session.apply(Forward())
    seen = [session.ask().question.target for _ in range(6)]
    assert len(set(seen)) == 6


# Mastery


def test_two_right_in_a_row_are_done_and_help_fades() -> None:
    session = Session(problems.load("crops"))
    helps, done = [], []
    session.apply(Forward())
    session.apply(Backward())
    for number in range(5):
        where = (0, number % 3)
        question = Question(Target(Asked.VALUE, "w", where), (Update(),))
        exercise = session.put(question)
        helps.append(exercise.help)
        done.append(exercise.is_done)
        session.apply(Answer(question, "12345" if number == 2 else said(exercise.posed.truth)))
    assert helps == [Help.WORKED, Help.FACTOR, Help.ALONE, Help.FACTOR, Help.ALONE]
    assert done == [False, False, True, True, True]


def test_help_shows_another_element_worked_out_and_one_factor() -> None:
    session = Session(problems.load("crops"))
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(1))
    session.apply(Forward())
    exercise = session.put(Question(Target(Asked.GRAD, "w", (0, 1)), (Backward(),)))
    assert exercise.working is Working.ADDED
    assert exercise.worked is not None
    assert exercise.worked.target != exercise.question.target
    (old,), (brought,) = exercise.known[0].numbers, exercise.given[0].numbers
    assert old is not None
    assert brought is not None
    near(exercise.posed.truth, old + brought)
    parts = {factor.part: factor.numbers[0] for factor in exercise.worked.factors}
    assert parts[Part.PRESENT] is not None
    assert parts[Part.BROUGHT] is not None
    near(exercise.worked.truth, parts[Part.PRESENT] + parts[Part.BROUGHT])


def test_a_first_gradient_comes_with_what_it_is_made_of() -> None:
    session = Session(problems.load("crops"))
    session.apply(Forward())
    exercise = session.put(Question(Target(Asked.GRAD, "w", (0, 1)), (Backward(),)))
    upstream, local = exercise.given
    assert (upstream.part, local.part) == (Part.UPSTREAM, Part.LOCAL)
    products = [a * b for a, b in zip(upstream.numbers, local.numbers, strict=True) if a and b]
    near(exercise.posed.truth, math.fsum(products))


# Bad input


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(Asked.GRAD, "v", (0, 0)), "there is no parameter 'v'"),
        (Target(Asked.GRAD, "w", (0, 9)), "there is no w[0, 9]"),
        (Target(Asked.VALUE, "w", (-1, 0)), "there is no w[-1, 0]"),
        (Target(Asked.VALUE, "w"), "there is no w"),
        (Target(Asked.GRADIENT, "w", (0, 0), event=99), "there is no event 99"),
        (Target(Asked.DIRECTION), "no two losses"),
    ],
)
def test_a_question_that_has_no_truth_here_is_refused_and_changes_nothing(target: Target, words: str) -> None:
    session = Session(problems.load("crops"))
    before = whole(session)
    for run in (
        lambda: session.put(Question(target, (NextLine(),))),
        lambda: session.apply(
            Answer(Question(target, (NextLine(),)), "1" if target.asked != Asked.DIRECTION else "falls")
        ),
    ):
        with pytest.raises(BadInput, match=words.replace("[", r"\[").replace("]", r"\]")):
            run()
        assert whole(session) == before


@pytest.mark.parametrize("text", ["", "  ", "x", "nan", "inf", "1e999", "82,2,x", "ä", "9" * 50, "runs"])
def test_an_answer_that_is_none_says_what_is_accepted_and_changes_nothing(text: str) -> None:
    session = Session(problems.load("crops"))
    before = whole(session)
    question = Question(Target(Asked.GRAD, "w", (0, 1)), (NextLine(),))
    with pytest.raises(BadInput, match="use a number"):
        session.apply(Answer(question, text))
    with pytest.raises(BadInput, match="use runs, raises"):
        session.apply(Answer(Question(Target(Asked.OUTCOME), (NextLine(),)), text if text != "runs" else "r"))
    assert whole(session) == before


def test_a_model_that_does_not_repeat_itself_is_not_asked_about() -> None:
    counter = iter(range(1000))
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    session = Session(_of({"w": w}, lambda x: w * next(counter)))
    for action in (Forward(), Backward(), Undo(), Backward()):
        session.apply(action)
    with pytest.raises(Refused) as caught:
        session.ask()
    assert caught.value.refusal.reason is Reason.NOT_REPEATABLE


# Saved, resumed, replayed, exported


def played(session: Session) -> list[str]:
    """Answer a question at each line of two epochs, sometimes by a slip; return the outcomes."""
    outcomes = []
    for number in range(10):
        exercise = session.ask()
        reply = exercise.posed.truth if number % 3 else exercise.posed.slips[0][1]
        frame = session.apply(Answer(exercise.question, said(reply)))
        assert frame.prediction is not None
        outcomes.append(frame.prediction.judged.outcome)
    return outcomes


@pytest.mark.parametrize("optimizer", [None, Optimizer("Adam")])
@pytest.mark.parametrize("split", [None, Batches("micro", 2)])
def test_a_saved_session_comes_back_with_its_predictions(
    optimizer: Optimizer | None, split: Batches | None, tmp_path: Path
) -> None:
    start = Start(problem="crops", optimizer=optimizer or HAND)
    session = open_session(start)
    writer = SessionWriter.new([tmp_path / "a.jsonl"], start)
    writer.follow(session)
    session.watch = writer.did
    if split is not None:
        session.apply(SetBatches(split))
    outcomes = played(session)
    assert writer.close()
    saved = read_session_file(tmp_path / "a.jsonl")
    assert [did.outcome for did in saved.actions if did.outcome] == outcomes
    replayed = replay(saved)
    assert replayed.mismatch is None
    assert replayed.session.predictions == session.predictions
    replayed.session.apply(Undo())
    assert replayed.session.frame.prediction == session.predictions[-2]


def test_a_changed_outcome_is_a_mismatch(tmp_path: Path) -> None:
    start = Start(problem="crops")
    session = open_session(start)
    writer = SessionWriter.new([tmp_path / "a.jsonl"], start)
    writer.follow(session)
    session.watch = writer.did
    played(session)
    assert writer.close()
    saved = read_session_file(tmp_path / "a.jsonl")
    records = [
        structs.replace(one, outcome="zero") if getattr(one, "outcome", "") == "right" else one
        for one in saved.records
    ]
    mismatch = replay(replace(saved, records=tuple(records))).mismatch
    assert mismatch is not None
    assert "judged as right here, as zero in the file" in mismatch.message


def test_an_export_repeats_predictions_as_comments() -> None:
    session = Session(problems.load("crops"))
    question = Question(Target(Asked.GRAD, "w", (0, 1)), (NextLine(),))
    session.apply(Forward())
    session.apply(Answer(question, "-55.8"))
    session.apply(Answer(Question(Target(Asked.VALUE, "b", (0,)), (NextLine(),)), "0.34"))
    made = export(Start(problem="crops"), session.line())
    words = " ".join(line.removeprefix("# ") for line in made.script.splitlines() if line.startswith("#"))
    assert "Prediction, before it ran: w.grad[0, 1] is -55.8. PyTorch: w.grad[0, 1] is 55.7572." in words
    assert "Wrong, by the slip `negated`." in words
    assert "Right." in words
    exec(compile(made.script, "export", "exec"), {"__name__": "__main__"})


# A learner's own script

OWN = """
import torch
from torch import nn
torch.manual_seed(0)
X = torch.randn(24, 3)
y = X @ torch.tensor([1.0, -2.0, 0.5])
data = torch.utils.data.TensorDataset(X, y)
loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Tanh(), nn.Linear(4, 1))
opt = torch.optim.{optimizer}
for epoch in range(5):
    for xb, yb in loader:
        pred = model(xb).squeeze(1)
        loss = nn.functional.mse_loss(pred, yb)
        print("loss", loss.item())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
"""


@pytest.mark.parametrize(
    "optimizer", ["SGD(model.parameters(), lr=0.05, momentum=0.9)", "Adam(model.parameters())"]
)
def test_a_script_is_asked_about_at_every_line_and_stays_as_it_is(optimizer: str, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN.format(optimizer=optimizer))
    session, plain = open_session(start_from(str(path))), open_session(start_from(str(path)))
    doings = set()
    for _ in range(12):
        state, printed = session.state, session.problem.printed.lines
        exercise = session.ask()
        assert session.state is state
        assert session.problem.printed.lines == printed
        doings.add(exercise.posed.doing)
        frame = session.apply(Answer(exercise.question, said(exercise.posed.truth)))
        assert frame.prediction is not None
        assert frame.prediction.posed == exercise.posed
        assert frame.prediction.is_right
        for action in exercise.question.after:
            plain.apply(action)
        assert session.problem.printed.lines == plain.problem.printed.lines
        for mine, other in zip(frame.parameters, plain.frame.parameters, strict=True):
            assert (bits(mine.value), bits(mine.grad)) == (bits(other.value), bits(other.grad))
    assert {Doing.FORWARD, Doing.ZERO, Doing.BACKWARD, Doing.CLIP, Doing.UPDATE} <= doings


def test_the_export_of_a_script_names_the_predictions(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN.format(optimizer="SGD(model.parameters(), lr=0.05)"))
    session = open_session(start_from(str(path)))
    session.apply(NextLine())
    for _ in range(4):
        exercise = session.ask()
        session.apply(Answer(exercise.question, said(exercise.posed.truth)))
    script = export(start_from(str(path)), session.line()).script
    words = " ".join(line.removeprefix("# ") for line in script.splitlines() if line.startswith("#"))
    assert words.count("Round 1. Prediction, before it ran: ") == 4
    assert words.count("Right.") == 4


def test_a_line_that_hands_control_on_is_not_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        """
import asyncio
import torch
w = torch.tensor([1.0, 2.0], requires_grad=True)
async def main():
    for _ in range(9):
        loss = (w ** 2).sum()
        loss.backward()
        await asyncio.sleep(0)
        with torch.no_grad():
            w.sub_(w.grad, alpha=0.1)
        w.grad = None
asyncio.run(main())
"""
    )
    session = open_session(start_from(str(path)))
    reasons = []
    for _ in range(5):
        try:
            exercise = session.ask()
            session.apply(Answer(exercise.question, said(exercise.posed.truth)))
        except Refused as refused:
            reasons.append(refused.refusal.reason)
            session.apply(NextLine())
    assert Reason.HANDS_ON in reasons
    assert len(session.predictions) >= 2


KINDS = (
    "closure of LBFGS",
    "epochs over batches",
    "parts added up in an inner loop",
    "several losses, each backpropagated",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_script_that_is_asked_about_goes_on_as_one_that_is_not(kind: str, tmp_path: Path) -> None:
    def gone_through(*, ask: bool) -> list[Any]:
        session, points = open_session(start_from(str(written(kind, tmp_path)))), list[Any]()
        for _ in range(8):
            with suppress(Refused):
                if ask:
                    session.ask()
            frame = session.apply(NextLine())
            grads = [bits(one.grad) for one in frame.parameters]
            points.append((frame.next, frame.loss, [bits(one.value) for one in frame.parameters], grads))
        return points

    assert gone_through(ask=True) == gone_through(ask=False)
