"""A run of a script's rounds that is interrupted inside a round keeps the rounds that were complete."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gradstep.actions import Action, RunEpochs, RunOuter, ToggleStatement
from gradstep.learner_code.interruption import Interrupted, Interrupter
from gradstep.notices import RunStopped
from gradstep.script_training.script_session import ScriptSession
from tests.engine.test_script_sessions import bits, opened

SCRIPT = """
import os
import torch
torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
optimizer = torch.optim.Adam([w], lr=0.1)
seen = []
for epoch in range(2):
    for i in range(60):
        x = torch.randn(3)
        loss = (x * w).sum() ** 2
        seen.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        while i == 40 and os.path.exists("hangs"): pass
        optimizer.step()
"""


def run_until_it_hangs(
    session: ScriptSession, action: Action, is_there: Callable[[], bool]
) -> Exception | None:
    """Apply an action in a thread, and interrupt it as soon as it is there; return what it raised."""
    interrupter, ended = Interrupter(), threading.Event()
    raised: list[BaseException] = []

    def run() -> None:
        with interrupter.attached():
            try:
                session.apply(action)
            except BaseException as error:
                raised.append(error)
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not ended.wait(0.01):
        if is_there():
            interrupter.interrupt()
    thread.join()
    return raised[0] if raised else None


@pytest.mark.parametrize(
    ("first", "action", "total"),
    [
        ((), RunEpochs(70), 70),
        ((), RunOuter(), None),
        ((), RunEpochs(41), 41),
        ((ToggleStatement(3),), RunEpochs(70), 70),
    ],
    ids=["rounds", "epoch", "last round", "edited"],
)
def test_complete_rounds_stay(
    first: tuple[Action, ...],
    action: Action,
    total: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    session, alone = opened(path), opened(path)
    Path("hangs").touch()
    for edit in first:
        session.apply(edit)
        alone.apply(edit)

    assert run_until_it_hangs(session, action, lambda: session.loop.position.rounds == (1, 41)) is None
    assert session.frame.epoch == 40
    assert session.line()[-1] == RunEpochs(40)
    if total is not None:
        assert session.frame.notice == RunStopped(40, total)

    alone.apply(RunEpochs(40))
    assert bits(session.frame) == bits(alone.frame)
    assert session.loop.names["seen"] == alone.loop.names["seen"]
    assert session.frame.losses.first(99) == alone.frame.losses.first(99)
    Path("hangs").unlink()
    session.apply(RunEpochs(30))
    alone.apply(RunEpochs(30))
    assert bits(session.frame) == bits(alone.frame)


def test_the_first_round_of_a_run_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    session = opened(path)
    session.apply(RunEpochs(40))
    Path("hangs").touch()
    before = bits(session.frame)
    raised = run_until_it_hangs(session, RunEpochs(9), lambda: session.loop.position.rounds == (1, 41))
    assert isinstance(raised, Interrupted)
    assert bits(session.frame) == before
