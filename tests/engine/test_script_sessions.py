"""A session on a script's own loop has the script's bits, at every point and on every way to it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from msgspec import structs

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    RunOuter,
    StepNode,
    StepNodeBack,
    ToggleStatement,
    Undo,
    Update,
    Zero,
)
from gradstep.analysis.judgement import Finding
from gradstep.capture.obstacles import Fact
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.loop.conventions import Names
from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.opening import open_session
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from gradstep.script_training.script_session import ScriptSession
from gradstep.scripts.script_errors import ScriptError
from gradstep.session import Session
from gradstep.start import start_from
from gradstep.tensors.memory import memory_of
from tests.engine.captured_runs import captured, values_of
from tests.engine.test_capture import FILES, _settings, written

__all__ = ["_settings"]

ROUNDS = 6

WITHOUT_NAMES = ("an exception ends the loop of an epoch",)
"""Kinds in which a statement of the first rounds raises."""


def opened(path: Path) -> ScriptSession:
    session = open_session(start_from(str(path)))
    assert isinstance(session, ScriptSession)
    return session


def bits(frame: Frame) -> list[object]:
    """Return all numbers of a frame that training makes, in comparable form."""
    found: list[object] = [frame.epoch, str(frame.loss), frame.next]
    for parameter in frame.parameters:
        tensors = (parameter.value, parameter.grad, *parameter.memory.values())
        found += [None if tensor is None else tensor.flatten().tolist() for tensor in tensors]
    return [repr(one) for one in found]


def after(session: Session, *actions: Action) -> list[object]:
    for action in actions:
        with suppress(EngineError):
            session.apply(action)
    return bits(session.frame)


@pytest.mark.parametrize("kind", FILES)
def test_rounds_by_statements_and_at_full_speed_have_the_bits_of_the_script(
    kind: str, tmp_path: Path
) -> None:
    path = written(kind, tmp_path)
    session = opened(path)
    if kind in WITHOUT_NAMES:
        return
    first = session.frame
    assert first.epoch == 0
    alone = captured(path)  # which has the bits of the script by itself: see test_capture
    alone.run(ROUNDS)
    plain = values_of(alone.names)
    start = bits(first)
    while session.frame.epoch < ROUNDS:
        session.apply(NextLine())
    stepped = bits(session.frame)
    for parameter in session.frame.parameters:
        wanted = plain.get(parameter.name)
        assert wanted is None or torch.equal(wanted, parameter.value), parameter.name
    assert after(session, GoTo(0)) == start
    session.apply(RunEpochs(ROUNDS))
    assert bits(session.frame) == stepped
    assert after(session, Undo()) == start
    assert after(session, Redo()) == stepped
    assert session.loop.is_exact


def test_what_cannot_be_stepped_of_coroutines_is_a_note(tmp_path: Path) -> None:
    facts = opened(written("coroutines that overtake each other", tmp_path)).facts
    assert [noticed.fact for noticed in facts] == [Fact.HANDS_OUT, Fact.OVERTAKES]
    facts = opened(written("await in the loop", tmp_path)).facts
    assert [noticed.fact for noticed in facts] == [Fact.HANDS_OUT]
    assert not opened(written("top level", tmp_path)).facts


def test_the_first_rounds_tell_what_each_statement_does(tmp_path: Path) -> None:
    session = opened(written("epochs over batches", tmp_path))
    loop = session.frame.loop
    roles = {statement.lines[0]: statement.role for statement in loop.statements}  # type: ignore[union-attr]
    assert roles == {
        "loss = loss_fn(model(xb), yb)": Role.LOSS,
        "optimizer.zero_grad()": Role.ZERO,
        "loss.backward()": Role.BACKWARD,
        "optimizer.step()": Role.UPDATE,
        "total += loss.item()": Role.OTHER,
    }
    assert loop.is_enabled(Kind.ZERO)
    assert session.frame.epoch == 0
    assert not session.problem.printed.lines


def test_a_pass_is_stepped_node_by_node_with_the_scripts_expressions(tmp_path: Path) -> None:
    session = opened(written("epochs over batches", tmp_path))
    start = bits(session.frame)
    session.apply(StepNode())
    assert session.frame.step is not None
    assert session.frame.step.source == "loss_fn(model(xb), yb)"
    there = bits(session.frame)
    assert [parameter.grad for parameter in session.frame.parameters] == [None] * 4
    session.apply(StepNode())
    assert after(session, StepNodeBack()) == there
    while session.frame.in_pass:
        session.apply(StepNode())
    finished = bits(session.frame)
    session.apply(NextLine())
    assert after(session, Undo()) == finished
    assert after(session, GoTo(0)) == start
    assert after(session, NextLine(), NextLine(), NextLine()) == finished


def test_a_node_of_the_next_pass_comes_after_the_rest_of_the_round(tmp_path: Path) -> None:
    session = opened(written("top level", tmp_path))
    session.apply(RunEpochs(1))
    session.apply(StepNode())
    there = bits(session.frame)
    assert after(session, GoTo(0), NextLine(), NextLine(), NextLine(), StepNode()) == there


def test_the_four_keys_run_a_round_wherever_the_script_zeroes(tmp_path: Path) -> None:
    session = opened(written("top level", tmp_path))
    whole = after(session, RunEpochs(1))
    session.apply(GoTo(0))
    assert after(session, Forward(), Backward(), Update()) == whole
    session.apply(Zero())
    assert all(one.grad is None or not one.grad.any() for one in session.frame.parameters)
    session.apply(RunEpochs(2))
    assert session.frame.epoch == 3


def test_an_epoch_of_the_outer_loop_ends_where_the_next_begins(tmp_path: Path) -> None:
    session = opened(written("epochs over batches", tmp_path))
    session.apply(RunOuter())
    assert [head.rounds for head in session.frame.loop.heads] == [2, 1]  # type: ignore[union-attr]
    assert session.frame.epoch == 5
    there = bits(session.frame)
    session.apply(NextLine())
    session.apply(RunOuter())
    assert session.frame.epoch == 10
    assert after(session, GoTo(1)) == there


def test_a_statement_that_is_commented_out_does_not_run(tmp_path: Path) -> None:
    session = opened(written("top level", tmp_path))
    zero = session.frame.loop.keys_of(Kind.ZERO)[0]  # type: ignore[union-attr]
    plain = after(session, RunEpochs(5))
    session.apply(Reset())
    session.apply(ToggleStatement(zero))
    assert session.verdict().finding is Finding.ACCUMULATES
    piled = after(session, RunEpochs(5))
    assert piled != plain
    comparison = session.twin()
    assert comparison.first is not None
    assert comparison.first.epoch == 3  # the weights after the second round differ
    assert bits(session.frame) == piled
    session.apply(Reset())
    assert after(session, ToggleStatement(zero), RunEpochs(5)) == plain
    assert session.verdict().finding is Finding.EQUIVALENT


def test_a_loop_that_has_run_to_its_end_can_be_taken_back(tmp_path: Path) -> None:
    session = opened(written("top level", tmp_path))
    start = bits(session.frame)
    session.apply(RunEpochs(3))
    there = bits(session.frame)
    session.apply(RunEpochs(1_000))
    assert session.frame.loop.over  # type: ignore[union-attr]
    end = bits(session.frame)
    assert after(session, Undo()) == there
    assert after(session, Redo()) == end
    assert after(session, GoTo(0)) == start


RAISES_IN_ROUND_6 = """
import torch
w = torch.zeros(2, requires_grad=True)
for step in range(100):
    loss = ((w - 1) ** 2).sum()
    w.grad = None
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    if step == 5:
        raise ValueError("five")
