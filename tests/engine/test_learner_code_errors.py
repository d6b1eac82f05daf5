"""Whatever a learner's own code raises in training is shown with its line, and the session goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from torch.optim.optimizer import register_optimizer_step_pre_hook

from gradstep.actions import Backward, Forward, RunEpochs, StepNode, ToggleZeroing, Undo, Update, Zero
from gradstep.errors import EngineError
from gradstep.exports.export import export
from gradstep.opening import open_session
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from gradstep.scripts.script_errors import ScriptError
from gradstep.session import Session
from gradstep.start import start_from
from gradstep.training.pytorch_errors import PyTorchError
from tests.ctrl_c import ctrl_c_ends_it
from tests.engine.export_cases import run
from tests.engine.raising_scripts import ERRORS, IN_BACKWARD, line_of, script, written
from tests.engine.recording_checks import bits
from tests.saved_sessions import act, leave

Surface = Callable[[Session], object]


def opened(path: Path) -> Session:
    return open_session(start_from(str(path)))


def plain_grads(text: str) -> list[object]:
    """Run a script in plain Python with one backward pass, and return the bits of every `.grad`."""
    names: dict[str, object] = {"__name__": "plain"}
    exec(compile(text, "plain", "exec"), names)
    loss = names["loss_fn"](names["model"](names["X"]), names["y"])
    with pytest.raises(BaseException):  # noqa: B017, PT011 - of any kind
        loss.backward()
    return [bits(parameter.grad) for parameter in names["net"].parameters()]


@pytest.mark.parametrize("place", IN_BACKWARD)
def test_an_error_in_the_backward_pass_is_shown_with_its_line_and_grads_are_what_pytorch_left(
    place: str, tmp_path: Path
) -> None:
    for error in ERRORS:
        expected = plain_grads(script(place, error))
        for action in (Backward(), StepNode()) if error == "ValueError" else (Backward(),):
            session = opened(written(tmp_path, place, error))
            session.apply(Forward())
            with pytest.raises(PyTorchError) as caught:
                session.apply(action)
            shown = caught.value
            assert shown.kind == error
            assert shown.place is not None
            assert (shown.place.file, shown.place.line) == (str(tmp_path / "mine.py"), line_of(error))
            assert shown.place.text == ERRORS[error]
            assert shown.is_of_script
            found = [bits(parameter.grad) for parameter in session.problem.parameters.values()]
            assert found == expected, error
            assert [bits(parameter.grad) for parameter in session.frame.parameters] == expected
            session.apply(ToggleZeroing())
            session.apply(Undo())
            session.apply(Undo()) if session.state.trainer.grads.count(None) < 4 else None
            assert session.frame.loss is not None


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_in_forward_or_loss_is_shown_and_the_session_goes_on(error: str, tmp_path: Path) -> None:
    for place in ("forward", "loss"):
        session = opened(written(tmp_path, place, error))
        with pytest.raises(PyTorchError) as caught:
            session.apply(Forward())
        assert (caught.value.kind, caught.value.place.line) == (error, line_of(error))
        assert session.apply(Forward()).loss is not None  # it raised only once


def test_an_error_in_the_step_of_an_optimizer_is_shown_and_the_session_goes_on(tmp_path: Path) -> None:
    for error in ERRORS:
        text = script("forward", error).replace("passes = 2", "")
        path = tmp_path / "mine.py"
        path.write_text(f"{text}optimizer = torch.optim.SGD(net.parameters(), lr)\n")
        session = opened(path)
        for action in (Forward(), Backward()):
            session.apply(action)
        hook = register_optimizer_step_pre_hook(session.problem.loss_fn.__globals__["stop"])
        try:
            with pytest.raises(PyTorchError) as caught:
                session.apply(Update())
        finally:
            hook.remove()
        assert (caught.value.kind, caught.value.place.line) == (error, line_of(error))
        session.apply(Update())


SURFACES: dict[str, Surface] = {
    "epochs": lambda session: session.apply(RunEpochs(5)),
    "verdict": lambda session: session.verdict(),
    "twin": lambda session: session.twin(),
    "gradient check": lambda session: session.check_gradient(),
    "batch check": lambda session: session.check_batches(5),
    "surface": lambda session: session.pictures().surface(),
    "fit": lambda session: session.pictures().fit(),
    "regions": lambda session: session.pictures().regions(),
    "path": lambda session: session.pictures().path(),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_no_surface_ends_with_anything_but_an_error_of_the_engine(surface: str, tmp_path: Path) -> None:
    for place in ("custom backward", "tensor hook of a leaf", "forward"):
        for error in ("ValueError", "KeyboardInterrupt", "StopIteration", "Mute"):
            session = opened(written(tmp_path, place, error))
            if place not in ("forward", "loss"):
                session.apply(Forward())
            if surface == "twin":
                session.apply(ToggleZeroing())
            before = session.state
            with suppress(EngineError):
                SURFACES[surface](session)
            if surface != "epochs":
                assert session.state is before
            with suppress(PyTorchError):
                session.apply(Forward())  # raises if the surface ran no second forward pass
            assert session.apply(Forward()).loss is not None


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_deep_in_a_run_of_fast_epochs_stops_the_run_and_keeps_what_had_run(
    error: str, tmp_path: Path
) -> None:
    text = script("forward", error).replace("passes = 2", "passes = 30")
    (tmp_path / "mine.py").write_text(text)
    session = opened(tmp_path / "mine.py")
    with pytest.raises(PyTorchError) as caught:
        session.apply(RunEpochs(100))
    assert caught.value.kind == error
    assert session.state.epoch == 28


def test_a_session_with_errors_is_saved_replayed_and_exported(tmp_path: Path) -> None:
    for number, error in enumerate(ERRORS):
        session = opened(written(tmp_path, "tensor hook of a leaf", error))
        path = tmp_path / f"{number}.jsonl"
        writer = SessionWriter.new([path], session.origin)
        writer.follow(session)
        for action in (Forward(), Backward(), Update(), Zero(), Forward(), StepNode()):
            act(session, action, writer)
        leave(writer)
        again = replay(read_session_file(path))
        assert again.mismatch is None, again.mismatch
        assert again.done >= 4
        run(export(session.origin, session.line()).script)


def test_ctrl_c_by_the_user_ends_the_action_and_not_as_an_error_of_the_script(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = script("custom backward", "ValueError").replace('raise ValueError("not written yet")', "press()")
    path.write_text(f"from tests.ctrl_c import press_ctrl_c as press\n{text}")
    session = opened(path)
    before = session.apply(Forward())
    for action in (Backward(), StepNode(), RunEpochs(10)):
        with ctrl_c_ends_it():
            session.apply(action)
        assert session.frame is before


def test_an_error_in_a_notebook_names_its_cell(tmp_path: Path) -> None:
    cells = script("node hook", "ValueError").split("torch.manual_seed")
    sources = [cells[0], f"torch.manual_seed{cells[1]}"]
    made = [
        {"cell_type": "code", "source": one, "metadata": {}, "outputs": [], "execution_count": None}
        for one in sources
    ]
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    session = opened(path)
    session.apply(Forward())
    with pytest.raises(PyTorchError) as caught:
        session.apply(Backward())
    assert str(caught.value.place) == f"mine.ipynb, cell 1, line {line_of('ValueError')}"


def test_a_message_cannot_command_the_terminal(tmp_path: Path) -> None:
    text = script("node hook", "ValueError").replace("not written yet", "\\x1b[2J\\rgone")
    path = tmp_path / "mine.py"
    path.write_text(text)
    session = opened(path)
    session.apply(Forward())
    with pytest.raises(PyTorchError) as caught:
        session.apply(Backward())
    assert caught.value.own_words == r"\x1b[2J\rgone"


@pytest.mark.parametrize("trouble", ["len", "parameters", "named_buffers", "rate"])
def test_what_raises_when_a_script_is_looked_at_is_the_scripts_error(trouble: str, tmp_path: Path) -> None:
    spoiled = {
        "len": "class T(list):\n    def __iter__(self): raise KeyboardInterrupt\nodd = T([1])",
        "parameters": "class N(nn.Module):\n    def named_parameters(self, *a, **k): stop()\nodd = N()",
        "named_buffers": "type(net).named_buffers = stop",
        "rate": "class F(float):\n    def __float__(self): raise ValueError\nlr = F(1)",
    }
    text = script("forward", "ValueError").replace("passes = 2", spoiled[trouble])
    text = text.replace("net = nn.Sequential(", "class Own(nn.Sequential): pass\nnet = Own(")
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ScriptError) as caught:
        opened(path)
    assert caught.value.place
