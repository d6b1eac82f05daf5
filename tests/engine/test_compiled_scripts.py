"""A script that compiles, traces or transforms what it trains has the losses here that it has by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradstep.actions import Backward, Forward, RunEpochs, StepNode, ToggleZeroing, Update, Zero
from gradstep.autograd.events import NodeEvent
from gradstep.exports.export import export
from gradstep.learner_code import eager
from gradstep.opening import open_session
from gradstep.script_training.script_opening import loop_of
from gradstep.scripts.source_reader import read_source
from gradstep.session import Session
from gradstep.start import start_from
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.compiled_scripts import COMPILED, EPOCHS, HEAD, OTHERS, losses_of
from tests.engine.export_cases import run
from tests.engine.test_imports import ROOT


def opened(path: Path, rest: str) -> Session:
    path.write_text(HEAD + rest)
    return open_session(start_from(str(path)))


def losses(session: Session) -> list[float]:
    """Train some epochs: the first statement by statement and node by node, the last at full speed."""
    session.apply(Forward())
    session.apply(StepNode())
    for action in (Backward(), Update(), Zero(), RunEpochs(EPOCHS - 1)):
        session.apply(action)
    return list(session.frame.losses)


@pytest.mark.parametrize("place", [*COMPILED, *OTHERS])
def test_its_losses_are_those_of_the_script_by_itself(place: str, tmp_path: Path) -> None:
    rest = (COMPILED | OTHERS)[place]
    session = opened(tmp_path / "mine.py", rest)
    found = losses(session)
    assert found == losses_of(HEAD + rest, uncompiled=True)
    if place != "inductor":  # its compiler takes a minute, and may round otherwise
        assert found == losses_of(HEAD + rest, uncompiled=False)
    assert session.problem.first_loss == found[0]
    assert session.problem.compiled == (place in COMPILED)
    assert any("torch.compile" in note for note in session.problem.notes) == (place in COMPILED)
    assert session.frame.notice is None


def test_every_node_of_a_compiled_model_is_told_with_its_line(tmp_path: Path) -> None:
    session = opened(tmp_path / "mine.py", COMPILED["function"])
    session.apply(Forward())
    session.apply(Backward())
    nodes = [event for event in session.state.passing.trace.events if isinstance(event, NodeEvent)]
    names = [event.name for event in nodes]
    assert {"SoftmaxBackward0", "AddBackward0", "TanhBackward0", "AccumulateGrad"} <= set(names)
    assert "CompiledFunctionBackward" not in names
    expressions = {event.source.expression for event in nodes if event.source is not None}
    assert {"h.softmax(0) * h", "net(x)", "net(x) * 1.1"} <= expressions


@pytest.mark.parametrize("place", ["model", "inductor", "at the first call", "module in place"])
def test_an_export_has_the_same_numbers_node_by_node(place: str, tmp_path: Path) -> None:
    session = opened(tmp_path / "mine.py", COMPILED[place])
    losses(session)
    assert session.origin is not None
    script = export(session.origin, session.line()).script
    assert script.count("set_stance") == 1
    run(script)


def test_an_error_in_compiled_code_is_shown_with_its_line(tmp_path: Path) -> None:
    rest = """
calls = 0
@torch.compile(backend="eager")
def model(x):
    global calls
    calls += 1
    return net(x) / (1 if calls < 2 else [][0])
"""
    session = opened(tmp_path / "mine.py", rest)
    with pytest.raises(PyTorchError) as caught:
        session.apply(Forward())
    assert (caught.value.kind, caught.value.place.text) == (
        "IndexError",
        "return net(x) / (1 if calls < 2 else [][0])",
    )


def test_checks_pictures_and_comparisons_run_on_a_compiled_model(tmp_path: Path) -> None:
    session = opened(tmp_path / "mine.py", COMPILED["model"])
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(3))
    assert session.check_gradient().elements
    assert session.verdict().error is None
    assert session.twin() is not None
    assert not any(trial.error for trial in session.check_batches(5).trials)
    assert session.pictures().fit() is not None


def test_nothing_imports_the_compiler_until_a_script_compiles_something(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HEAD + "model = net")
    (tmp_path / "late.py").write_text(
        HEAD + COMPILED["at the first call"].replace('"eager"', '"eager", fullgraph=True')
    )
    code = (
        "import sys\n"
        "from gradstep.actions import *\n"
        "from gradstep.opening import open_session\n"
        "from gradstep.start import start_from\n"
        f"session = open_session(start_from({str(tmp_path / 'mine.py')!r}))\n"
        "for action in (Forward(), Backward(), Update(), Zero(), RunEpochs(3)): session.apply(action)\n"
        "session.verdict(), session.check_gradient()\n"
        "assert 'torch._dynamo' not in sys.modules\n"
        f"session = open_session(start_from({str(tmp_path / 'late.py')!r}))\n"
        "frame = session.apply(Forward())\n"
        "assert session.problem.compiled and frame.loss == session.problem.first_loss and not frame.notice\n"
        "session.apply(Backward())\n"
        "assert 'TanhBackward0' in {node.name for node in session.state.passing.trace.nodes}\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "engine",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("where", ["train.py", "pieces.py"])
def test_on_the_way_to_its_loop_nothing_of_a_script_is_compiled(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eager, "has_compiler", lambda: False)  # as in a process that has compiled nothing yet
    mark = tmp_path / "compiled"
    compiles = (
        f"import torch\ndef backend(graph, inputs):\n    open({str(mark)!r}, 'w').close()\n    return graph\n"
        "square = torch.compile(lambda x: x * x, backend=backend)\n"
    )
    (tmp_path / "pieces.py").write_text(compiles)
    trains = (
        "w = torch.ones(2, requires_grad=True)\n"
        "for i in range(3):\n    square(w).sum().backward()\n    w.data -= 0.1 * w.grad\n"
    )
    begin = compiles if where == "train.py" else "import torch\nfrom pieces import square\n"
    (tmp_path / "train.py").write_text(begin + trains)
    loop_of(read_source(tmp_path / "train.py"))
    assert not mark.exists()
