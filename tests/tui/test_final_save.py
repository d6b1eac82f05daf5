"""Signals while the program ends: the session is saved to its end, and only the exit code tells of them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.terminal import Terminal
from tests.tui.test_terminal import READY, given_back

SLOW_SAVE: Final = """
import sys, gradstep_tui.cli
from gradstep.saving.line_builder import Lines

end = Lines.end

def slow(self):
    open(WAITING).read()  # waits until the test has sent its signal
    end(self)

Lines.end = slow
sys.exit(gradstep_tui.cli.main())
"""

SIGNAL_AT_THE_LOOPS_END: Final = """
import asyncio, signal, sys, gradstep_tui.cli

close = asyncio.selector_events.BaseSelectorEventLoop.close

def interrupted(self):
    close(self)
    signal.raise_signal(signal.SIGTERM)

asyncio.selector_events.BaseSelectorEventLoop.close = interrupted
sys.exit(gradstep_tui.cli.main())
"""


BENCH: Final = ((), READY, "fq")
PLAIN: Final = (("--plain",), "gradstep>", "forward\nquit\n")


@pytest.mark.parametrize(
    ("options", "shows", "keys", "number"),
    [(*BENCH, signal.SIGINT), (*BENCH, signal.SIGHUP), (*PLAIN, signal.SIGINT)],
    ids=["bench-SIGINT", "bench-SIGHUP", "plain-SIGINT"],
)
def test_a_signal_during_the_final_save_waits_for_it(
    options: tuple[str, ...], shows: str, keys: str, number: signal.Signals, tmp_path: Path
) -> None:
    waiting, state = tmp_path / "waiting", tmp_path / "state"
    os.mkfifo(waiting)
    command = (sys.executable, "-c", SLOW_SAVE.replace("WAITING", repr(str(waiting))), *options)
    with Terminal(command, env={"XDG_STATE_HOME": str(state)}, preloaded=True) as terminal:
        terminal.wait_for(shows)
        terminal.send(keys)
        with waiting.open("w"):  # it has begun to save
            terminal.signal(number)
        assert terminal.wait_exit() == 128 + number
        assert given_back(terminal)
        assert b"Traceback" not in terminal.output
    (file,) = state.rglob("*.jsonl")
    assert '"Forward"' in file.read_text()
    assert '"closed"' in file.read_text().splitlines()[-1]


def test_a_signal_while_the_event_loop_is_closed_is_only_in_the_exit_code() -> None:
    with Terminal((sys.executable, "-c", SIGNAL_AT_THE_LOOPS_END), preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("q")
        assert terminal.wait_exit() == 128 + signal.SIGTERM
        assert given_back(terminal)
        assert b"Exception ignored" not in terminal.output
