"""What a statement of a script's own loop did: told by what changed, with true numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradstep.actions import GoTo, NextLine, RunEpochs, Undo
from gradstep.opening import load_session
from gradstep.session import Session
from gradstep.statement_steps.script_variables import MOST_NUMBERS, copies_of, names_in
from gradstep.statement_steps.statement_facts import EpochsStep, LossForm, OwnStep, UpdateStep, ZeroStep

SCRIPT = '''"""A line through points, by mini-batches.

Each row has two numbers."""
import torch
from torch import nn
torch.manual_seed(0)
X = torch.randn(32, 2)
Y = X @ torch.tensor([[3.0], [-1.0]]) + 0.5
model = nn.Linear(2, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.MSELoss()
for i in range(0, 32, 8):
    x, y = X[i:i + 8], Y[i:i + 8]
    preds = model(x)
    loss = criterion(preds, y)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
'''


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    script: Path = tmp_path_factory.mktemp("own") / "mine.py"
    script.write_text(SCRIPT)
    return load_session(str(script))


@pytest.fixture(scope="module")
def points(session: Session) -> dict[str, int]:
    """The number of the history's point after each statement of the first round."""
    found = {"start": 0}
    for name in ("batch", "preds", "loss", "zero", "backward", "clip", "step"):
        found[name] = session.apply(NextLine()).position
    return found


def test_the_script_is_described_with_its_loop(session: Session, points: dict[str, int]) -> None:
    lesson = session.apply(GoTo(points["start"])).lesson
    assert lesson is not None
    assert lesson.statement is None
    about = lesson.about
    assert about.idea == "A line through points, by mini-batches."
    assert about.loop is not None
    assert about.loop.line == 12
    assert about.file == "mine.py"


def test_a_statement_tells_the_variables_that_it_assigned_and_used(
    session: Session, points: dict[str, int]
) -> None:
    step = session.apply(GoTo(points["batch"])).statement
    assert isinstance(step, OwnStep)
    assert [value.name for value in step.assigned] == ["x", "y"]
    assert [value.name for value in step.used] == ["X", "i", "Y"]
    assert step.assigned[0].shape == (8, 2)


def test_the_loss_is_told_as_a_sum_over_the_batch(session: Session, points: dict[str, int]) -> None:
    frame = session.apply(GoTo(points["loss"]))
    step = frame.statement
    assert isinstance(step, OwnStep)
    assert step.samples is not None
    assert step.samples.names == ("x", "y", "preds")
    assert step.samples.loss is not None
    assert step.samples.loss.form is LossForm.SQUARES
    assert step.loss == frame.loss
    assert frame.lesson is not None
    assert frame.lesson.samples is not None


def test_gradients_and_parameters_tell_what_zeroed_clipped_and_updated(
    session: Session, points: dict[str, int]
) -> None:
    zero = session.apply(GoTo(points["zero"])).statement
    assert isinstance(zero, ZeroStep)
    assert zero.to_none
    assert session.apply(GoTo(points["backward"])).statement is None
    clip = session.apply(GoTo(points["clip"])).statement
    assert isinstance(clip, ZeroStep)
    assert not clip.zeroes
    update = session.apply(GoTo(points["step"])).statement
    assert isinstance(update, UpdateStep)
    assert update.by_rule
    assert update.learning_rate == 0.1
    for moved in update.parameters:
        assert moved.grad is not None
        torch.testing.assert_close(moved.after, moved.before - 0.1 * moved.grad)


def test_rounds_are_told_in_sum_and_an_undo_tells_what_ran_before(
    session: Session, points: dict[str, int]
) -> None:
    session.apply(GoTo(points["step"]))
    step = session.apply(RunEpochs(2)).statement
    assert isinstance(step, EpochsStep)
    assert step.epochs == 2
    assert step.updates is None
    assert isinstance(session.apply(Undo()).statement, UpdateStep)


@pytest.mark.parametrize(
    ("text", "assigned", "used"),
    [
        ("x, y = batch", ("x", "y"), ("batch",)),
        ("w -= lr * w.grad", ("w",), ("lr",)),
        ("loss = ((preds - y) ** 2).mean()", ("loss",), ("preds", "y")),
        ("def f(a):\n    b = a\n", (), ()),
        ("with torch.no_grad():\n    total += loss.item()\n", ("total",), ("torch", "loss")),
        ("return loss", (), ("loss",)),
        ("broken (", (), ()),
    ],
)
def test_names_of_a_statement(text: str, assigned: tuple[str, ...], used: tuple[str, ...]) -> None:
    assert names_in(text) == (assigned, used)


def test_large_tensors_keep_their_shape_and_no_numbers() -> None:
    large, count = torch.zeros(MOST_NUMBERS + 1), [1]
    found = copies_of(names_in("large, count = 1, 2"), {"large": large, "count": count}, {})
    assert found["large"].value is None
    assert found["large"].shape == (MOST_NUMBERS + 1,)
    assert found["count"].kind == "list"


def test_copies_do_not_follow_the_variables() -> None:
    x = torch.ones(3)
    kept = copies_of(names_in("x = 1"), {"x": x}, {})["x"].value
    x.zero_()
    assert isinstance(kept, Tensor)
    assert kept.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("before", [0, 2, 3])
def test_a_loop_that_ends_in_a_run_shows_the_same_when_the_run_is_done_again(
    before: int, tmp_path: Path
) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT)
    live, again = load_session(str(script)), load_session(str(script))
    for session in (live, again):
        for _ in range(before):
            session.apply(RunEpochs(1))
    live.apply(RunEpochs(100))
    (*_, did) = live.line()  # as it is saved: the rounds that have run
    assert did == RunEpochs(4 - before)
    one, other = live.frame, again.apply(did)
    assert one.loop == other.loop
    assert one.loop.over
    assert (one.backward is None) == (other.backward is None) == (before < 3)
    shown = [frame.lesson.samples if frame.lesson else None for frame in (one, other)]
    assert shown[0] is not None
    assert shown[1] is not None
    assert shown[0].names == shown[1].names == ("x", "y", "preds")
    assert torch.equal(shown[0].targets, shown[1].targets)
    assert torch.equal(shown[0].preds, shown[1].preds)
    for name in ("model.weight", "model.bias"):
        lines = [[type(line) for line in frame.ledger.newest_first(name)] for frame in (one, other)]
        assert lines[0] == lines[1]
