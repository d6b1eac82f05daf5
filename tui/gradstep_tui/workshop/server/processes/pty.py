"""A learner's pseudo-terminal: what the client sends goes in, what the bench draws comes out."""

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

from gradstep_tui.workshop.server.access.rate_limits import Bucket
from gradstep_tui.workshop.server.processes.nonblocking_writer import Outlet

RESTORE: Final = (
    b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[<u\x1b[0m\r\n"
)
"""Undoes what a bench had set, where its process could not: other screen, no cursor, mouse, paste, keys."""

COLUMNS: Final = range(20, 301)
ROWS: Final = range(8, 121)

READ: Final = 1 << 16
TYPED: Final = 4096
"""Bytes that are written at a time: what a terminal takes."""

INPUT_RATE: Final = 2_000.0
"""Bytes a second that a client may send in the long run: more than fast typing, less than a paste."""

INPUT_BURST: Final = 8_000.0

TERM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,31}", re.ASCII)
LOCALE: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,15}(\.[A-Za-z0-9-]{1,16})?(@[A-Za-z]{1,16})?", re.ASCII)

ALLOWED: Final[Mapping[str, re.Pattern[str]]] = {
    "LANG": LOCALE,
    "LC_ALL": LOCALE,
    "LC_CTYPE": LOCALE,
    "COLORTERM": re.compile("truecolor|24bit"),
    "NO_COLOR": re.compile("[A-Za-z0-9]{0,8}", re.ASCII),
}
"""What a client may set in the environment of its bench, and to what."""


def environment_of(sent: Mapping[str, str], term: str) -> dict[str, str]:
    """Give what of a client's environment reaches its bench: few names, and only values that are harmless."""
    chosen = {
        name: value for name, value in sent.items() if name in ALLOWED and ALLOWED[name].fullmatch(value)
    }
    if not any(name in chosen for name in ("LANG", "LC_ALL", "LC_CTYPE")):
        chosen["LANG"] = "C.UTF-8"  # OpenSSH sends none by itself, and every terminal of today is one
    return {**chosen, "TERM": term}


class Terminal:
    """The server's end of it."""

    def __init__(
        self,
        size: tuple[int, int],
        write: Callable[[bytes], None],
        pause_input: Callable[[bool], None],
    ) -> None:
        """Open one.

        Args:
            size: Columns and rows; made to fit into sane bounds.
            write: Takes what the bench draws.
            pause_input: Called with True where the client is to wait before it sends more, then with False.
        """
        self._master, self.slave = pty.openpty()
        self._write, self._pause_input = write, pause_input
        self._loop = asyncio.get_running_loop()
        self._bucket = Bucket(INPUT_RATE, INPUT_BURST)
        self._reading = self._waiting = False
        self._silence()
        self.resize(size)
        os.set_blocking(self._master, False)
        self._typed = Outlet(self._master, TYPED)
        self.draw(True)

    def _silence(self) -> None:
        """Have nothing echoed, and no ctrl+c act, until the bench has taken the terminal over."""
        flags = termios.tcgetattr(self.slave)
        flags[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(self.slave, termios.TCSANOW, flags)

    def close_slave(self) -> None:
        """The bench's process has it now."""
        os.close(self.slave)

    def resize(self, size: tuple[int, int]) -> None:
        """Tell the bench the size of its window."""
        columns = min(max(size[0], COLUMNS[0]), COLUMNS[-1])
        rows = min(max(size[1], ROWS[0]), ROWS[-1])
        with suppress(OSError, ValueError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._master >= 0:
            self._typed.send(data)
        wait = self._bucket.take(len(data))
        if (wait > 0 or self._typed.waiting) and not self._waiting:
            self._waiting = True
            self._pause_input(True)
            self._loop.call_later(max(wait, 0.02), self._go_on)

    def draw(self, on: bool) -> None:
        """Pass on what the bench draws, or let it wait: the client does not read."""
        if on and not self._reading and self._master >= 0:
            self._loop.add_reader(self._master, self._read)
        elif not on and self._reading:
            self._loop.remove_reader(self._master)
        self._reading = on and self._master >= 0

    def close(self) -> None:
        """Close it; the bench gets a hangup."""
        if self._master >= 0:
            self._read_all()
            self.draw(False)
            self._typed.close()
            os.close(self._master)
            self._master = -1

    def _go_on(self) -> None:
        if self._master < 0:
            return
        if self._typed.waiting:
            self._loop.call_later(0.02, self._go_on)
            return
        wait = self._bucket.take(0.0)
        if wait > 0:
            self._loop.call_later(wait, self._go_on)
            return
        self._waiting = False
        self._pause_input(False)

    def _read(self) -> None:
        try:
            data = os.read(self._master, READ)
        except BlockingIOError:
            return
        except OSError:  # Linux's way to say that nobody has the other end any more
            data = b""
        if data:
            self._write(data)
        else:
            self.draw(False)  # its process's end is told soon, by the warm process

    def _read_all(self) -> None:
        """Pass on what is still in it."""
        if self._reading:
            with suppress(OSError):
                while data := os.read(self._master, READ):
                    self._write(data)
