"""Output of a learner's script: captured, so that nothing reaches the terminal, and bounded."""

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
"""Newest lines that are kept."""

LONGEST: Final = 500
"""Characters that are kept of a line."""

STREAMS: Final = ("stdin", "stdout", "stderr")

_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|[\x80-\x9f]"
)
"""Control sequences of a terminal: colours, cursor movements, titles."""


_past: list[Callable[[], str]] = []
"""Reader of what was written past Python's streams; at most one, as descriptors belong to the process."""


@contextmanager
def past_the_streams(read: Callable[[], str]) -> Iterator[None]:
    """Collect, inside the `with` block, what is written past Python's streams.

    C++ code and programs that a script starts write to descriptors 1 and 2 directly.

    Args:
        read: Returns the text written there since its last call.
    """
    _past.append(read)
    try:
        yield
    finally:
        _past.remove(read)


class Printed:
    """Collects printed text from any thread and keeps the newest lines as plain text.

    After a carriage return the line starts again, so that a progress bar is kept in its last state.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._count = 0
        self._lock = Lock()
        self._streams = _Stream(self._take), _Stream(self._take)
        self._beside = _Stream(self._take)
        self.changes = 0
        """Number of writes so far."""

    @property
    def streams(self) -> tuple[io.TextIOBase, io.TextIOBase]:
        """Replacements for standard output and standard error; each keeps its own unfinished line."""
        return self._streams

    def catch_up(self) -> None:
        """Add the text that was written past Python's streams since the last call."""
        for read in _past:
            if text := read():
                self._beside.write(text)

    @property
    def count(self) -> int:
        """Number of lines printed so far, including lines that are no longer kept."""
        return self._count + len(self._under_way())

    @property
    def lines(self) -> tuple[str, ...]:
        """Newest lines, oldest first."""
        with self._lock:
            return (*self._lines, *self._under_way())

    @property
    def gone(self) -> int:
        """Number of older lines that are no longer kept."""
        with self._lock:
            return self._count - len(self._lines)

    def mark(self) -> tuple[int, tuple[str, ...]]:
        """Return how far the text has come, for `back_to`."""
        with self._lock:
            return self._count, tuple(stream.open for stream in self._streams)

    def back_to(self, mark: tuple[int, tuple[str, ...]]) -> None:
        """Forget what was written since `mark` was called, as far as it is kept."""
        with self._lock:
            for _ in range(min(self._count - mark[0], len(self._lines))):
                self._lines.pop()
            self._count = mark[0]
            for stream, begun in zip(self._streams, mark[1], strict=True):
                stream.open = begun
            self.changes += 1

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
    """Text stream that passes each write on and holds the unfinished line."""

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
    """Context manager that captures printed text and empties standard input.

    The streams of the whole process are replaced, because a script may print from any thread.
    """

    __slots__ = ("_before", "_left", "_ours", "_printed")

    def __init__(self, printed: Printed) -> None:
        """Capture into `printed`."""
        self._printed = printed
        self._ours = io.StringIO(), *printed.streams
        self._left: Thread | None = None

    def leave(self, thread: Thread) -> None:
        """Discard what an abandoned thread prints after the end of the `with` block."""
        self._left = thread

    def __enter__(self) -> KeptFromTerminal:
        """Replace the process's standard streams."""
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
        """Restore the standard streams, except any that was replaced meanwhile, e.g. by a closing screen."""
        self._printed.catch_up()
        for name, ours, before in zip(STREAMS, self._ours, self._before, strict=True):
            if getattr(sys, name) is ours:
                muted = self._left is not None and name != "stdin"
                setattr(sys, name, _without(before, self._left) if muted else before)


class _Without:
    """Stream that discards what certain threads write."""

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
    """Return text without control sequences and with other unprintable characters escaped."""
    plain = _SEQUENCE.sub("", text).expandtabs(4)
    if plain.isprintable():
        return plain
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in plain)


def _begun(line: str) -> str:
    """Return the part of an unfinished line that is still needed, keeping a carriage return at its end."""
    text = line.rstrip("\r")
    return text.rpartition("\r")[2][: LONGEST + 1] + ("\r" if text != line else "")


def _visible(line: str) -> str:
    """Return what a terminal would show of a line, cut after `LONGEST` characters."""
    shown = line.rstrip("\r").rpartition("\r")[2]
    return harmless(shown[:LONGEST]) + (" ..." if len(shown) > LONGEST else "")
