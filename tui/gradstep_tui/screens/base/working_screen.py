"""A screen that has long work done in a thread, one piece at a time, and keeps what is typed meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from textual import events
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer

from gradstep_tui.session.jobs import Job, Work, Worker
from gradstep_tui.session.worker import WorkEnded
from gradstep_tui.text.remarks import NOTHING, Remark, hint
from gradstep_tui.text.work import work_text

if TYPE_CHECKING:
    from gradstep.training.progress import Progress

DRAWS_PER_SECOND: Final = 5
"""Number of times per second that the progress of work is drawn."""

AT_ONCE: Final = 0.05
"""Seconds that a key waits for its work, so that quick work is drawn together with the key."""

SHOWN_AFTER: Final = 0.05
"""Seconds after which it is shown that work runs which is not done at once."""

PATIENCE: Final = 1.0
"""Seconds after which a run that was told to stop is interrupted; more if its epochs take longer."""

LAST_KEYS: Final = 0.4
"""Seconds that keys before a `q` have to be handled; then the program ends."""

RUNNING: Final = hint("gradstep is busy: wait, or press Esc to stop")

NEVER_HELD: Final = frozenset({"escape", "ctrl+c", "f1", "question_mark", "w"})
"""Keys that work at once, whatever runs."""


class WorkingScreen(Screen[None]):
    """A screen with one piece of work at a time; a subclass says what is shown of it."""

    notice: var[Remark] = var(NOTHING)
    running: var[bool] = var(False)
    """Whether work is running in a thread, which then has the session to itself."""
    progress: var[Progress | None] = var(None, always_update=True)
    """Progress of the running epochs; None if no epochs are running."""
    busy: var[str] = var("")
    """Sentence that says what runs and for how long; empty if nothing does, or not for long."""

    def __init__(self) -> None:
        """Start without work."""
        super().__init__()
        self._waiting: deque[Callable[[], None]] = deque()
        self._held_keys: list[events.Key | Callable[[], None]] = []
        """Keys pressed while a key's action runs, and handlers of keys that had been let through."""
        self._let_through = 0
        """Number of those handlers: they come before the keys."""
        self._stop = Event()
        self._asked_to_stop: float | None = None
        self._insists = False
        self._keeps_keys = self._holds_keys = self._counts_epochs = False
        self._job: Job | None = None
        self._title = ""
        self._ticker: Timer | None = None
        self._then: Callable[[Any], None] | None = None
        self._workers: dict[bool, Worker] = {}

    @property
    def prepare_long_work(self) -> Callable[[], None]:
        """Function of the app that prepares a thread for long work."""
        prepare: Callable[[], None] = getattr(self.app, "prepare_long_work", lambda: None)
        return prepare

    def when_idle(self, do: Callable[[], None]) -> None:
        """Call `do` now, or once the running work has ended."""
        self._waiting.append(do)
        self._catch_up()

    @property
    def is_ready(self) -> bool:
        """Whether what waits can be done now."""
        return not self.running

    def _catch_up(self) -> None:
        while self._waiting and self.is_ready:
            self._waiting.popleft()()

    def work(
        self,
        work: Work,
        then: Callable[[Any], None] | None = None,
        *,
        title: str = "",
        keeps_keys: bool = False,
        holds_keys: bool = False,
        counts_epochs: bool = False,
        at_once: float = 0.0,
    ) -> None:
        """Run work on the session in a thread; if other work is running, only show a notice.

        Args:
            work: The work.
            then: Called with the result of the work, unless the engine raised an error.
            title: Words for the work in the line that says how long it has been running; empty for no line.
            keeps_keys: Whether actions asked for meanwhile are applied afterwards; otherwise they are
                refused.
            holds_keys: Whether keys pressed meanwhile are handled afterwards.
            counts_epochs: Whether the epochs that are done are kept if the work is told to stop.
            at_once: Seconds to wait for the end of the work here, before anything else is handled.
        """
        if self.running:
            self.notice = RUNNING
            return
        self._stop.clear()
        self._asked_to_stop, self._insists = None, False
        self._then, self._title = then, title
        job = self._job = Job(partial(self._settled, work), self.must_stop)
        quick = at_once > 0
        if quick not in self._workers:
            self._workers[quick] = Worker() if quick else Worker(self.prepare_long_work)
        if not quick:
            self.notice = NOTHING
        self._workers[quick].begin(job, lambda ended: self.post_message(WorkEnded.of(ended)))
        if quick and job.done.wait(at_once):
            self._job = None
            self._raise_bug(job)
            self.show_end(WorkEnded.of(job))
            return
        self._keeps_keys, self._holds_keys = keeps_keys or holds_keys, holds_keys
        self._counts_epochs = counts_epochs
        self.begin_waiting()
        self.running = True
        self._ticker = self.set_interval(1 / DRAWS_PER_SECOND, self._tick)
        self.set_timer(SHOWN_AFTER, self._tick)

    def settle(self) -> None:
        """Do nothing; called in the thread before its work, so that what was done before can be saved."""

    def _settled(self, work: Work, stopped: Callable[[], bool]) -> Any:
        self.settle()
        return work(stopped)

    def begin_waiting(self) -> None:
        """Remove what the last action left; called if work is not done at once."""
        self.notice = NOTHING

    def must_stop(self) -> bool:
        """Return whether the work under way has to stop; may be called from its thread."""
        return self._stop.is_set()

    def stop_work(self) -> None:
        """Stop the work under way as soon as it can be stopped, and drop the keys that wait for its end.

        Epochs that are done are kept, unless this is called again before the epoch under way has ended.
        """
        self._drop_keys()
        self._insists = self._insists or self._asked_to_stop is not None
        self._asked_to_stop = self._asked_to_stop or time.monotonic()
        self._stop.set()
        self._press_on()

    def abandon_work(self) -> None:
        """Stop the work under way, and drop the actions that wait for its end."""
        self._waiting.clear()
        self._drop_keys()
        self._stop.set()

    def session_progress(self) -> Progress | None:
        """Return the progress of the running epochs; None if no epochs are running."""
        return None

    def _press_on(self) -> None:
        """Interrupt the learner's code if the work does not stop by itself."""
        if self._job is None or self._asked_to_stop is None:
            return
        patience = 0.0
        if self._counts_epochs and not self._insists:
            progress = self.session_progress()
            epoch = 1 / progress.rate if progress is not None and progress.rate > 0 else 0.0
            patience = max(PATIENCE, 3 * epoch)
        if time.monotonic() - self._asked_to_stop >= patience:
            self._job.interrupt()

    def _tick(self) -> None:
        job = self._job
        if job is None or not self.running:
            return
        self._press_on()
        asked = None if self._asked_to_stop is None else time.monotonic() - self._asked_to_stop
        progress = self.session_progress()
        self.progress = progress if asked is None or asked < PATIENCE else None
        self.busy = work_text(self._title, job.seconds, asked) if self._title or asked is not None else ""

    def on_work_ended(self, message: WorkEnded) -> None:
        """Show the result of the work, unless it was shown at once."""
        if message.job is None or message.job is self._job:
            if message.job is not None:
                self._raise_bug(message.job)
            self.end_work(message)  # a method of its own, because Textual also calls a subclass's handler

    def end_work(self, message: WorkEnded) -> None:
        """Show the result of the work, and do the actions that were asked for meanwhile."""
        if self._ticker is not None:
            self._ticker.stop()
        self._job = None
        self.running, self.progress, self.busy = False, None, ""
        self.show_end(message)
        self._catch_up()
        self._release_keys()

    def show_end(self, message: WorkEnded) -> None:
        """Show the session after the work, and pass the result on."""
        if message.error is None and self._then is not None:
            self._then(message.result)

    @staticmethod
    def _raise_bug(job: Job) -> None:
        """Raise what no engine error explains: the app ends with it, as with any bug."""
        if job.raised is not None:
            raise job.raised

    # Keys pressed meanwhile

    @property
    def is_holding_keys(self) -> bool:
        """Whether a key that is pressed now is handled after the running action."""
        return self.running and self._holds_keys

    def on_key(self, event: events.Key) -> None:
        """Hold a key while the action of an earlier key runs; a `q` does not wait long."""
        if not self.is_holding_keys or event.key in NEVER_HELD:
            return
        event.stop()
        event.prevent_default()
        self._held_keys.append(event)
        if event.key == "q":
            self.set_timer(LAST_KEYS, partial(self._leave_if_held, event))

    def hold(self, handle: Callable[[], None]) -> None:
        """Hold the handler of a key that passed before keys were held."""
        self._held_keys.insert(self._let_through, handle)
        self._let_through += 1

    def _leave_if_held(self, event: events.Key) -> None:
        if event in self._held_keys:
            self.app.exit()

    def _drop_keys(self) -> None:
        self._held_keys.clear()
        self._let_through = 0

    def _release_keys(self) -> None:
        """Handle the held keys in their order; the others are held again if one of them takes long."""
        while self._let_through and not self.running:
            self._let_through -= 1
            handle = self._held_keys.pop(0)
            assert callable(handle)
            handle()
        if self.running:
            return
        held = [key for key in self._held_keys if isinstance(key, events.Key)]
        self._drop_keys()
        for key in held:
            self.app.post_message(events.Key(key.key, key.character))

    def on_unmount(self) -> None:
        """Stop running work, and end the threads after it."""
        self._stop.set()
        for worker in self._workers.values():
            worker.close()
