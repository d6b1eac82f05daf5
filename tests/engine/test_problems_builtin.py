"""Each built-in problem shows the one idea that it promises, in numbers that can be measured."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from gradstep import problems
from gradstep.actions import Backward, Forward, RunEpochs
from gradstep.autograd.events import NodeEvent, PathsEvent
from gradstep.derivatives import explain
from gradstep.frame import Frame
from gradstep.problem import Problem
from gradstep.session import Session
from tests.engine.recording_checks import bits
from tests.engine.test_derivatives_formulas import assert_formulas_give_what_pytorch_made, known_nodes
from tests.session_strategies import Plain

ENOUGH = {"classify": 0.05, "crops": 300, "dead-relu": 0.1, "line": 0.03, "logistic": 0.3, "quadratic": 0.03}
ENOUGH |= {"broadcast": 11.9915, "twice-softmax": 0.6}
ENOUGH |= {"rnn": 0.006, "shared": 0.001, "xor": 0.01, "deep": 0.19}
"""The loss that each has come below after 200 epochs."""


def passed(name: str) -> Frame:
    session = Session(problems.load(name))
    session.apply(Forward())
    return session.apply(Backward())


def norms(frame: Frame) -> list[float]:
    return [float(one.grad.norm()) for one in frame.parameters if one.grad is not None]


@pytest.mark.parametrize("name", problems.names())
def test_it_trains_with_its_own_learning_rate(name: str) -> None:
    session = Session(problems.load(name))
    session.apply(Forward())
    first = session.frame.loss
    last = session.apply(RunEpochs(200)).loss
    assert first is not None
    assert last is not None
    assert last < ENOUGH[name] < first


@pytest.mark.parametrize("name", problems.names())
def test_its_epochs_have_the_bits_of_the_plain_loop(name: str) -> None:
    session, plain = Session(problems.load(name)), Plain(problems.load(name))
    frame = session.apply(RunEpochs(25))
    plain.epochs(25, plain.problem.learning_rate)
    found = [bits(one.value) for one in frame.parameters], [bits(one.grad) for one in frame.parameters]
    assert found == plain.state()


@pytest.mark.parametrize("name", problems.names())
def test_every_event_is_explained_and_every_formula_gives_what_pytorch_made(name: str) -> None:
    session = Session(problems.load(name))
    session.apply(Forward())
    session.apply(Backward())
    passing = session.state.passing
    assert passing is not None
    trace = passing.trace
    nodes = [event for event in trace.events if isinstance(event, NodeEvent)]
    assert len(list(known_nodes(trace))) == len(nodes)
    for event in trace.events:
        explained = explain(event, trace)
        assert explained.words
    for event in nodes:
        assert_formulas_give_what_pytorch_made(event)
        if event.accumulation is None:
            assert event.source is not None


@pytest.mark.parametrize("name", problems.names())
def test_it_is_short_and_its_first_line_is_its_idea(name: str) -> None:
    text = problems.path_of(name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 110
    idea = problems.idea_of(name)
    assert idea.endswith(".")
    assert text.startswith(f'"""{idea}')


@pytest.mark.parametrize("name", problems.names())
def test_its_loop_fits_the_bench(name: str) -> None:
    lines = [line for one in problems.load(name).reference_loop().statements for line in one.lines]
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 34


def test_in_deep_the_gradient_vanishes_layer_by_layer() -> None:
    found = norms(passed("deep"))
    assert all(before * 4 < after for before, after in pairwise(found))
    assert found[0] * 1_000 < found[-1]


def test_in_dead_relu_one_unit_never_moves() -> None:
    session = Session(problems.load("dead-relu"))
    start = session.frame.parameters
    for _ in range(5):
        session.apply(RunEpochs(40))
        session.apply(Forward())
        frame = session.apply(Backward())
        for old, new in zip(start[:2], frame.parameters[:2], strict=True):
            assert new.grad is not None
            assert float(new.grad[1]) == 0.0
            assert torch.equal(old.value[1], new.value[1])
            assert not torch.equal(old.value[0], new.value[0])


def test_in_shared_two_paths_meet_at_the_weight() -> None:
    backward = passed("shared").backward
    assert backward is not None
    (paths,) = (event for event in backward.events if isinstance(event, PathsEvent))
    assert len(paths.parts) == 2
    assert torch.equal(paths.parts[0] + paths.parts[1], paths.total)
    assert backward.events[-1].node == paths.node


def test_in_rnn_one_weight_gets_a_part_from_every_step() -> None:
    backward = passed("rnn").backward
    assert backward is not None
    counts = [len(event.parts) for event in backward.events if isinstance(event, PathsEvent)]
    assert counts == [4, 4]


def test_in_quadratic_one_direction_is_done_long_before_the_other() -> None:
    steep, flat = Session(problems.load("quadratic")).apply(RunEpochs(20)).parameters[0].value.tolist()
    assert abs(steep) < 1e-5
    assert flat > 0.7
    session = Session(problems.load("quadratic"), 0.021)
    assert (session.apply(RunEpochs(100)).loss or 0.0) > 1_000


def test_in_xor_no_straight_line_would_do() -> None:
    frame = Session(problems.load("xor")).apply(RunEpochs(400))
    assert frame.preds is not None
    assert [round(one) for one in frame.preds.flatten().tolist()] == [0, 1, 1, 0]


def test_in_classify_the_gradient_is_probability_minus_truth() -> None:
    problem: Problem = problems.load("classify")
    frame = passed("classify")
    assert frame.preds is not None
    truth = torch.nn.functional.one_hot(problem.targets, 3)
    expected = (torch.softmax(frame.preds, 1) - truth).mean(0)
    torch.testing.assert_close(frame.parameters[1].grad, expected)


def test_both_spellings_of_a_name_are_one_problem() -> None:
    assert problems.load("dead_relu").name == problems.load("dead-relu").name == "dead-relu"
    assert Path(problems.path_of("dead-relu")).stem == "dead_relu"