"""


@pytest.mark.parametrize("edit", [None, ToggleStatement(1)])
def test_a_round_that_raises_leaves_the_session_where_it_raised(edit: Action | None, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(RAISES_IN_ROUND_6, encoding="utf-8")
    session = opened(path)
    if edit is not None:
        session.apply(edit)
    start = bits(session.frame)
    with pytest.raises(EngineError, match="five"):
        session.apply(RunEpochs(20))
    assert session.frame.epoch == 5
    assert session.frame.next == 4
    there = bits(session.frame)
    with pytest.raises(EngineError, match="five"):
        session.apply(NextLine())
    assert after(session, GoTo(0 if edit is None else 1)) == start
    assert after(session, Redo()) == there


def saved_as(path: Path, session: Session, *actions: Action) -> Path:
    assert session.origin is not None
    writer = SessionWriter.new([path], session.origin)
    writer.follow(session)
    session.watch = writer.did
    for action in actions:
        session.apply(action)
    writer.close()
    return path


def test_a_saved_session_is_resumed_by_running_the_script_again(tmp_path: Path) -> None:
    script = written("a package beside the script", tmp_path)
    session = opened(script)
    actions = (NextLine(), StepNode(), StepNode(), RunEpochs(3), Undo(), NextLine())
    path = saved_as(tmp_path / "session.jsonl", session, *actions)
    replayed = replay(read_session_file(path))
    assert replayed.mismatch is None
    assert bits(replayed.session.frame) == bits(session.frame)
    module = next(file for file in tmp_path.glob("*/*.py") if "backward" in file.read_text(encoding="utf-8"))
    module.write_text(f"{module.read_text(encoding='utf-8')}\n# edited\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=f"{module.name}, which the script imports, has changed"):
        replay(read_session_file(path))


def test_a_session_that_was_saved_on_gradsteps_loop_goes_on_there(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    text = FILES["top level"]["train.py"].replace("epoch in range(40)", "epoch in range(1)")
    script.write_text(text, encoding="utf-8")
    start = start_from(str(script), names=Names(loss="loss_fn"))
    session = open_session(start)
    assert not isinstance(session, ScriptSession)
    assert session.origin is not None
    session.origin = structs.replace(session.origin, names=None)
    path = saved_as(tmp_path / "session.jsonl", session, RunEpochs(2))
    replayed = replay(read_session_file(path))
    assert not isinstance(replayed.session, ScriptSession)
    assert replayed.mismatch is None


ADAM_PRINTS = """
import torch

model = torch.nn.Linear(30, 30)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x, y = torch.randn(8, 30), torch.randn(8, 30)
for epoch in range(10):
    optimizer.zero_grad()
    loss = (model(x) - y).pow(2).mean()
    loss.backward()
    optimizer.step()
    print(epoch)
    print(loss.item())
"""


def test_states_of_a_round_share_the_copies_of_what_did_not_change(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(ADAM_PRINTS)
    session = opened(path)
    session.apply(RunEpochs(2))
    size = sum(parameter.value.nbytes for parameter in session.frame.parameters)
    states = [session.state]
    alone = memory_of(states[0].trainer.numbers())
    assert sum(alone.values()) < 5 * size  # value, gradient and two averages: each copied once
    for _ in range(6):
        session.apply(NextLine())
        states.append(session.state)
    together = memory_of(tensor for state in states for tensor in state.trainer.numbers())
    assert sum(together.values()) <= 2 * sum(alone.values())  # one round changes each of the four once
    assert states[-1].epoch == 3
