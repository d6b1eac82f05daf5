"""A run of epochs in a conversation: it tells how far it has come, and ctrl+c stops it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from gradstep.actions import GoTo, RunEpochs
from gradstep_tui.text.frames import duration
from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.session import Session
    from gradstep.training.progress import Progress

TELL_EVERY: Final = 2.0
"""Seconds between two lines on how far a run has come; a shorter run tells its end only."""


def run(session: Session, action: RunEpochs | GoTo, say: Callable[[str], None]) -> Frame:
    """Apply an action that may take long: it says how far it has come now and then, a run also how fast.

    Raises:
        EngineError: as `Session.apply` does.
    """
    started = time.monotonic()
    first = session.frame.epoch
    with stoppable(session, say) as stopped:
        frame = session.apply(action, stopped)
    seconds, count = time.monotonic() - started, frame.epoch - first
    if seconds >= TELL_EVERY and isinstance(action, RunEpochs):
        say(f"{count:,} epochs in {duration(seconds)}, {count / seconds:,.0f} per second")
    return frame


@contextmanager
def stoppable(session: Session, say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Give what long work asks between epochs: it says how far that is, and whether ctrl+c was typed."""
    teller = _Teller(session, say)
    with _stopped_by_ctrl_c() as stop:
        yield lambda: teller.tell_in_time() or stop.is_set()


def progress_text(progress: Progress) -> str:
    """Say how far a run has come, how fast, and how long it will take."""
    left = progress.seconds_left
    losses = progress.curve
    loss = f", loss {cell(losses[len(losses) - 1])}" if len(losses) else ""
    rest = "" if left is None else f", {duration(left)} left"
    return f"{progress.done:,} of {progress.count:,} epochs{loss}, {progress.rate:,.0f} per second{rest}"


class _Teller:
    """Says how far a run has come, now and then."""

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        self._session = session
        self._say = say
        self._told = time.monotonic()

    def tell_in_time(self) -> bool:
        """Say it where the last time is long enough ago; gives False, so that the run goes on."""
        now = time.monotonic()
        if now - self._told >= TELL_EVERY and self._session.progress is not None:
            self._told = now
            self._say(f"{progress_text(self._session.progress)}; ctrl+c stops")
        return False


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """Give an event that ctrl+c sets; a second ctrl+c interrupts, should the first not be heard."""
    stop = threading.Event()

    def heard(*_: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may change what a signal does
        return
    before = signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
