"""A screen that owns a session: has it loaded, applies actions to it, does what takes long in a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.commands.option_hints import with_options
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.session.loader import Loaded, LoadFailed, Troubled, load
from gradstep_tui.session.worker import Work, WorkEnded, run, takes_long
from gradstep_tui.terminal.textual_internals import keep_new_styles
from gradstep_tui.text.frames import offer_text, printed_text
from gradstep_tui.text.notices import notice_text
from gradstep_tui.text.refusals import error_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.problem import Problem
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep.training.progress import Progress
    from gradstep_tui.session.autosave import Keeper, Offer

DRAWS_PER_SECOND = 5
"""How often a run of epochs is drawn."""

RUNNING = "one thing at a time: Esc stops what is running"


class SessionScreen(Screen[None]):
    """Owns the session and its current frame; what is drawn of it is for others to say."""

    frame: var[Frame | None] = var(None)
    notice: var[str] = var("")
    complaint: var[PyTorchError | None] = var(None)
    """What PyTorch refused; None where it did not."""
    unsaved: var[bool] = var(False)
    """Whether nothing is saved any more."""
    badge: var[str] = var("")
    """What else is to be seen at once; empty for nothing."""
    running: var[bool] = var(False)
    """Whether epochs are running, in a thread that has the session to itself."""
    progress: var[Progress | None] = var(None, always_update=True)
    """How far they have come."""

    waits_for: str = "PyTorch is starting"
    """What there is no session before."""

    def __init__(self, make_session: Callable[[], Session], keeper: Keeper | None = None) -> None:
        """Show the session that `make_session` makes, once it is made; it runs in a thread of its own.

        Args:
            make_session: Makes it.
            keeper: What saves it, and may have an earlier one to offer; None where nothing does.
        """
        super().__init__()
        self._make_session = make_session
        self._keeper = keeper
        self._session: Session | None = None
        self.own: Start | None = None
        """The file of the learner's own that was trained last; None where there was none."""

        self._seen = 0
        """How many of the lines that the script printed were there when they were looked at."""

        self._told = False
        """Whether it was told that there are more since."""

        self._loading = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._stop = threading.Event()
        self._keeps_keys = False
        self._ticker: Timer | None = None
        self._then: Callable[[Any], None] | None = None

    def post_message(self, message: Message) -> bool:
        """Come up for the first time with the styles that are just made; later they may have changed."""
        keep_new_styles(self, message)
        return super().post_message(message)

    def on_mount(self) -> None:
        """Fetch the session, after the first frame is on screen."""
        self.call_after_refresh(self._load)
        if self._keeper is not None:
            self._keeper.listen(self._tell_trouble)

    def on_screen_suspend(self) -> None:
        """Fetch it also where a key has opened another screen before that first frame."""
        self._load()

    def _load(self) -> None:
        if not self._loading:
            self._loading = True
            self.run_worker(partial(load, self, self._make_session, self._keeper), thread=True)

    def load_at_once(self) -> None:
        """Have the session in the first frame, where making it takes no time."""
        self._loading = True
        try:
            session = self._make_session()
        except EngineError as error:
            self.fail(error)
        else:
            self.take(session)

    def on_loaded(self, message: Loaded) -> None:
        """Show the session, and do what was asked for meanwhile."""
        self.take(message.session)
        if message.offer is None:
            self._catch_up()
        else:
            texts = [offer_text(message.offer), f"It is saved in {message.offer.path}"]
            ask = ConfirmScreen("go on?", texts, "Enter goes on with it, Esc begins anew and keeps it")
            self.app.push_screen(ask, partial(self._answered, message.offer))

    def _tell_trouble(self, trouble: str) -> None:
        """Have the trouble told; called from another thread."""
        self.post_message(Troubled(trouble))

    def on_troubled(self, message: Troubled) -> None:
        """Say that nothing is saved any more; training goes on."""
        self.notice, self.unsaved = message.trouble, True

    def begin(self, start: Start, stopped: Callable[[], bool]) -> Session:
        """Make another session, which is saved where this one is; called from another thread.

        Raises:
            EngineError: there can be none, or `stopped` said so; the session that is there goes on.
        """
        return open_session(start, stopped) if self._keeper is None else self._keeper.begin(start, stopped)

    def take(self, session: Session) -> None:
        """Show a session, and what there is to say about how it was made."""
        self._session, self._seen, self._told = session, 0, False
        if session.origin is not None and session.origin.has_file:
            self.own = session.origin
        self.show(session, None)
        self.unsaved = self._keeper is not None and bool(self._keeper.trouble)
        if self._keeper is not None and self._keeper.notice:
            self.notice, self._keeper.notice = self._keeper.notice, ""
            self._told = False

    def printed_is_seen(self) -> None:
        """Tell of what is printed from here on, once."""
        if self._session is not None:
            self._seen, self._told = self._session.problem.printed.count, False

    def _answered(self, offer: Offer, yes: bool | None) -> None:
        """Go on with the offered session, or leave it in order."""
        assert self._keeper is not None
        keeper = self._keeper
        if yes:
            resume = partial(keeper.resume, offer.path)
            self.work(resume, self.take, keeps_keys=True)
        else:
            self.work(lambda _: keeper.decline(offer), keeps_keys=True)

    def on_load_failed(self, message: LoadFailed) -> None:
        """Say why there is nothing to train."""
        self.fail(message.error)

    def fail(self, error: EngineError) -> None:
        """Leave."""
        self.app.exit(return_code=2, message=f"gradstep: {with_options(error)}")

    def _catch_up(self) -> None:
        while self._waiting and not self.running and self._session is not None:
            self._waiting.popleft()()

    @property
    def problem(self) -> Problem | None:
        """What is trained, also while work is under way; None before it is there."""
        return None if self._session is None else self._session.problem

    @property
    def starting(self) -> str:
        """Why something cannot be asked for yet."""
        return f"{self.waits_for}: ask again when the session is there"

    def idle_session(self) -> Session | None:
        """Give the session where it can be asked something now; else the notice says why not."""
        if self._session is None:
            self.notice = self.starting
        elif self.running:
            self.notice = RUNNING
        else:
            return self._session
        return None

    # Actions

    def perform(self, action: Action) -> None:
        """Apply an action: now, or once the session is there."""
        if self._session is None or (self.running and self._keeps_keys):
            self._waiting.append(partial(self.perform, action))
        elif self.running:
            self.notice = RUNNING
        elif takes_long(action):
            self.begins(action)
            self.work(partial(self._session.apply, action))
        else:
            self._apply(self._session, action)

    def begins(self, action: Action) -> None:
        """Something has begun that takes a while: a bench in a class tells it."""

    def _apply(self, session: Session, action: Action) -> None:
        try:
            session.apply(action)
        except EngineError as error:
            self.show(session, error)
        else:
            self.show(session, None)

    def show(self, session: Session, error: EngineError | None) -> None:
        """Show the session as it stands, and what was refused."""
        self.frame = session.frame
        self.complaint = error if isinstance(error, PyTorchError) else None
        self.notice = error_text(error) if error is not None else _noticed(session.frame)
        printed = session.problem.printed
        if not (self.notice or self._told) and printed.count > self._seen:
            self.notice, self._told = printed_text(printed), True

    # What takes long

    def when_idle(self, do: Callable[[], None]) -> None:
        """Do something now, or once the work that is under way has ended."""
        self._waiting.append(do)
        self._catch_up()

    def work(
        self, work: Work, then: Callable[[Any], None] | None = None, *, keeps_keys: bool = False
    ) -> None:
        """Do something with the session in a thread of its own; not while another one has it.

        Args:
            work: What to do.
            then: Called with what came of it, unless the engine refused.
            keeps_keys: Whether actions that are asked for meanwhile are done afterwards, not refused.
        """
        if self.running:
            self.notice = RUNNING
            return
        self._keeps_keys = keeps_keys
        self._stop.clear()
        self._then = then
        self.notice, self.complaint, self.running = "", None, True
        self._ticker = self.set_interval(1 / DRAWS_PER_SECOND, self._tick)
        self.run_worker(partial(run, self, work, self.must_stop), thread=True)

    def must_stop(self) -> bool:
        """Return whether the work under way has to stop; may be called from its thread."""
        return self._stop.is_set()

    def stop_work(self) -> None:
        """Stop the work under way as soon as it can be stopped."""
        self._stop.set()

    def abandon_work(self) -> None:
        """Stop the work under way, and drop the actions that wait for its end."""
        self._waiting.clear()
        self._stop.set()

    def _tick(self) -> None:
        if self._session is not None and self.running:
            self.progress = self._session.progress

    def on_work_ended(self, message: WorkEnded) -> None:
        """Go on."""
        self.end_work(message)  # Textual calls this one also where a subclass has its own

    def end_work(self, message: WorkEnded) -> None:
        """Show what the work came to, and do what was asked for before it began."""
        if self._ticker is not None:
            self._ticker.stop()
        assert self._session is not None
        self.running, self.progress = False, None
        self.show(self._session, message.error)
        if message.error is None and self._then is not None:
            self._then(message.result)
        self._catch_up()

    def on_unmount(self) -> None:
        """End a run under way, so that its thread does not outlive the screen."""
        self._stop.set()
        if self._keeper is not None:
            self._keeper.give_up()


def _noticed(frame: Frame) -> str:
    return "" if frame.notice is None else notice_text(frame.notice)
