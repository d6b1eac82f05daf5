"""A learner's pseudo-terminal: the client's input goes in, the bench's output comes out."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from gradstep_tui.terminal.pastes import PasteShortener
from gradstep_tui.workshop.server.access.rate_limits import TokenBucket
from gradstep_tui.workshop.server.processes.nonblocking_writer import NonblockingWriter

RESTORE: Final = (
    b"\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[<u\x1b[0m\r\n"
)
"""Control sequences that restore screen, cursor, mouse and keys of a terminal whose bench was killed."""

COLUMNS: Final = range(20, 301)
ROWS: Final = range(8, 121)

"""Columns and rows that a terminal may have."""

READ: Final = 1 << 16
"""Largest number of bytes that are read at a time."""

TYPED: Final = 4096
"""Largest number of bytes that are written at a time: the size of a terminal's input buffer."""

INPUT_RATE: Final = 2_000.0
"""Bytes of input per second in the long run: more than fast typing, less than a paste."""

INPUT_BURST: Final = 8_000.0
"""Bytes of input that may arrive at once."""

CUT: Final = 256.0
"""Bytes of a paste that count as one byte of input, because they are cut."""

TERM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,31}", re.ASCII)
LOCALE: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,15}(\.[A-Za-z0-9-]{1,16})?(@[A-Za-z]{1,16})?", re.ASCII)

ALLOWED: Final[Mapping[str, re.Pattern[str]]] = {
    "LANG": LOCALE,
    "LC_ALL": LOCALE,
    "LC_CTYPE": LOCALE,
    "COLORTERM": re.compile("truecolor|24bit"),
    "NO_COLOR": re.compile("[A-Za-z0-9]{0,8}", re.ASCII),
}
"""Environment variables that a client may set for its bench, and the values that they may have."""


def environment_of(sent: Mapping[str, str], term: str) -> dict[str, str]:
    """Return the environment of a bench.

    Args:
        sent: Environment variables that the client has sent; only those in `ALLOWED` are used.
        term: Type of the client's terminal.
    """
    chosen = {
        name: value for name, value in sent.items() if name in ALLOWED and ALLOWED[name].fullmatch(value)
    }
    if not any(name in chosen for name in ("LANG", "LC_ALL", "LC_CTYPE")):
        chosen["LANG"] = "C.UTF-8"  # OpenSSH sends no locale by itself, and terminals of today use UTF-8
    return {**chosen, "TERM": term}


class PseudoTerminal:
    """The server's end of a pseudo-terminal."""

    def __init__(
        self,
        size: tuple[int, int],
        write: Callable[[bytes], None],
        pause_input: Callable[[bool], None],
    ) -> None:
        """Open a pseudo-terminal.

        Args:
            size: Columns and rows; clamped to `COLUMNS` and `ROWS`.
            write: Called with the bench's output.
            pause_input: Called with True when the client has to wait before it sends more, later with False.
        """
        self._master, self.slave = pty.openpty()
        self._write, self._pause_input = write, pause_input
        self._loop = asyncio.get_running_loop()
        self._bucket = TokenBucket(INPUT_RATE, INPUT_BURST)
        self._pastes = PasteShortener()
        self._reading = self._waiting = False
        self._silence()
        self.resize(size)
        os.set_blocking(self._master, False)
        self._writer = NonblockingWriter(self._master, TYPED)
        self.draw(True)

    def _silence(self) -> None:
        """Turn off echo and signals until the bench configures the terminal itself."""
        flags = termios.tcgetattr(self.slave)
        flags[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(self.slave, termios.TCSANOW, flags)

    def close_slave(self) -> None:
        """Close the bench's end here: the bench process has it open."""
        os.close(self.slave)

    def resize(self, size: tuple[int, int]) -> None:
        """Set the size of the terminal, in columns and rows; the bench gets a signal."""
        columns = min(max(size[0], COLUMNS[0]), COLUMNS[-1])
        rows = min(max(size[1], ROWS[0]), ROWS[-1])
        with suppress(OSError, ValueError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        """Write the client's input, long pastes cut; have the client wait if it sends too much."""
        passed = self._pastes.shorten(data.decode("latin-1")).encode("latin-1")
        if self._master >= 0:
            self._writer.send(passed)
        cut = max(len(data) - len(passed), 0)
        wait = self._bucket.take(len(passed) + cut / CUT)
        if (wait > 0 or self._writer.waiting) and not self._waiting:
            self._waiting = True
            self._pause_input(True)
            self._loop.call_later(max(wait, 0.02), self._resume_input)

    def draw(self, on: bool) -> None:
        """Forward the bench's output, or let the output wait because the client does not read."""
        if on and not self._reading and self._master >= 0:
            self._loop.add_reader(self._master, self._read)
        elif not on and self._reading:
            self._loop.remove_reader(self._master)
        self._reading = on and self._master >= 0

    def close(self) -> None:
        """Close the terminal; the bench gets a hangup."""
        if self._master >= 0:
            self._read_all()
            self.draw(False)
            self._writer.close()
            os.close(self._master)
            self._master = -1

    def _resume_input(self) -> None:
        if self._master < 0:
            return
        if self._writer.waiting:
            self._loop.call_later(0.02, self._resume_input)
            return
        wait = self._bucket.take(0.0)
        if wait > 0:
            self._loop.call_later(wait, self._resume_input)
            return
        self._waiting = False
        self._pause_input(False)

    def _read(self) -> None:
        try:
            data = os.read(self._master, READ)
        except BlockingIOError:
            return
        except OSError:  # on Linux: nobody has the other end open any more
            data = b""
        if data:
            self._write(data)
        else:
            self.draw(False)  # the forkserver reports the end of the process soon

    def _read_all(self) -> None:
        """Forward the output that is still buffered."""
        if self._reading:
            with suppress(OSError):
                while data := os.read(self._master, READ):
                    self._write(data)
