"""What a script prints, as far as there is room, with the terminal kept from it."""

from __future__ import annotations

import io
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread, get_ident
from types import TracebackType
from typing import Any, Final

MOST_LINES: Final = 1000
"""The newest lines are kept."""

LONGEST: Final = 500
"""Characters of a line that are kept."""

STREAMS: Final = ("stdin", "stdout", "stderr")

_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|[\x80-\x9f]"
)
"""What tells a terminal to do something: colours, cursor movements, titles."""


_past: list[Callable[[], str]] = []
"""Who collects what is written past Python's streams: at most one, for descriptors are the process's."""


@contextmanager
def past_the_streams(read: Callable[[], str]) -> Iterator[None]:
    """While it lasts, have `read` give what was written past Python's streams since it was last asked.

    C++ code and programs that a script starts write to descriptors 1 and 2 by themselves.
    """
    _past.append(read)
    try:
        yield
    finally:
        _past.remove(read)


class Printed:
    """Takes what is printed, from any thread; the newest lines can be read, as plain text.

    A carriage return begins a line anew, as for a progress bar, of which the last state is kept.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._count = 0
        self._lock = Lock()
        self._streams = _Stream(self._take), _Stream(self._take)
        self._beside = _Stream(self._take)
        self.changes = 0
        """How many times something was written."""

    @property
    def streams(self) -> tuple[io.TextIOBase, io.TextIOBase]:
        """Stand for standard output and standard error, which may break each other's lines."""
        return self._streams

    def catch_up(self) -> None:
        """Take in what was written past the streams by now, where somebody collects that."""
        for read in _past:
            if text := read():
                self._beside.write(text)

    @property
    def count(self) -> int:
        """How many lines were printed, also those that are gone."""
        return self._count + len(self._under_way())

    @property
    def lines(self) -> tuple[str, ...]:
        """The newest lines."""
        with self._lock:
            return (*self._lines, *self._under_way())

    @property
    def gone(self) -> int:
        """How many older lines are not kept."""
        with self._lock:
            return self._count - len(self._lines)

    def _take(self, stream: _Stream, text: str) -> None:
        with self._lock:
            *whole, rest = text.split("\n")
            for part in whole:
                self._lines.append(_visible(stream.open + part))
                stream.open = ""
            self._count += len(whole)
            self.changes += 1
            stream.open = _begun(stream.open + rest)

    def _under_way(self) -> list[str]:
        return [_visible(stream.open) for stream in (*self._streams, self._beside) if stream.open]


class _Stream(io.TextIOBase):
    """Hands on what is written, with a line that has not ended yet."""

    def __init__(self, take: Callable[[_Stream, str], None]) -> None:
        super().__init__()
        self.open = ""
        self._take = take

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._take(self, text)
        return len(text)


class KeptFromTerminal:
    """While it lasts, what is printed goes elsewhere, and there is nothing to read from standard input.

    It holds for the whole process: a script may print from any thread.
    """

    __slots__ = ("_before", "_left", "_ours", "_printed")

    def __init__(self, printed: Printed) -> None:
        """Have `printed` take it."""
        self._printed = printed
        self._ours = io.StringIO(), *printed.streams
        self._left: Thread | None = None

    def leave(self, thread: Thread) -> None:
        """Have a thread that nobody waits for print nowhere afterwards, for as long as it runs."""
        self._left = thread

    def __enter__(self) -> KeptFromTerminal:
        """Begin."""
        self._before = sys.stdin, sys.stdout, sys.stderr
        for name, ours in zip(STREAMS, self._ours, strict=True):
            setattr(sys, name, ours)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back, unless somebody did meanwhile: a screen that has closed, say."""
        self._printed.catch_up()
        for name, ours, before in zip(STREAMS, self._ours, self._before, strict=True):
            if getattr(sys, name) is ours:
                muted = self._left is not None and name != "stdin"
                setattr(sys, name, _without(before, self._left) if muted else before)


class _Without:
    """A stream that takes nothing from certain threads."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.threads = set[int | None]()

    def write(self, text: str) -> int:
        return len(text) if get_ident() in self.threads else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _without(stream: Any, thread: Thread | None) -> _Without:
    found = stream if isinstance(stream, _Without) else _Without(stream)
    found.threads.add(None if thread is None else thread.ident)
    return found


def harmless(text: str) -> str:
    """Give text as it can be shown anywhere: without control sequences, other odd characters escaped."""
    plain = _SEQUENCE.sub("", text).expandtabs(4)
    if plain.isprintable():
        return plain
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in plain)


def _begun(line: str) -> str:
    """Give what has to be kept of a line that may go on; after a return at its end, it may be whole."""
    text = line.rstrip("\r")
    return text.rpartition("\r")[2][: LONGEST + 1] + ("\r" if text != line else "")


def _visible(line: str) -> str:
    """Give what a terminal would show of a line, cut where it is long."""
    shown = line.rstrip("\r").rpartition("\r")[2]
    return harmless(shown[:LONGEST]) + (" ..." if len(shown) > LONGEST else "")
