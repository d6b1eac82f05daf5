"""Each built-in script with a loop of its own can be stepped, saved and exported, and shows its one thing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gradstep import problems
from gradstep.actions import NextLine, RunEpochs, Undo
from gradstep.errors import EngineError
from gradstep.exports.export import export
from gradstep.oddities.oddity import Oddness
from gradstep.opening import load_session
from gradstep.script_training.script_session import ScriptSession
from gradstep.session import Session
from gradstep.training.pytorch_errors import PyTorchError

ODD = {
    "detached": Oddness.CUT,
    "forgotten": Oddness.NOT_HELD,
    "rebinding": Oddness.NOT_A_LEAF,
    "carried": Oddness.KEPT,
}
"""What the check of a script's loop finds in each."""


def values(session: Session) -> dict[str, list[float]]:
    return {one.name: one.value.flatten().tolist() for one in session.frame.parameters}


def test_every_name_is_one_problem_and_all_of_them_are_known() -> None:
    assert problems.own_loop_names() == (
        *("detached", "forgotten", "rebinding", "carried", "clipping", "train-eval"),
    )
    assert problems.all_names() == (*problems.names(), *problems.own_loop_names())
    for name in problems.own_loop_names():
        assert problems.idea_of(name).endswith(".")
        assert len(problems.path_of(name).read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("name", problems.own_loop_names())
def test_its_own_loop_is_stepped_and_undone(name: str) -> None:
    session = load_session(name)
    assert isinstance(session, ScriptSession)
    before = values(session)
    session.apply(NextLine())
    session.apply(RunEpochs(1))
    assert session.frame.epoch == 1
    session.apply(Undo())
    session.apply(Undo())
    assert values(session) == before
    assert name not in ODD or ODD[name] in {odd.kind for odd in session.oddities}


@pytest.mark.parametrize("name", ["detached", "rebinding", "train-eval"])
def test_its_export_runs_and_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    session = load_session(name)
    session.apply(RunEpochs(1))
    assert session.origin is not None
    path = tmp_path / "exported.py"
    path.write_text(export(session.origin, session.line()).script, encoding="utf-8")
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False, timeout=100)
    assert run.returncode == 0, run.stderr
    assert "All numbers match those in the session." in run.stdout


def test_in_detached_only_what_is_behind_the_cut_gets_no_gradient() -> None:
    session = load_session("detached")
    for _ in range(5):
        session.apply(NextLine())
    assert [one.name for one in session.frame.parameters if one.grad is None] == ["w1", "b1"]


def test_in_forgotten_a_gradient_grows_and_nothing_moves() -> None:
    session = load_session("forgotten")
    session.apply(RunEpochs(20))
    w, b = session.frame.parameters
    assert float(w.value) != 0
    assert float(b.value) == 0
    assert b.grad is not None
    assert float(b.grad) > 30


@pytest.mark.parametrize(("name", "kind"), [("rebinding", "TypeError"), ("carried", "RuntimeError")])
def test_the_second_round_raises(name: str, kind: str) -> None:
    session = load_session(name)
    session.apply(RunEpochs(1))
    with pytest.raises(PyTorchError) as raised:
        session.apply(RunEpochs(1))
    assert raised.value.kind == kind


def test_in_clipping_the_steps_are_not_tamed() -> None:
    session = load_session("clipping")
    with suppress(EngineError):
        session.apply(RunEpochs(30))
    loss = session.frame.loss
    assert loss is None or not loss < 1e6
    assert all(float(one.grad.norm()) <= 1.0 for one in session.frame.parameters if one.grad is not None)


def test_in_train_eval_dropout_is_off_while_it_is_evaluated() -> None:
    session = load_session("train-eval")
    session.apply(RunEpochs(200))
    loss = session.frame.loss
    assert loss is not None
    assert loss < 1
