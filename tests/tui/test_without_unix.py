"""Nothing that only Linux has: the trainer in an interpreter that lacks what Windows lacks."""

from __future__ import annotations

import os
import subprocess
import sys

LIKE_WINDOWS = """
import asyncio, importlib.abc, signal, sys

MISSING = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty", "curses", "readline"}

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def no_handlers(*_):
    raise NotImplementedError

for name in MISSING:
    sys.modules.pop(name, None)  # the machine's own start may have loaded one
sys.meta_path.insert(0, Missing())
del signal.SIGHUP
asyncio.BaseEventLoop.add_signal_handler = asyncio.SelectorEventLoop.add_signal_handler = no_handlers
"""
"""What Windows lacks, by the notes on availability in Python's documentation."""

A_FIRST_STEP = """
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.app import GradstepApp

async def main():
    app = GradstepApp(lambda: open_session(Start()))
    async with app.run_test(size=(80, 24)) as pilot:
        while app.screen.frame is None:
            await pilot.pause(0.01)
        await pilot.press("f", "s", "b", "u", "z")
        print("loss", f"{app.screen.frame.loss:.4f}")

asyncio.run(main())
"""

SERVE = """
from gradstep_tui.cli import main
sys.exit(main(["serve"]))
"""


def test_it_starts_and_trains_without_what_windows_lacks() -> None:
    command = [sys.executable, "-c", LIKE_WINDOWS + A_FIRST_STEP]
    # Textual brings a driver for each system; the one for this system is not what is looked at here.
    env = os.environ | {"TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"}
    told = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "loss 18746.5391\n"


def test_a_workshop_says_that_it_needs_unix() -> None:
    for gone in ("", "MISSING -= {'fcntl', 'grp', 'pty', 'pwd', 'termios', 'tty'}\n"):
        command = [sys.executable, "-c", f"{LIKE_WINDOWS}{gone}\n{SERVE}"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 2
        assert told.stderr.startswith("gradstep serve: a workshop needs a Unix system")
        assert told.stderr.count("\n") == 1
