"""A real terminal for a real command: a pseudo-terminal whose output `pyte` draws.

with Terminal(columns=80, rows=24) as terminal:
    terminal.wait_for("next: forward")
    mark = terminal.written
    terminal.send("s")
    terminal.wait_for("in backward 1/")
    terminal.settle()
    assert terminal.written - mark < 4_000
    terminal.send("q")
    assert terminal.wait_exit() == 0
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import pyte

from tests.preloaded import Preloaded

GRADSTEP: Final = (str(Path(sys.executable).with_name("gradstep")),)
"""The installed command."""

PATIENCE: Final = 60.0
"""Seconds after which a wait fails; far more than anything takes on a busy machine."""

KEYS: Final = {
    "enter": "\r",
    "escape": "\x1b",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+s": "\x13",
}
"""What a terminal sends for keys that are no characters."""

_TELLING: Final = re.compile(
    r"COLORTERM|NO_COLOR|LANG|LC_.*|TERM.*|TEXTUAL.*|COLUMNS|LINES|FORCE_COLOR|ESCDELAY|SSH_.*|TMUX|STY"
    r"|GRADSTEP_PIXELS"
)
"""Variables that change what is drawn: a test says them itself."""

_MODE: Final = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_KITTY: Final = re.compile(rb"\x1b\[([<>])[0-9]*u")
_PICTURE: Final = re.compile(rb"\x1b[_P][^\x1b]*\x1b\\")
_UNFINISHED: Final = re.compile(rb"\x1b(\[[0-9;?<>=$]*|[_P][^\x1b]*\x1b?)?\Z")


class TooLongError(AssertionError):
    """What was waited for did not happen."""


class Terminal:
    """A command in a terminal of its own, which is its controlling one."""

    def __init__(
        self,
        command: Sequence[str] = GRADSTEP,
        *,
        columns: int = 80,
        rows: int = 24,
        cell: tuple[int, int] = (0, 0),
        env: Mapping[str, str | None] | None = None,
        stderr: IO[Any] | None = None,
        preloaded: bool = False,
    ) -> None:
        """Start `command`.

        Args:
            command: Program and arguments; `(*GRADSTEP, "--ascii")` for instance.
            columns: Width of the terminal.
            rows: Its height.
            cell: Pixels of a cell, across and upwards; 0 if the terminal does not say.
            env: Added to this process's environment, which loses all that changes what is drawn; None
                takes a variable away. TERM is xterm-256color and LC_ALL is C.UTF-8 unless given here.
            stderr: Where standard error goes; None for the terminal.
            preloaded: Whether it runs in a process that has loaded PyTorch: see `tests.preloaded`.

        Sessions are saved in a folder of its own, unless XDG_STATE_HOME is given.
        """
        self._state: Final = tempfile.TemporaryDirectory(prefix="gradstep-state-")
        env = {"XDG_STATE_HOME": self._state.name, **(env or {})}
        self._master, self._slave = os.openpty()
        self._cell = cell
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._set_size(columns, rows)
        self.attributes_before: Final = self.attributes
        """The terminal's attributes before the command had it."""

        self.output = bytearray()
        """Every byte that was written so far."""

        self.last_output = 0.0
        """`time.perf_counter()` when the newest bytes were read."""

        self._drawn = 0
        errors = self._slave if stderr is None else stderr.fileno()
        self.process: Final = (self._preloaded if preloaded else self._started)(
            command, environment(env), errors
        )
        os.set_blocking(self._master, False)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the command, if it still runs, and give the pseudo-terminal back."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._state.cleanup()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    # What a person does

    def send(self, keys: str) -> None:
        """Type text, or one of `KEYS` by its name; the time it takes is up to the command."""
        self.send_bytes(KEYS.get(keys, keys).encode())

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, which need be no text."""
        while data:
            self.read(0.0)
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                self.read(0.01)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size; the kernel sends SIGWINCH."""
        self.read(0.0)
        self._draw()
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the window: the command gets SIGHUP from the kernel, and nothing can be read any more."""
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
        self._master = self._slave = -1

    # What is seen

    @property
    def lines(self) -> list[str]:
        """The screen as text, a string as wide as the terminal for each row."""
        self.read(0.0)
        self._draw()
        return self._screen.display

    @property
    def text(self) -> str:
        """The screen as one text, without blanks at line ends."""
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def screen(self) -> pyte.Screen:
        """The screen with each cell's colours, in `buffer[y][x]`."""
        self.read(0.0)
        self._draw()
        return self._screen

    @property
    def written(self) -> int:
        """How many bytes the command has written so far; two of them apart say what a key cost."""
        self.read(0.0)
        return len(self.output)

    @property
    def modes(self) -> set[int]:
        """Private modes that are set now, e.g. 1049 for the alternate screen, 25 for a visible cursor."""
        self.read(0.0)
        modes = {25, 7}
        for numbers, switch in _MODE.findall(bytes(self.output)):
            for number in map(int, numbers.split(b";")):
                (modes.add if switch == b"h" else modes.discard)(number)
        return modes

    @property
    def kitty_depth(self) -> int:
        """How many more kitty keyboard modes were pushed than popped."""
        self.read(0.0)
        return sum(1 if sign == b">" else -1 for sign in _KITTY.findall(bytes(self.output)))

    @property
    def attributes(self) -> list[Any]:
        """What `termios.tcgetattr` gives: echo, raw mode, control characters."""
        return termios.tcgetattr(self._slave)

    # Waiting

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = PATIENCE) -> str:
        """Read until the screen shows `wanted`, or until `wanted(text)` is true; give the text.

        Raises:
            TooLongError: it took longer than `seconds`, or the command ended before.
        """
        shows = wanted if callable(wanted) else lambda text: wanted in text
        end = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            text = self.text
            if shows(text):
                return text
            if ended or time.monotonic() > end:
                why = f"the command ended with {self.process.returncode}" if ended else f"{seconds} s passed"
                name = wanted if isinstance(wanted, str) else "what was waited for"
                raise TooLongError(f"{why}, and the screen does not show {name!r}:\n{text}")
            self.read(0.05)

    def wait_written(self, mark: int, seconds: float = PATIENCE) -> None:
        """Read until more than `mark` bytes have been written: the answer to a key has begun.

        Raises:
            TooLongError: it took longer than `seconds`.
        """
        end = time.monotonic() + seconds
        while len(self.output) <= mark:
            if not self.read(0.05) and time.monotonic() > end:
                raise TooLongError(f"nothing was written within {seconds} s:\n{self.text}")

    def settle(self, quiet: float = 0.15, seconds: float = PATIENCE) -> None:
        """Read until nothing has been written for `quiet` seconds: the redraw is finished.

        Raises:
            TooLongError: it is still writing after `seconds`.
        """
        end = time.monotonic() + seconds
        while self.read(quiet):
            if time.monotonic() > end:
                raise TooLongError(f"still drawing after {seconds} s")

    def wait_exit(self, seconds: float = PATIENCE) -> int:
        """Read until the command has ended; give its exit code, negative where a signal ended it.

        Raises:
            TooLongError: it still runs after `seconds`.
        """
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise TooLongError(f"the command still runs after {seconds} s:\n{self.text}")
            if self._master < 0:
                time.sleep(0.01)
            else:
                self.read(0.02)
        if self._master >= 0:
            while self.read(0.0):
                pass
        return self.process.returncode

    def read(self, seconds: float) -> bool:
        """Take in what is there, waiting at most `seconds` for the first byte; give whether there was any."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except (BlockingIOError, OSError):
            return False
        self.last_output = time.perf_counter()
        self.output += data
        return bool(data)

    def _draw(self) -> None:
        """Let pyte draw what it has not yet seen, only when somebody looks: it is slow."""
        data = bytes(self.output[self._drawn :])
        unfinished = _UNFINISHED.search(data)
        data = data[: unfinished.start()] if unfinished else data
        self._drawn += len(data)
        data = _PICTURE.sub(b"", data)  # pyte would show their text, and the last letter of the others
        self._stream.feed(_KITTY.sub(b"", data))

    def _started(
        self, command: Sequence[str], env: dict[str, str], stderr: int
    ) -> subprocess.Popen[bytes] | Preloaded:
        return subprocess.Popen(
            list(command),
            stdin=self._slave,
            stdout=self._slave,
            stderr=stderr,
            env=env,
            start_new_session=True,
            preexec_fn=self._take_as_controlling,
        )

    def _preloaded(
        self, command: Sequence[str], env: dict[str, str], stderr: int
    ) -> subprocess.Popen[bytes] | Preloaded:
        return Preloaded(command, env=env, streams=(self._slave, self._slave, stderr), in_terminal=True)

    def _set_size(self, columns: int, rows: int) -> None:
        across, down = columns * self._cell[0], rows * self._cell[1]
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, across, down))

    def _take_as_controlling(self) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSCTTY, 0)


def environment(env: Mapping[str, str | None]) -> dict[str, str]:
    """Give this process's environment without what changes the drawing, changed by `env`."""
    mine = {name: value for name, value in os.environ.items() if not _TELLING.fullmatch(name)}
    wanted = {**mine, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **env}
    return {name: value for name, value in wanted.items() if value is not None}
