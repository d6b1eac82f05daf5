"""`gradstep.backward`: the pass of a running program, shown by whoever is named, or run like any other."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import gradstep
from gradstep.recordings import live_pass
from gradstep.recordings.live_pass import Unshown
from gradstep.recordings.recording import Recording
from gradstep.torch_internals import engine_entry
from tests.engine.recording_checks import bits

shown: list[Recording] = []
"""Recordings that were shown in the test."""


def show(recording: Recording) -> None:
    shown.append(recording)


def fail(recording: Recording) -> None:
    raise ArithmeticError("no screen")


def interrupt(recording: Recording) -> None:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have nothing told yet, and all borrowed things given back."""
    shown.clear()
    live_pass._Process.told.clear()
    entry = engine_entry()
    yield
    assert engine_entry() is entry
    assert not live_pass._Process.stepping


@pytest.fixture
def stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSTEP_BACKWARD", f"{__name__}.show")


def model_and_loss() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 1))
    return model, nn.functional.mse_loss(model(torch.randn(6, 3)), torch.randn(6, 1))


def grads(model: nn.Module) -> list[Any]:
    return [bits(parameter.grad) for parameter in model.parameters()]


@pytest.mark.parametrize(
    "arguments", [{}, {"retain_graph": True}, {"create_graph": True}, {"gradient": torch.tensor(2.0)}]
)
def test_a_stepped_pass_leaves_the_bits_of_a_plain_one(arguments: Any, stepped: None) -> None:
    alone, loss = model_and_loss()
    loss.backward(**arguments)  # type: ignore[no-untyped-call]
    model, loss = model_and_loss()
    gradstep.backward(loss, **arguments)
    assert grads(model) == grads(alone)
    (one,) = shown[0].rounds[0].passes
    assert {leaf.name: bits(leaf.grad_after) for leaf in one.leaves} == {
        f"model.{name}": bits(parameter.grad) for name, parameter in model.named_parameters()
    }


def test_the_optimizer_and_the_number_of_the_round_are_known(stepped: None) -> None:
    model, _ = model_and_loss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.25)
    for _ in range(2):
        gradstep.backward(model(torch.ones(2, 3)).sum())
    assert [recording.first_round for recording in shown] == [1, 2]
    assert shown[0].optimizers == (type(optimizer).__name__,)
    assert shown[0].rate == 0.25


def test_an_error_of_pytorch_is_shown_and_then_raised_as_it_is(stepped: None) -> None:
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    with pytest.raises(RuntimeError, match="second time") as raised:
        gradstep.backward(loss)
    (one,) = shown[0].rounds[0].passes
    assert one.error.startswith("RuntimeError: Trying to backward through the graph a second time")
    assert raised.value.__cause__ is None
    with pytest.raises(RuntimeError, match="does not require grad"):
        gradstep.backward(torch.ones(()))


def test_only_the_main_thread_shows_a_pass(stepped: None, capsys: pytest.CaptureFixture[str]) -> None:
    model, loss = model_and_loss()
    for _ in range(2):
        thread = Thread(target=gradstep.backward, args=(loss,), kwargs={"retain_graph": True})
        thread.start()
        thread.join()
    assert not shown
    assert all(parameter.grad is not None for parameter in model.parameters())
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert Unshown.THREAD in said
    assert "gradstep.record" in said


def test_a_screen_that_fails_does_not_stop_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADSTEP_BACKWARD", f"{__name__}.fail")
    model, loss = model_and_loss()
    gradstep.backward(loss)
    assert None not in grads(model)
    assert "could not be shown: ArithmeticError: no screen; the program goes on" in capsys.readouterr().err


def test_the_learner_can_end_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSTEP_BACKWARD", f"{__name__}.interrupt")
    model, loss = model_and_loss()
    with pytest.raises(KeyboardInterrupt):
        gradstep.backward(loss)
    assert None not in grads(model)


@pytest.mark.parametrize("named", ["0", ""])
def test_without_a_terminal_the_pass_just_runs(
    named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADSTEP_BACKWARD", named)
    monkeypatch.setattr(sys, "__stdin__", io.StringIO())
    for _ in range(3):
        model, loss = model_and_loss()
        gradstep.backward(loss)
        assert None not in grads(model)
    said = capsys.readouterr().err
    assert said.count("\n") == (0 if named == "0" else 1)
    assert named == "0" or (Unshown.NO_TERMINAL in said and "gradstep.record" in said)


def test_in_a_notebook_the_pass_just_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    model, loss = model_and_loss()
    gradstep.backward(loss)
    assert None not in grads(model)
    assert Unshown.NOTEBOOK in capsys.readouterr().err


@pytest.mark.parametrize("named", ["nowhere.to.be.found", f"{__name__}.missing", "word"])
def test_without_anybody_who_shows_it_the_pass_just_runs(
    named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADSTEP_BACKWARD", named)
    model, loss = model_and_loss()
    gradstep.backward(loss)
    assert None not in grads(model)
    assert Unshown.NO_BENCH in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="TERM is of Unix")
def test_a_terminal_that_cannot_draw_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(live_pass, "_has_terminal", lambda: True)
    model, loss = model_and_loss()
    gradstep.backward(loss)
    assert None not in grads(model)
    assert Unshown.DUMB in capsys.readouterr().err
