"""Scripts that go through sets of texts, which Python orders in another way in each process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from gradstep.exports.code.set_order import with_sets_in_order
from gradstep_tui.__main__ import HASH_SEED, keep_order_of_sets
from tests import preloaded
from tests.terminal import GRADSTEP

SCRIPT = """\
import torch
from torch import nn

words = "the cat sat on a mat while some dog ran far away from its own tail".split()
number = {word: place for place, word in enumerate(set(words))}
ids = torch.tensor([number[word] for word in words])
net = nn.Sequential(nn.Embedding(len(number), 4), nn.Linear(4, len(number)))
for epoch in range(50):
    loss = nn.functional.cross_entropy(net(ids[:-1]), ids[1:])
    net.zero_grad()
    loss.backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
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


def test_a_session_on_a_set_of_texts_is_resumed_and_its_export_passes(script: Path, tmp_path: Path) -> None:
    saved = str(tmp_path / "saved")
    # Processes with the order that gradstep sets; the others get whatever order Python draws.
    for command, typed in (
        ((*GRADSTEP, "--plain", "--save", saved, str(script)), b"e\nr 3\nq\n"),
        ((*GRADSTEP, "export", saved, str(tmp_path)), b""),
    ):
        done = preloaded.run(command, given=typed, env={HASH_SEED: None})
        assert done.returncode == 0, done.stderr
    assert "all numbers identical" in ran(*GRADSTEP, "resume", "--plain", saved, given="q\n")
    ran(sys.executable, str(tmp_path / "words_gradstep.py"))


def test_a_process_starts_again_only_if_nobody_has_set_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(_: str, arguments: list[str]) -> NoReturn:
        raise SystemExit(arguments)

    monkeypatch.setattr(os, "execv", started)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "gradstep", "train.py"])
    monkeypatch.setattr(sys, "argv", ["gradstep", "train.py"])
    for given in ("7", "random"):
        monkeypatch.setenv(HASH_SEED, given)
        keep_order_of_sets()
        assert os.environ[HASH_SEED] == given
    monkeypatch.delenv(HASH_SEED)
    with pytest.raises(SystemExit) as start:
        keep_order_of_sets()
    assert start.value.code == [sys.executable, "-m", "gradstep", "train.py"]
    assert os.environ[HASH_SEED] == "0"
    monkeypatch.delenv(HASH_SEED)
    monkeypatch.setattr(sys, "argv", ["gradstep", "serve"])
    keep_order_of_sets()


@pytest.mark.parametrize(
    ("top", "first"),
    [
        ("# about\n# it\n\nx = 1\n", "# about\n# it\n"),
        ('# about\n"""Words."""\nfrom __future__ import annotations\nx = 1\n', "annotations\n"),
        ("x = 1\n", ""),
    ],
)
def test_an_export_keeps_the_order_that_was_set(
    top: str, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "{'the', 'cat', 'sat', 'on', 'a', 'mat', 'while', 'some', 'dog', 'ran'}"
    monkeypatch.setenv(HASH_SEED, "7")
    script = with_sets_in_order(f"{top}print({words})\n")
    before, _, _ = script.partition("import os\n")
    assert before.strip().endswith(first.strip())
    path = tmp_path / "export.py"
    path.write_text(script)
    assert ran(sys.executable, str(path)) == ran(sys.executable, "-c", f"print({words})", seed="7")


def test_an_export_says_nothing_of_an_order_that_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HASH_SEED, raising=False)
    assert with_sets_in_order("x = 1\n") == "x = 1\n"
