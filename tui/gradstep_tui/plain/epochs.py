"""Runs epochs in plain mode: reports the progress now and then, and stops at ctrl+c."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gradstep.actions import MOST_EPOCHS, Action, RunEpochs, RunOuter
from gradstep_tui.session.jobs import HEEDED, finished
from gradstep_tui.text.frames import duration
from gradstep_tui.text.statements import EPOCH, ROUND, counted, unit_of
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.session import Session
    from gradstep.training.progress import Progress

TELL_EVERY: Final = 2.0
"""Seconds between two reports of a run's progress; a shorter run reports only its end."""


def run(session: Session, action: Action, say: Callable[[str], None]) -> Frame:
    """Apply an action that may take long, and return the frame after it; progress and speed are reported.

    Raises:
        EngineError: as `Session.apply` does.
    """
    started = time.monotonic()
    first = session.frame.epoch
    with stoppable(session, say) as stopped:
        frame: Frame = finished(partial(session.apply, action), stopped, partial(_patience, session, action))
    seconds, count = time.monotonic() - started, frame.epoch - first
    if seconds >= TELL_EVERY and isinstance(action, RunEpochs | RunOuter):
        say(
            f"{counted(count, unit_of(frame.loop))} in {duration(seconds)}, {count / seconds:,.0f} per second"
        )
    return frame


def _patience(session: Session, action: Action) -> float:
    """Return the seconds that an action may take to stop: a run stops at the end of an epoch."""
    progress = session.progress
    if not isinstance(action, RunEpochs | RunOuter) or progress is None or not progress.rate:
        return HEEDED
    return max(HEEDED, 3 / progress.rate)


@contextmanager
def stoppable(session: Session, say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Yield the `stopped` function for long work: it reports progress, and returns True after ctrl+c."""
    teller = _Teller(session, say)
    with _stopped_by_ctrl_c() as stop:
        yield lambda: teller.tell_in_time() or stop.is_set()


def progress_text(progress: Progress, unit: str = EPOCH) -> str:
    """Return the text of a run's progress: epochs or rounds done, loss, speed, and time left."""
    open_end = unit == ROUND and progress.count >= MOST_EPOCHS  # an epoch of the loop around a script's
    left = None if open_end else progress.seconds_left
    losses = progress.curve
    loss = f", loss {cell(losses[len(losses) - 1])}" if len(losses) else ""
    rest = "" if left is None else f", {duration(left)} left"
    done = counted(progress.done, unit) if open_end else f"{progress.done:,} of {progress.count:,} {unit}s"
    return f"{done}{loss}, {progress.rate:,.0f} per second{rest}"


class _Teller:
    """Reports the progress of a run every `TELL_EVERY` seconds."""

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        self._session = session
        self._say = say
        self._unit = unit_of(session.frame.loop)
        self._told = time.monotonic()

    def tell_in_time(self) -> bool:
        """Report the progress if the last report was long ago; return False, so that the run goes on."""
        now = time.monotonic()
        if now - self._told >= TELL_EVERY and self._session.progress is not None:
            self._told = now
            self._say(f"{progress_text(self._session.progress, self._unit)}; ctrl+c stops")
        return False


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """Yield an event that ctrl+c sets; a second ctrl+c, if the first is ignored, interrupts."""
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
