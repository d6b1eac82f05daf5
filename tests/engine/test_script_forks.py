"""Copies that a script makes of its process, and runs of it that are repeated, are sound and said once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradstep.actions import RunEpochs, Undo
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.obstacles import Fact, Noticed
from gradstep.saving.session_file import SessionFile, in_use
from gradstep.script_training.script_session import ScriptSession
from tests.engine.test_script_sessions import opened

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="only Unix makes copies of a process")

TRAINS = """
import os, torch
torch.manual_seed(0)
w = torch.ones(2, requires_grad=True)
FIRST
for i in range(40):
    (w * w).sum().backward()
    w.data -= 0.1 * w.grad
    w.grad = None
    EACH
"""

FORKS = """
pid = os.fork()
if not pid: os._exit(0)
os.waitpid(pid, 0)
"""

PROCESS = """
from multiprocessing import get_context
def work(results): results.put(3)
results = get_context("fork").Queue()
process = get_context("fork").Process(target=work, args=(results,))
process.start()
assert results.get() == 3
process.join()
"""

LOADER = """
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.ones(6, 2))
loader = DataLoader(data, batch_size=2, num_workers=1, multiprocessing_context="fork")
for epoch in range(3):
    for (x,) in loader:
        (w * x).sum().backward()
"""


def session_on(folder: Path, first: str = "", each: str = "pass") -> ScriptSession:
    path = folder / "train.py"
    path.write_text(TRAINS.replace("FIRST", first).replace("EACH", each.replace("\n", "\n    ")))
    return opened(path)


def told(session: ScriptSession) -> list[Fact]:
    return [noticed.fact for noticed in session.facts]


def test_a_copy_made_by_the_script_is_told(tmp_path: Path) -> None:
    assert told(session_on(tmp_path, FORKS)) == [Fact.FORKED]
    session = session_on(tmp_path, each=f"if i == 9:{FORKS}".replace("\n", "\n    "))
    assert told(session) == []
    session.apply(RunEpochs(20))
    assert told(session) == [Fact.FORKED]
    assert session.frame.epoch == 20


@pytest.mark.parametrize("first", [PROCESS, LOADER], ids=["process", "workers"])
def test_copies_that_only_call_a_function_are_not_told(first: str, tmp_path: Path) -> None:
    session = session_on(tmp_path, first)
    session.apply(RunEpochs(4))
    assert told(session) == []


def test_a_copy_does_not_come_out_of_the_learners_code(tmp_path: Path) -> None:
    text = (
        "import os\nfrom gradstep.learner_code.interruption import Interrupter, interruptible\n"
        "with Interrupter().attached():\n    pid = interruptible(os.fork)\n"
        "print('out', flush=True)\nif pid: os.waitpid(pid, 0)\n"
    )
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ran.stdout == "out\n"


def test_a_copy_lets_the_session_file_go(tmp_path: Path) -> None:
    file = SessionFile.create(tmp_path / "session.jsonl")
    (wait, end), (begun, begin) = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.close(end)
        os.write(begin, b".")
        os.read(wait, 1)  # ends with the test
        os._exit(0)
    try:
        assert os.read(begun, 1) == b"."
        assert in_use(file.path)
        file.close()
        assert not in_use(file.path)
    finally:
        for descriptor in (wait, end, begun, begin):
            os.close(descriptor)
        os.waitpid(pid, 0)


def test_a_script_that_runs_again_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_on(tmp_path)
    session.apply(RunEpochs(3))
    assert told(session) == []
    monkeypatch.setattr(CapturedLoop, "can_go_back", lambda self, moment: False)
    session.apply(Undo())
    assert session.facts == (Noticed(Fact.RAN_AGAIN, "2"),)
    session.apply(RunEpochs(3))
    session.apply(Undo())
    assert session.facts == (Noticed(Fact.RAN_AGAIN, "3"),)


def test_a_script_that_ran_twice_to_find_its_pass_says_so(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import torch\nw = torch.ones(2, requires_grad=True)\n(w * w).sum().backward()\n")
    assert Noticed(Fact.RAN_AGAIN, "2") in opened(path).facts
