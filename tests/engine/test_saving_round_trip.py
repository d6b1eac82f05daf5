"""What is saved comes back: the same actions, to the same bits."""

from __future__ import annotations

import math
import tempfile
from itertools import count as counting
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    Redo,
    RunEpochs,
    SetLearningRate,
    ToggleStatement,
    Undo,
    Update,
)
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.saving.fingerprint import bits_of, numbers_of
from gradstep.saving.reader import read_session_file
from gradstep.saving.records import StoredSummary, record_decoder
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start
from tests.engine.recording_checks import bits
from tests.saved_sessions import SOME, act, any_action, leave, picture, saved_at
from tests.session_strategies import PROBLEMS, orders, rates, session_with


def stop_after(asked: int):
    questions = counting(1)
    return lambda: next(questions) >= asked


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(PROBLEMS)),
    rate=rates,
    steps=st.lists(st.tuples(any_action, st.sampled_from([1, 2, 3, 99])), max_size=20),
    reopened=st.sets(st.integers(0, 19), max_size=2),
)
def test_any_actions_come_back_to_the_same_bits(name, rate, steps, reopened) -> None:
    """Also those that were stopped or that PyTorch refused half-way, and over several sittings."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        crops = problems.load

        def load(name: str, seed: int | None = None) -> object:
            torch.manual_seed(7)
            return crops(name, seed) if name == "crops" else PROBLEMS[name]()

        patch.setattr(problems, "load", load)
        start, path = Start(name, None, rate), Path(folder, "session.jsonl")
        session = open_session(start)
        writer = SessionWriter.new([path], start)
        writer.follow(session)
        for number, (action, asked) in enumerate(steps):
            act(session, action, writer, stop_after(asked))
            if number in reopened and writer.flush() and writer.path:
                leave(writer, in_order=asked > 1)
                writer = SessionWriter.reopen(path)
                session = replay(writer.saved).session
                writer.follow(session)
        assert writer.close()
        if not path.exists():
            assert picture(session) == picture(open_session(start))
            return
        saved = read_session_file(path)
        again = replay(saved)
        assert again.mismatch is None
        assert again.done == len(saved.actions)
        assert picture(again.session) == picture(session)
        assert saved.closed


@settings(max_examples=150)
@given(orders, st.data())
def test_a_stopped_run_is_told_as_one_of_the_epochs_that_ran(order, data) -> None:
    """Also in a loop, and from a point in it, where the first epoch of the run ends two."""
    before = data.draw(st.lists(any_action, max_size=6))
    asked, epochs = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))
    one, other = session_with(PROBLEMS["line"](), 0.01, order), session_with(PROBLEMS["line"](), 0.01, order)
    for action in before:
        act(one, action), act(other, action)
    told: list[Action] = []
    one.watch = lambda action, state, error: told.append(action)
    refused = act(one, RunEpochs(epochs), None, stop_after(asked))
    for action in told:
        assert act(other, action) == refused
    assert picture(one) == picture(other)


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_a_stopped_run_whose_first_epoch_leaves_one_behind_is_counted_right(asked: int) -> None:
    def at_its_start() -> Session:
        session = open_session(Start())
        for action in (Forward(), Backward(), Update(), *map(ToggleStatement, list(Kind)[1:])):
            session.apply(action)
        return session

    one, other = at_its_start(), at_its_start()
    before, told = one.state, list[Action]()
    one.watch = lambda action, state, error: told.append(action)
    one.apply(RunEpochs(9), stop_after(asked))
    assert one.state.epoch - before.epoch == asked + 1
    assert told == [RunEpochs(asked)]
    other.apply(RunEpochs(asked))
    assert picture(one) == picture(other)


def test_a_session_without_actions_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    writer = SessionWriter.new([path], Start())
    writer.follow(open_session(Start()))
    assert writer.flush()
    assert writer.close()
    assert not list(tmp_path.iterdir())


def test_what_changed_nothing_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path, [Undo(), Forward(), Redo(), RunEpochs(0), SetLearningRate(-1)])
    assert [did.action for did in read_session_file(path).actions] == [Forward()]


def test_the_file_says_where_and_with_what(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    start = Start("crops", 2**64 - 1, 1e-6)
    saved_at(path, SOME, start)
    saved = read_session_file(path)
    assert saved.header.version == 1
    assert saved.header.start == start
    assert saved.header.environment.torch == torch.__version__
    assert saved.header.environment.threads == torch.get_num_threads()
    assert [did.action for did in saved.actions] == list(SOME)
    assert [did.number for did in saved.actions] == list(range(1, len(SOME) + 1))
    assert (saved.closed, saved.whole, saved.size) == (False, True, path.stat().st_size)


def test_a_session_that_is_taken_up_again_says_so_with_its_first_action(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    saved_at(path, [Forward()], close=True)
    for actions in ([], [Forward()]):
        writer = SessionWriter.reopen(path)
        session = replay(writer.saved).session
        writer.follow(session)
        for action in actions:
            act(session, action, writer)
        assert writer.close()
    kinds = [type(record).__name__ for record in read_session_file(path).records]
    assert kinds == ["Did", "Closed", "Opened", "Did", "Closed"]


def test_the_numbers_in_the_file_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = saved_at(path)
    last = read_session_file(path).actions[-1]
    for parameter in session.frame.parameters:
        assert bits(torch.tensor(last.numbers[parameter.name])) == bits(parameter.value)
        assert bits(torch.tensor(last.numbers[f"{parameter.name}.grad"])) == bits(parameter.grad)
    assert last.loss == session.frame.loss


def test_a_loss_that_is_inf_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    session = saved_at(path, [SetLearningRate(1e300), RunEpochs(3)])
    saved = read_session_file(path)
    assert float(saved.actions[-1].loss) == session.frame.loss == math.inf or math.isnan(session.frame.loss)
    assert replay(saved).mismatch is None


# The fingerprint

MADE = {
    "one": torch.tensor(1.0),
    "minus zero": torch.tensor([-0.0]),
    "zero": torch.tensor([0.0]),
    "nan": torch.tensor([math.nan]),
    "other nan": torch.tensor([0x7FC00001], dtype=torch.int32).view(torch.float32),
    "inf": torch.tensor([[math.inf, -math.inf]]),
    "double": torch.tensor([0.0], dtype=torch.float64),
    "half": torch.tensor([1.5, 2.0], dtype=torch.bfloat16),
    "complex": torch.tensor([1 + 2j]),
    "flat": torch.zeros(2),
    "row": torch.zeros(1, 2),
    "empty": torch.zeros(0),
    "large": torch.arange(64.0).reshape(8, 8),
    "large, turned": torch.arange(64.0).reshape(8, 8).t(),
    "deep": torch.zeros(1, 1, 1, 1, 1, 2),
    "none": None,
}


def test_tensors_that_differ_in_a_bit_have_other_fingerprints() -> None:
    found = {name: bits_of({"w": tensor}) for name, tensor in MADE.items()}
    assert len(set(found.values())) == len(found)
    assert all(len(one) == 16 for one in found.values())
    assert bits_of({"w": MADE["one"]}) != bits_of({"v": MADE["one"]})
    assert bits_of({"a": MADE["one"], "b": None}) != bits_of({"a": None, "b": MADE["one"]})


@pytest.mark.parametrize("name", MADE)
def test_any_tensor_can_stand_in_a_file(name: str) -> None:
    tensor = MADE[name]
    numbers = numbers_of({"w": tensor})
    from gradstep.saving.records import Did, encoder

    did = Did(1, Forward(), 0, "nan", bits_of({"w": tensor}), numbers)
    assert record_decoder.decode(encoder.encode(did)) == did
    if isinstance(tensor, Tensor) and tensor.numel() > 32:
        assert numbers["w"] == StoredSummary(2016.0, math.sqrt(85344.0))


def test_a_clone_has_the_same_fingerprint() -> None:
    tensors = {name: tensor for name, tensor in MADE.items() if tensor is not None}
    assert bits_of(tensors) == bits_of({name: one.clone() for name, one in tensors.items()})
