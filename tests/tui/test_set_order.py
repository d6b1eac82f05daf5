"""Scripts that go through sets of texts, which Python orders in another way in each process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradstep_tui.__main__ import HASH_SEED
from tests.terminal import GRADSTEP

SCRIPT = """\
import torch
from torch import nn

words = "the cat sat on a mat while some dog ran far away from its own tail".split()
number = {word: place for place, word in enumerate(set(words))}
ids = torch.tensor([number[word] for word in words])
net = nn.Sequential(nn.Embedding(len(number), 4), nn.Linear(4, len(number)))
opt = torch.optim.Adam(net.parameters(), lr=0.1)
for epoch in range(50):
    loss = nn.functional.cross_entropy(net(ids[:-1]), ids[1:])
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
"""Its numbers depend on the order of a set of 16 texts."""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "words.py"
    path.write_text(SCRIPT)
    return path


def ran(*command: str, given: str = "", seed: str | None = None) -> str:
    """Return what a command prints that has to succeed, in an environment with this order of sets, if any."""
    env = {name: value for name, value in os.environ.items() if name != HASH_SEED}
    env |= {} if seed is None else {HASH_SEED: seed}
    done = subprocess.run(command, input=given, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_set_of_texts_has_the_same_order_in_every_process(script: Path) -> None:
    command = (*GRADSTEP, "run", str(script), "--epochs", "2", "--json")
    assert ran(*command) == ran(*command, seed="0")


def test_a_session_on_a_set_of_texts_is_resumed_and_its_export_passes(script: Path, tmp_path: Path) -> None:
    saved = str(tmp_path / "saved")
    ran(*GRADSTEP, "--plain", "--save", saved, str(script), given="e\nr 3\nq\n")
    assert "rounds done: 4" in ran(*GRADSTEP, "resume", "--plain", saved, given="q\n")
    ran(*GRADSTEP, "export", saved, str(tmp_path))
    ran(sys.executable, str(tmp_path / "words_gradstep.py"))


def test_the_order_that_a_user_has_set_stays_and_an_export_keeps_it(script: Path, tmp_path: Path) -> None:
    saved = str(tmp_path / "saved")
    ran(*GRADSTEP, "--plain", "--save", saved, str(script), given="e\nq\n", seed="7")
    ran(*GRADSTEP, "export", saved, str(tmp_path), seed="7")
    assert f'"{HASH_SEED}") != "7"' in (tmp_path / "words_gradstep.py").read_text()
    ran(sys.executable, str(tmp_path / "words_gradstep.py"))
