"""What a learner's own code raises ends nothing with a traceback: bench, plain mode, `run`, `check`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from gradstep.opening import open_session
from gradstep.saving.session_folder import Store
from gradstep.session import Session
from gradstep.start import start_from
from gradstep_tui import cli
from gradstep_tui.plain.conversation import Conversation
from tests.engine.raising_scripts import ERRORS, line_of, script, written
from tests.terminal import Terminal
from tests.tui.bench import frame, idle, opened, press, text

KINDS = ("ValueError", "SystemExit", "KeyboardInterrupt", "Mute", "Bare")
LESSONS = {  # what two kinds mean for a script is said instead of who raised them
    "SystemExit": "Remove that line: a script that ends the program cannot be trained.",
    "KeyboardInterrupt": "The script interrupted itself: remove this line.",
}
LINES = ("forward", "backward", "verdict", "check", "node", "epochs 5", "twin", "batches 5", "undo")


def session_of(path: Path) -> Session:
    return open_session(start_from(str(path)))


@pytest.mark.parametrize("error", KINDS)
def test_plain_mode_shows_it_with_its_line_and_goes_on(error: str, tmp_path: Path) -> None:
    said: list[str] = []
    conversation = Conversation(session_of(written(tmp_path, "tensor hook of a leaf", error)), said.append)
    lines = (
        "forward",
        "backward",
        "verdict",
        "check",
        "node",
        "epochs 5",
        "twin",
        "batches 5",
        "surface",
        "undo",
    )
    for line in lines:
        before = len(said)
        assert conversation.answer(line)
        assert len(said) > before
        if line == "backward":
            told = "\n".join(said[before:])
            assert f"error: {LESSONS.get(error, 'Your code raised an error.')}\n{error}" in told
            assert f"mine.py, line {line_of(error)}: {ERRORS[error]}" in told


@pytest.mark.parametrize("error", KINDS)
@pytest.mark.parametrize("place", ["node hook", "forward"])
def test_run_says_it_in_one_line(
    error: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", str(written(tmp_path, place, error))]) == 2
    told = capsys.readouterr().err
    assert told.startswith("gradstep run: ")
    assert f"(mine.py, line {line_of(error)})" in told
    assert "--help" not in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("error", KINDS)
def test_check_says_where_it_was_raised(
    error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(script("forward", error).replace("passes = 2", "passes = 1"))
    assert cli.main(["check", str(path)]) == 2
    assert f"mine.py, line {line_of(error)}" in capsys.readouterr().err


@pytest.mark.parametrize("error", KINDS)
async def test_the_bench_shows_it_with_its_line_and_goes_on(error: str, tmp_path: Path) -> None:
    path = written(tmp_path, "node hook", error)
    async with opened(make=partial(session_of, path)) as pilot:
        await press(pilot, "f", "b")
        await idle(pilot)
        shown = " ".join(text(pilot).split())
        assert "Your code raised an error" in shown
        assert f"line {line_of(error)}" in shown
        for key in ("v", "s", "e", "u"):
            await press(pilot, key)
            await idle(pilot)
        await press(pilot, "f")
        await idle(pilot)
        assert frame(pilot).loss is not None


def test_a_session_that_the_script_ended_with_its_process_is_offered_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    ends = script("node hook", "ValueError").replace(ERRORS["ValueError"], "import os; os._exit(9)")
    path.write_text(ends)
    state = tmp_path / "state"
    command = [sys.executable, "-m", "gradstep_tui", str(path)]
    with Terminal(command, env={"XDG_STATE_HOME": str(state)}, preloaded=True) as terminal:
        terminal.wait_for("forward")
        terminal.send("f")
        terminal.wait_for("next: backward")
        terminal.wait_for(lambda _: any(b"Forward" in one.read_bytes() for one in state.rglob("*.jsonl")))
        terminal.send("b")
        assert terminal.wait_exit() == 9
    found = Store(state / "gradstep/sessions").unfinished().session
    assert found is not None
    with Terminal(command, env={"XDG_STATE_HOME": str(state)}, preloaded=True) as terminal:
        terminal.wait_for("not left in order")
        terminal.send("enter")
        terminal.wait_for("next: backward")
        terminal.send("q")
        assert terminal.wait_exit() == 0
