"""The bench for recordings: `gradstep open`, and `gradstep.backward` in a program of a learner's own."""

from __future__ import annotations

import io
import signal
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import gradstep
from gradstep.actions import StepNode
from gradstep.recordings.recording_file import read_recording
from gradstep.recordings.recording_session import RecordingSession, open_recording
from gradstep_tui.cli import main
from gradstep_tui.keys import KEYS
from gradstep_tui.recording_app import RecordingApp
from gradstep_tui.screens.recording import CHANGING, RecordingScreen
from gradstep_tui.text.remarks import NOTHING
from tests.engine.recorded_loops import adam
from tests.terminal import Terminal, TooLongError
from tests.tui.bench import bench, press, text, until
from tests.tui.test_terminal import given_back


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("recorded") / "run.gradstep"
    with gradstep.record(made):
        adam(3)
    return made


@pytest.fixture
def make(path: Path) -> Callable[[], RecordingSession]:
    return lambda: open_recording(read_recording(path))


async def test_every_key_moves_or_says_that_nothing_can_be_changed(
    make: Callable[[], RecordingSession],
) -> None:
    app = RecordingApp(make)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        screen = bench(pilot)
        assert isinstance(screen, RecordingScreen)
        assert "READ-ONLY" in text(pilot)
        await press(pilot, "s")
        assert "recorded_loops.py:" in text(pilot)
        assert "nn.functional.mse_loss(model(x), y)" in text(pilot)
        before = screen.frame
        for key in KEYS:
            if key.id in CHANGING:
                screen.action_press(key.id)
                assert "can only be looked at" in screen.notice.text, key.id
                assert screen.frame is before
                screen.notice = NOTHING
        await press(pilot, "S", "space", "space", "left")
        assert screen.frame is not None
        assert screen.frame.position == 1
        await press(pilot, "e", "e")
        assert "the end of the recording" in text(pilot)
        await press(pilot, "s")
        assert "end of the recording" in screen.notice.text


async def test_the_dialogs_show_the_recording(make: Callable[[], RecordingSession]) -> None:
    app = RecordingApp(make)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        await press(pilot, "b", "g")
        assert "every write" in text(pilot) or "+" in text(pilot)
        await press(pilot, "escape", "a")
        await until(pilot, lambda: "MseLoss" in text(pilot))
        await press(pilot, "escape", "t")
        assert "backward" in text(pilot)
        await press(pilot, "escape", "w")
        assert "recorded 20" in text(pilot)
        await press(pilot, "escape", "i")
        await until(pilot, lambda: "nothing can be trained" in text(pilot))


def test_plain_mode_tells_a_recording(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = "node\nback\nepoch\nledger\nverdict\nexport x\nproblem xor\nlr 1\nstatus\nquit\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with redirect_stdout(io.StringIO()) as said:
        assert main(["open", "--plain", str(path)]) == 0
    told = said.getvalue()
    assert "node 1 of 12: MseLossBackward0" in told
    assert told.count("can only be looked at") == 4
    assert "rounds done 1" in told
    assert "zeroing on" in told  # zeroes were seen, though not the statement that wrote them


@pytest.mark.parametrize("content", [None, b"", b"precious", b"gradstep recording 2\n", b"gradstep rec"])
def test_a_bad_file_is_one_sentence_and_exit_code_2(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.gradstep"
    if content is not None:
        bad.write_bytes(content)
    assert main(["open", "--plain", str(bad)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert str(bad) in said


def test_without_a_terminal_plain_mode_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", str(path)]) == 2
    assert "gradstep open FILE --plain" in capsys.readouterr().err


PROGRAM = """
import asyncio, io, os, signal, sys, termios, torch, gradstep
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append("term"))
handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
attributes, environment = termios.tcgetattr(0), dict(os.environ)

class Tee(io.StringIO):
    def write(self, text):
        return sys.__stdout__.write(text)

def train():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for number in range(2):
        gradstep.backward((w * w).sum())
        print("GRAD", w.grad.tolist(), flush=True)

async def main():
    other = asyncio.create_task(asyncio.sleep(0, "OTHER"))
    train()
    print(await other, asyncio.current_task() is not None)

sys.stdout = tee = Tee()
asyncio.run(main())
assert sys.stdout is tee
assert {number: signal.getsignal(number) for number in signal.valid_signals()} == handlers
assert termios.tcgetattr(0) == attributes
assert dict(os.environ) == environment
os.kill(os.getpid(), signal.SIGTERM)
print("HEARD", heard)
try:
    train()
except KeyboardInterrupt:
    print("INTERRUPTED")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_program_is_stepped_left_and_goes_on_as_before(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    with Terminal((sys.executable, str(script)), columns=100, rows=30, preloaded=True) as terminal:
        terminal.wait_for("READ-ONLY")
        terminal.send("s")
        terminal.wait_for("in backward 1/")
        terminal.send("q")
        terminal.wait_for("round 2")
        terminal.send("escape")
        terminal.wait_for("round 3")
        terminal.send("ctrl+c")
        assert terminal.wait_exit() == 0
        for said in ("GRAD [2.0, 4.0]", "GRAD [4.0, 8.0]", "OTHER True", "HEARD ['term']", "INTERRUPTED"):
            assert said.encode() in terminal.output
        assert terminal.attributes == terminal.attributes_before
        assert 1049 not in terminal.modes


def test_a_recording_opens_in_a_terminal_and_is_left(path: Path) -> None:
    with Terminal(
        (sys.executable, "-m", "gradstep_tui", "open", str(path)), columns=100, rows=30, preloaded=True
    ) as terminal:
        terminal.wait_for("READ-ONLY")
        terminal.send("s")
        terminal.wait_for("in backward 1/")
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_the_session_of_the_screen_is_the_recordings(make: Callable[[], RecordingSession]) -> None:
    session = make()
    session.apply(StepNode())
    assert session.source_line().endswith("nn.functional.mse_loss(model(x), y)")


KILLED = """
import threading, torch, gradstep
threading.Thread(target=threading.Event().wait, daemon=True).start()
w = torch.tensor([1.0, 2.0], requires_grad=True)
gradstep.backward((w * w).sum())
"""


def test_a_program_with_threads_that_is_killed_gives_the_terminal_back(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(KILLED, encoding="utf-8")
    with Terminal((sys.executable, str(script)), columns=100, rows=30, preloaded=True) as terminal:
        terminal.wait_for("READ-ONLY")
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit() == -signal.SIGKILL
        end = time.monotonic() + 30
        while not given_back(terminal):
            if time.monotonic() > end:
                raise TooLongError("the terminal was not given back")
            terminal.read(0.05)
