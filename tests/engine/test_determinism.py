"""What PyTorch does not hold is not undone; it is repeated where that can be, and said where it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gradstep import problems
from gradstep.actions import Action, Backward, Forward, RunEpochs, Undo, Update
from gradstep.exports import export
from gradstep.notices import Notice, NotRepeatable
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from tests.engine.export_cases import run
from tests.engine.recording_checks import bits

UNSTEADY = NotRepeatable()
SCRIPT = """
import random
import numpy as np
import torch

X = torch.tensor(np.random.rand(4, 2), dtype=torch.float32)
y = torch.tensor([[random.random()] for _ in range(4)])
w = torch.ones(1, 2, requires_grad=True)
calls = []
lr = 0.01

def model(x):
    calls.append(1)
    return x @ w.t() * {factor}

def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
"""
DRAWN = "undo does not restore the numbers that the model draws from {}"
DRAWS = "(random.random() + np.random.rand())"


def start(folder: Path, factor: str) -> Start:
    path = folder / "keeps.py"
    path.write_text(SCRIPT.format(factor=factor), encoding="utf-8")
    return Start(str(path))


def notices(session: Session, *actions: Action) -> list[Notice | None]:
    return [session.apply(action).notice for action in actions]


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        ("len(calls)", [UNSTEADY, None, None, None]),
        ("(1 if len(calls) < 4 else 2)", [None, None, None, UNSTEADY]),  # undo makes the graph again
        ("1", [None, None, None, None]),
    ],
)
def test_a_model_that_counts_is_told_of_once_as_soon_as_it_shows(
    factor: str, told: list[Notice | None], tmp_path: Path
) -> None:
    session = open_session(start(tmp_path, factor))
    assert notices(session, Forward(), Forward(), Backward(), Undo()) == told
    assert UNSTEADY not in notices(session, Backward(), Undo(), Undo())
    assert not session.problem.notes


def test_a_run_tells_it_too(tmp_path: Path) -> None:
    assert notices(open_session(start(tmp_path, "len(calls)")), RunEpochs(5), RunEpochs(1)) == [
        UNSTEADY,
        None,
    ]


def test_random_numbers_of_python_and_numpy_are_the_same_in_every_session_and_export(tmp_path: Path) -> None:
    begin = start(tmp_path, DRAWS)
    one = open_session(begin)
    assert one.problem.notes == (DRAWN.format("random"), DRAWN.format("numpy.random"))
    line = (Forward(), Backward(), Update(), Forward())
    notices(one, *line)
    other = open_session(begin)
    notices(other, *line)
    assert bits(torch.tensor(one.frame.loss)) == bits(torch.tensor(other.frame.loss))
    assert str(run(export(begin, line).script)["loss"].item()) == str(one.frame.loss)
    assert UNSTEADY in notices(one, Backward(), Undo())


@pytest.mark.parametrize("name", problems.names())
def test_the_problems_are_steady(name: str) -> None:
    session = open_session(Start(problem=name))
    assert notices(session, Forward(), Backward(), Undo()) == [None] * 3
    assert len(session.problem.notes) == (name == "broadcast")  # whose one note is what it is about
