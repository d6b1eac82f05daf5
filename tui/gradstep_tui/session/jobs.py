"""Work on a session as jobs of a thread that does not keep the program from ending."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from gradstep.errors import EngineError, Stopped
from gradstep.learner_code.interruption import Interrupted, Interrupter

POLL: Final = 0.05
"""Seconds between two looks at whether work has to stop."""

HEEDED: Final = 0.5
"""Seconds that work has to stop by itself before the learner's code is interrupted."""

STUCK: Final = 2.0
"""Seconds after which work that cannot be interrupted is given up."""

LEAVING: Final = 0.4
"""Seconds that jobs have to end by themselves when the program ends; a stopped run is saved then."""

ENDING: Final = 1.0
"""Seconds that a thread without a job has to end."""

Work: TypeAlias = Callable[[Callable[[], bool]], Any]
"""Work on a session, called with a function that returns whether to stop; nothing else may use the session
meanwhile."""


class Job:
    """One piece of work, under way or done."""

    def __init__(self, work: Work, stopped: Callable[[], bool]) -> None:
        """Prepare `work`; `stopped` returns whether it has to stop."""
        self._work, self._stopped = work, stopped
        self._interrupter = Interrupter()
        self.began = time.monotonic()
        """`time.monotonic()` when the job was made."""

        self.done = threading.Event()
        """Set once the work has ended."""

        self.error: EngineError | None = None
        """Error of the engine with which the work ended; None if there was none."""

        self.result: Any = None
        """Result of the work; None if there was an error."""

        self.raised: BaseException | None = None
        """Any other exception with which the work ended."""

    def run(self) -> None:
        """Do the work; called in the worker's thread."""
        try:
            with self._interrupter.attached():
                self.result = self._work(self._stopped)
        except EngineError as refused:
            self.error = refused
        except Interrupted:
            self.error = Stopped()
        except BaseException as raised:
            self.raised = raised

    def interrupt(self) -> bool:
        """Interrupt the learner's code if any is running; return whether any was."""
        return self._interrupter.interrupt()

    @property
    def seconds(self) -> float:
        """Seconds since the job was made."""
        return time.monotonic() - self.began


class Worker:
    """A thread that does one job after another, and does not keep the program from ending."""

    def __init__(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Start no thread yet; `prepare` is called in it before its first job."""
        self._prepare = prepare
        self._jobs: SimpleQueue[tuple[Job, Callable[[Job], object]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def begin(self, job: Job, ended: Callable[[Job], object] = lambda job: None) -> None:
        """Do a job in the thread, which calls `ended` with the job at its end."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gradstep worker", daemon=True)
            self._thread.start()
        _under_way.add(job)
        self._jobs.put((job, ended))

    def close(self) -> None:
        """End the thread after its job."""
        self._jobs.put(None)

    def join(self) -> None:
        """Wait until the thread has ended, for a limited time; it ends after its job once it is closed."""
        if self._thread is not None:
            self._thread.join(ENDING)

    def _run(self) -> None:
        self._prepare()
        while (item := self._jobs.get()) is not None:
            job, ended = item
            job.run()
            _give_back_default_device()
            _under_way.discard(job)
            job.done.set()
            ended(job)
            del item, job, ended


def _give_back_default_device() -> None:
    """Undo what a model has set for this thread; a thread that ends with it may abort the process."""
    if set_device := getattr(sys.modules.get("torch"), "set_default_device", None):
        set_device(None)


_under_way: Final[set[Job]] = set()
"""Jobs that have not ended."""


def wait_for_jobs(seconds: float) -> bool:
    """Wait for jobs that were told to stop, for a limited time; return whether all have ended."""
    end = time.monotonic() + seconds
    return all(job.done.wait(max(end - time.monotonic(), 0)) for job in [*_under_way])


def finished(
    work: Work, stopped: Callable[[], bool] = lambda: False, patience: Callable[[], float] = lambda: HEEDED
) -> Any:
    """Do some work in a thread and return its result; the waiting main thread hears ctrl+c at once.

    Args:
        work: The work.
        stopped: Called again and again in this thread; the work is told to stop once it returns True.
        patience: Returns the seconds after which the learner's code is then interrupted.

    Raises:
        EngineError: as the work does; `Stopped` if it was interrupted.
        KeyboardInterrupt: ctrl+c was pressed, or the work could not be interrupted in time. It may go on.
    """
    stop = threading.Event()
    job, worker = Job(work, stop.is_set), Worker()
    worker.begin(job)
    worker.close()
    asked: float | None = None
    while not job.done.wait(POLL):
        if not stopped():
            continue
        stop.set()
        asked = asked or time.monotonic()
        late = time.monotonic() - asked - patience()
        if late > STUCK:
            raise KeyboardInterrupt
        if late > 0:
            job.interrupt()
    worker.join()
    failure = job.error or job.raised
    if failure is not None:
        raise failure
    return job.result


def leave_stuck_jobs(code: int) -> None:
    """End the process at once if a job has not ended: Python would wait for it, or fail under it."""
    if not _under_way:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)
