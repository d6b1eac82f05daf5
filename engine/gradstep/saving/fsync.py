"""Calls `fsync` on a session file about once a second, in a thread of its own because it may block."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from gradstep.saving.session_file import SessionFile

INTERVAL: Final = 1.0
"""Seconds between one sync and the next."""


class Syncer:
    """Thread that syncs a file while another thread writes to it, so that a slow disk delays no line."""

    def __init__(self, file: SessionFile, failed: Callable[[OSError], None]) -> None:
        """Start the thread; it calls `failed` with the error of a sync, at most once."""
        self._file = file
        self._failed = failed
        self._wanted = Event()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="session sync", daemon=True)
        self._thread.start()

    def want(self) -> None:
        """Request a sync, because the file has new lines."""
        self._wanted.set()

    def end(self) -> None:
        """Sync the last lines and wait for the thread to end."""
        self._ended.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            self._wanted.wait()
            # In this order, because `end` sets `_ended` first.
            self._wanted.clear()
            ended = self._ended.is_set()
            try:
                self._file.sync()
            except OSError as error:
                self._failed(error)
                return
            self._ended.wait(INTERVAL)
