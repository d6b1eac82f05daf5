"""Has a file reach the disk about once a second, in a thread of its own: it may take long."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from gradstep.saving.session_file import SessionFile

EVERY: Final = 1.0
"""Seconds between one sync and the next."""


class Syncer:
    """Syncs a file while it is written to; so a slow disk keeps no line waiting."""

    def __init__(self, file: SessionFile, failed: Callable[[OSError], None]) -> None:
        """Start; `failed` is called from the thread, at most once."""
        self._file = file
        self._failed = failed
        self._wanted = Event()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="session sync", daemon=True)
        self._thread.start()

    def want(self) -> None:
        """Say that there is something new."""
        self._wanted.set()

    def end(self) -> None:
        """Have the last lines reach the disk, and end."""
        self._ended.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            self._wanted.wait()
            # In this order: `end` sets the other one first.
            self._wanted.clear()
            ended = self._ended.is_set()
            try:
                self._file.sync()
            except OSError as error:
                self._failed(error)
                return
            self._ended.wait(EVERY)
