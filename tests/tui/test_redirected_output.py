"""What passes Python's streams by never reaches the terminal; Linux keeps as much as there is room for."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from gradstep.captured_output import KeptFromTerminal, Printed
from gradstep_tui.terminal.redirected_output import ROOM, terminal_for_the_screen

linux = pytest.mark.skipif(sys.platform != "linux", reason="it goes nowhere there")


@linux
def test_c_and_other_programs_are_read_with_what_the_script_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    printed = Printed()
    with terminal_for_the_screen():
        with KeptFromTerminal(printed):
            print("Python")
            ctypes.CDLL(None).printf(b"C\n")
        with KeptFromTerminal(printed):
            os.write(2, b"cut in tw\xc3")
        with KeptFromTerminal(printed):
            os.write(2, b"\xb6\n")
            os.system("echo a program; echo its error >&2")
        ctypes.CDLL(None).printf(b"late\n")
        sys.stdout.write("the screen\n")
    assert printed.lines == ("Python", "C", "cut in tw\u00f6", "a program", "its error")
    assert capfd.readouterr() == ("the screen\n", "")


@linux
def test_whoever_writes_for_ever_is_stopped_and_there_is_room_again_afterwards() -> None:
    printed = Printed()
    with terminal_for_the_screen():
        with KeptFromTerminal(printed):
            ended = subprocess.run(["yes", "and so on"], timeout=20, check=False)
        assert ended.returncode != 0
        assert printed.count > ROOM / 20
        assert printed.lines[-2] == "and so on"
        with KeptFromTerminal(printed):
            os.write(1, b"\nonce more\n")
        assert printed.lines[-1] == "once more"
