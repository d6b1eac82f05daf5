"""Random keys, pastes of random bytes, mouse reports, suspensions and resizes in a real terminal."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.terminal import Terminal
from tests.tui.test_terminal import READY, given_back

KEYS: Final = [key.encode() for key in "fsbuezS[]ZR lrJKGBcvnoitdwgm?/.,-0129x\r\t\x7f"]
SEQUENCES: Final = [b"\x1b[" + end for end in b"A B C D H F 5~ 6~ Z 3~ 20~ 21~ 1;5A 200~ I O".split()]
SIZES: Final = ((80, 24), (120, 40), (60, 20), (160, 50), (1, 1))
LEAVING: Final = b"q\x03\x1a\x1c"
"""Keys that end the command, some of them only while it is suspended."""


def some_input(draw: random.Random) -> bytes:
    """Return keys, a paste, or reports of the mouse."""
    kind = draw.random()
    if kind < 0.7:
        return b"".join(draw.choices(KEYS, k=draw.randrange(1, 6)))
    if kind < 0.8:
        return draw.choice([*SEQUENCES, b"\x1b", b"\x10", b"\x10\x1b[6~", b"\x1bOP"])
    if kind < 0.9:
        button, end = draw.choice((0, 1, 2, 32, 35, 64, 65)), draw.choice(b"Mm")
        return b"\x1b[<%d;%d;%d%c" % (button, draw.randrange(-2, 170), draw.randrange(-2, 60), end)
    random_bytes = draw.randbytes(draw.randrange(1, 400)).translate(None, LEAVING)
    return random_bytes if kind < 0.93 else b"\x1b[200~" + random_bytes + b"\x1b[201~"


def campaign(terminal: Terminal, draw: random.Random, count: int) -> int:
    """Send up to `count` pieces of input, suspend and resize in between; return how many were sent.

    Fewer are sent if the command leaves in order, e.g. at a click on its `q`.
    """
    for number in range(count):
        chance = draw.random()
        if chance < 0.01:
            terminal.signal(signal.SIGTSTP)
            terminal.read(0.02)
            terminal.signal(signal.SIGCONT)
        elif chance < 0.02:
            terminal.resize(*draw.choice(SIZES))
        terminal.send_bytes(some_input(draw))
        if number % 20 == 0:
            terminal.read(0.02)
        if terminal.process.poll() is not None:
            break
    else:
        terminal.signal(signal.SIGCONT)
        terminal.resize(80, 24)
        terminal.send("ctrl+c")
    # A terminal that the suspended command has given back sends SIGINT for ctrl+c.
    ends = (0, 128 + signal.SIGINT)
    assert terminal.wait_exit(100) in ends, f"it ended after {number} pieces:\n{terminal.text}"
    assert given_back(terminal)
    assert b"Traceback" not in terminal.output
    return number + 1


@pytest.mark.parametrize(
    "count", [80, pytest.param(20_000, marks=(pytest.mark.full, pytest.mark.timeout(1200)))]
)
def test_nothing_that_a_terminal_sends_ends_or_blocks_it(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # keys write files
    draw = random.Random(13)
    while count > 0:
        with Terminal(preloaded=True) as terminal:
            terminal.wait_for(READY)
            count -= campaign(terminal, draw, min(count, 2_000))
