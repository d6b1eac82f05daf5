"""Real scripts with loops of their own, on the bench, in a terminal, in plain mode and without a screen."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import start_from
from gradstep_tui.cli import main
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.session.autosave import Autosave
from tests.terminal import Terminal
from tests.tui.bench import bench, frame, idle, opened, press, text, until

NESTED = """\
import sys

import torch
from torch import nn


def train(epochs):
    torch.manual_seed(0)
    x = torch.randn(12, 3)
    y = x.sum(1, keepdim=True)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 4, shuffle=True)
    net = nn.Linear(3, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(epochs):
        for bx, by in data:
            opt.zero_grad()
            out = net(bx)
            err = ((out - by) ** 2).mean()
            err.backward()
            opt.step()
            if epoch == 0:
                print("loss", err.item())
    print("done")


if __name__ == "__main__":
    train(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
"""
"""Loops over epochs and batches, in a function, with an argument of the script's."""

LOOP = 15
"""Line of the loop over batches."""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(NESTED, encoding="utf-8")
    return path


def session(script: Path, *arguments: str) -> Session:
    return open_session(start_from(str(script), arguments=arguments))


async def test_the_bench_opens_at_the_first_round_and_steps_the_scripts_own_lines(script: Path) -> None:
    async with opened(make=partial(session, script)) as pilot:
        assert f"train.py:{LOOP} in train" in text(pilot)
        assert f"epoch 1, round 1  next: line {LOOP + 1}" in text(pilot)
        assert "SGD, lr 0.1" in text(pilot)
        await press(pilot, "space", "space")
        await idle(pilot)
        assert f"next: space runs line {LOOP + 3}, err = ((out - by) ** 2).mean()" in text(pilot)
        await press(pilot, "space", "s")
        await idle(pilot)
        assert frame(pilot).in_pass
        await press(pilot, "e")
        await idle(pilot)
        assert "epoch 1, round 2" in text(pilot)
        assert frame(pilot).epoch == 1


async def test_rounds_and_epochs_run_until_the_loop_is_over(script: Path) -> None:
    async with opened(make=partial(session, script)) as pilot:
        await press(pilot, "E")
        await idle(pilot)
        assert "epoch 2, round 1" in text(pilot)
        assert frame(pilot).epoch == 3
        await press(pilot, "r")
        await until(pilot, lambda: "Run how many rounds?" in text(pilot))
        await press(pilot, "enter")
        await idle(pilot)
        assert "the loop is over" in text(pilot)
        assert "the script's loop was over after 3 of 100 rounds" in text(pilot)
        await press(pilot, "e")
        assert "the script's loop is over: ← takes the last action back" in text(pilot)
        await press(pilot, "left")
        await idle(pilot)
        assert "epoch 2, round 1" in text(pilot)
        await press(pilot, "t")
        await until(pilot, lambda: "timeline" in text(pilot))
        assert "run 3 rounds" in text(pilot)
        assert "round        loss" in text(pilot)


async def test_lines_are_edited_under_the_cursor_and_settings_are_the_scripts(script: Path) -> None:
    async with opened(make=partial(session, script)) as pilot:
        await press(pilot, "e", "down", "#")
        await idle(pilot)
        assert "# opt.zero_grad()" in text(pilot)
        assert bench(pilot).cursor == 0
        assert "zeroing on" not in text(pilot)
        await press(pilot, "escape", "o")
        shown = " ".join(text(pilot).split())
        assert "hint: the script's own statements do this: edit the script, then read it again (F5)" in shown
        await press(pilot, "t")
        await until(pilot, lambda: "comment out opt.zero_grad" in text(pilot))


async def test_f5_reads_the_script_again_with_its_arguments(script: Path, tmp_path: Path) -> None:
    async with opened(make=partial(session, script, "1")) as pilot:
        await press(pilot, "e", "e", "e")
        await idle(pilot)
        assert "the loop is over" in text(pilot)
        script.write_text(NESTED.replace("lr=0.1", "lr=0.25"), encoding="utf-8")
        await press(pilot, "f5", "enter")
        await until(pilot, lambda: not bench(pilot).running and "read again" in text(pilot))
        assert "lr 0.25" in text(pilot)
        assert "epoch 1, round 1" in text(pilot)
        await press(pilot, "E")
        await idle(pilot)
        assert "the loop is over" in text(pilot)


async def test_what_is_odd_is_said_on_opening_and_w_shows_all(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    script.write_text(NESTED.replace("            opt.zero_grad()\n", ""), encoding="utf-8")
    autosave = Autosave()
    async with opened(make=lambda: autosave.begin(start_from(str(script))), autosave=autosave) as pilot:
        assert "warning: train.py, line 19: this step uses the gradients of all rounds before" in text(pilot)
        await press(pilot, "w")
        await until(pilot, lambda: "note: " in text(pilot))
        assert "zero" in text(pilot)
    autosave.close()


def test_in_a_terminal_a_script_with_arguments_is_stepped(script: Path) -> None:
    with Terminal([sys.executable, "-m", "gradstep_tui", str(script), "1"], preloaded=True) as terminal:
        terminal.wait_for(f"next: line {LOOP + 1}")
        terminal.send("ee")
        terminal.wait_for("epoch 1, round 3")
        terminal.send("e")
        terminal.wait_for("the loop is over")
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_plain_mode_steps_and_edits_by_number(script: Path) -> None:
    said = list[str]()
    conversation = Conversation(session(script), said.append)

    def talk(line: str) -> str:
        said.clear()
        assert conversation.answer(line)
        return "\n".join(said)

    assert f"2, line {LOOP + 2}, forward: out = net(bx)" in talk("loop").splitlines()
    assert talk("next").splitlines()[0] == "ran statement 1: opt.zero_grad()"
    assert "ran statement 3: err = " in talk("forward")
    assert "opt.zero_grad() is commented out of the loop: gradients pile up" in talk("comment 1")
    assert "zeroing OFF" in talk("status")
    assert "this loop has the lines 1 to 6" in talk("comment 7")
    assert "ran 1 round; the script's loop is at epoch 1, round 2" in talk("epoch")
    assert "the script's loop is at epoch 2, round 1" in talk("outer")
    assert "the script's loop was over after 3 of 100 rounds" in talk("run 100")
    assert talk("").startswith("the script's loop is over: undo takes back")
    assert "comment out opt.zero_grad(), round 0" in talk("timeline")


def test_without_a_screen_rounds_run_until_the_loop_is_over(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(script), "3", "--epochs", "4"]) == 0
    assert "loss of round 5\n" in capsys.readouterr().out
    assert main(["run", str(script), "1"]) == 0
    assert "the script's loop is over after 3 rounds" in capsys.readouterr().err
