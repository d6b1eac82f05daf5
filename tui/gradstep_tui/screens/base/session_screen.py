"""A screen that owns a session: loads it, applies actions to it, and runs long work in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Final

from textual.message import Message
from textual.reactive import var

from gradstep.actions import Action, RunEpochs, RunOuter
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.commands.option_hints import with_options
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.base.working_screen import AT_ONCE, DRAWS_PER_SECOND, RUNNING, WorkingScreen
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.session.loader import Loaded, LoadFailed, Troubled, load
from gradstep_tui.session.offers import offer_hint, offer_text
from gradstep_tui.session.worker import WorkEnded, takes_long
from gradstep_tui.terminal.textual_internals import keep_new_styles
from gradstep_tui.text.frames import action_text, printed_text
from gradstep_tui.text.notices import frame_remark
from gradstep_tui.text.refusals import error_remark
from gradstep_tui.text.remarks import NOTHING, Remark, hint, warning
from gradstep_tui.text.scripts.script_notes import script_remark, session_notes
from gradstep_tui.text.work import work_text
from gradstep_tui.widgets.notice import is_whole

if TYPE_CHECKING:
    from textual.timer import Timer

    from gradstep.captured_output import Printed
    from gradstep.frame import Frame
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep.training.progress import Progress
    from gradstep_tui.session.autosave import Autosave
    from gradstep_tui.session.offers import Offer


ODD_NOTES: Final = "{printed} shows what is odd about the script"
NOTES: Final = "{printed} shows the notes on the script"
"""What is said of a script's notes if there is no room for them."""

STOPPED: Final = 130
"""Exit code if the learner stopped the script before there was a session."""


class SessionScreen(WorkingScreen):
    """A screen that owns a session and its current frame; subclasses decide what is drawn."""

    frame: var[Frame | None] = var(None)
    complaint: var[PyTorchError | None] = var(None)
    """Error that PyTorch raised at the last action; None if it raised none."""
    unsaved: var[bool] = var(False)
    """Whether saving the session has failed."""
    badge: var[str] = var("")
    """Further warning on the status line; empty for none."""
    waits_for: str = "PyTorch is starting"
    """Text for the status line until there is a session."""

    def __init__(
        self, make_session: Callable[[], Session], autosave: Autosave | None = None, runs: str = ""
    ) -> None:
        """Show a session as soon as it is made.

        Args:
            make_session: Makes the session; called in a thread.
            autosave: Saves the session, and may offer an earlier one; None to save nothing.
            runs: Words for the script that runs until there is a session; empty if none does.
        """
        super().__init__()
        self._runs = runs
        if runs:
            self.waits_for = "your script is running"
        self._loads_since = 0.0
        self._loading_ticker: Timer | None = None
        self._make_session = make_session
        self._autosave = autosave
        self._session: Session | None = None
        self.own: Start | None = None
        """Start of the latest session that trained the learner's own file; None if there was none."""

        self._seen = 0
        """Number of lines of the script's output that the learner has seen."""

        self._told = False
        """Whether a notice has mentioned the lines after those."""

        self._loading = False
        self._offered: tuple[Remark, Offer] | None = None
        """Notice that offers an earlier session, and the offer."""

    def post_message(self, message: Message) -> bool:
        """Post a message; when the screen first appears, skip a rebuild of styles that were just made."""
        keep_new_styles(self, message)
        return super().post_message(message)

    def on_mount(self) -> None:
        """Load the session after the first frame is on screen."""
        self.call_after_refresh(self._load)
        if self._autosave is not None:
            self._autosave.listen(self._tell_trouble)

    def on_screen_suspend(self) -> None:
        """Load the session even if a key opens another screen before the first frame."""
        self._load()

    def _load(self) -> None:
        if not self._loading:
            self._loading = True
            self._loads_since = time.monotonic()
            if self._runs:
                self._loading_ticker = self.set_interval(1 / DRAWS_PER_SECOND, self._tell_loading)
            Thread(
                target=self._load_apart, args=(self.prepare_long_work,), name="gradstep loader", daemon=True
            ).start()

    def _tell_loading(self) -> None:
        """Say which script runs, and for how long."""
        self.busy = work_text(self._runs, time.monotonic() - self._loads_since, None)

    def _loading_has_ended(self) -> None:
        if self._loading_ticker is not None:
            self._loading_ticker.stop()
            self._loading_ticker, self.busy = None, ""

    def stop_loading(self) -> bool:
        """Stop the script that runs until there is a session, and leave; return whether one was running."""
        if self._autosave is None or self._loading_ticker is None:
            return False
        self._loading_has_ended()
        self._autosave.give_up()
        self.app.exit(return_code=STOPPED, message=f"gradstep: stopped while running {self._runs}")
        return True

    def _load_apart(self, prepare: Callable[[], None]) -> None:
        prepare()
        load(self, self._make_session, self._autosave)

    def load_at_once(self) -> None:
        """Make the session right away, for the first frame; for sessions that are made quickly."""
        self._loading = True
        try:
            session = self._make_session()
        except EngineError as error:
            self.fail(error)
        else:
            self.take(session)

    def on_loaded(self, message: Loaded) -> None:
        """Show the session, and offer an earlier one or do the actions that were asked for meanwhile."""
        self._loading_has_ended()
        self.take(message.session)
        if message.offer is None:
            self._catch_up()
        elif message.offer.in_order:
            offered = hint(f"{SIGNS['look']} resumes {offer_hint(message.offer)}")
            self.notice = offered_first(offered, self.notice, message.session, self.size.width)
            self._offered = self.notice, message.offer
            self._catch_up()
        else:
            texts = [offer_text(message.offer), f"It is saved in {message.offer.path}"]
            ask = ConfirmScreen(
                "resume?", texts, "Enter: resume it   Esc: begin a new session, keep the file"
            )
            self.app.push_screen(ask, partial(self._answered, message.offer))

    def _tell_trouble(self, trouble: str) -> None:
        """Post that saving has failed; called from another thread."""
        self.post_message(Troubled(trouble))

    def on_troubled(self, message: Troubled) -> None:
        """Show that saving has failed; training goes on."""
        self.notice, self.unsaved = warning(message.trouble), True

    def begin(self, start: Start, stopped: Callable[[], bool]) -> Session:
        """Make another session, saved like this one; called from another thread.

        Args:
            start: Problem and options of the session.
            stopped: Called again and again while a script runs; if it returns True, no session is begun.

        Raises:
            EngineError: the session cannot be made, or `stopped` returned True; the current session goes on.
        """
        return (
            open_session(start, stopped) if self._autosave is None else self._autosave.begin(start, stopped)
        )

    def take(self, session: Session) -> None:
        """Show a session, and the message about how it was made."""
        self._session, self._seen, self._told = session, 0, False
        if session.origin is not None and session.origin.has_file:
            self.own = session.origin
        self.show(session, None)
        self.unsaved = self._autosave is not None and bool(self._autosave.trouble)
        if self._autosave is not None and self._autosave.notice:
            self.notice, self._autosave.notice = self._autosave.notice, NOTHING
            self._told = False

    @property
    def keeps_all(self) -> bool:
        """Whether a session stays saved when another one takes its place here."""
        return self._autosave is not None and self._autosave.keeps_all and not self.unsaved

    def printed_is_seen(self) -> None:
        """Note that the learner has seen the script's output so far."""
        if self._session is not None:
            self._seen, self._told = self._session.problem.printed.count, False

    def resume_offered(self) -> bool:
        """Resume the session that the notice offers; return whether it offers one."""
        if self._offered is None or self._offered[0] is not self.notice:
            return False
        offer, self._offered = self._offered[1], None
        self._answered(offer, yes=True)
        return True

    def _answered(self, offer: Offer, yes: bool | None) -> None:
        """Resume the offered session, or mark it as closed."""
        assert self._autosave is not None
        autosave = self._autosave
        if yes:
            resume = partial(autosave.resume, offer.path)
            self.work(resume, self.take, title=offer.runs, keeps_keys=True)
        else:
            self.work(lambda _: autosave.decline(offer), keeps_keys=True)

    def on_load_failed(self, message: LoadFailed) -> None:
        """Leave: there is no session. The app ends with a bug as with any other."""
        if self._autosave is not None and self._autosave.has_given_up():
            return  # it is leaving already: loading failed because it was stopped
        self._loading_has_ended()
        if not isinstance(message.error, EngineError):
            raise message.error
        self.fail(message.error)

    def fail(self, error: EngineError) -> None:
        """Leave with an error message and exit code 2."""
        self.app.exit(return_code=2, message=f"gradstep: {with_options(error)}")

    @property
    def is_ready(self) -> bool:
        """Whether what waits can be done now: the session is there, and idle."""
        return self._session is not None and super().is_ready

    @property
    def script_output(self) -> tuple[tuple[str, ...], Printed] | None:
        """The notes on the script and its output, also while work runs; None before there is a session."""
        session = self._session
        return None if session is None else (session_notes(session), session.problem.printed)

    @property
    def starting(self) -> Remark:
        """Notice for a key that needs the session before there is one."""
        return hint(f"{self.waits_for}: press the key again when it is ready")

    def idle_session(self) -> Session | None:
        """Return the session if it is there and idle; otherwise None, and the notice says why."""
        if self._session is None:
            self.notice = self.starting
        elif self.running:
            self.notice = RUNNING
        else:
            return self._session
        return None

    # Actions

    def perform(self, action: Action) -> None:
        """Apply an action now, or once there is a session."""
        if self._session is None or (self.running and self._keeps_keys):
            self._waiting.append(partial(self.perform, action))
        elif self.running:
            self.notice = RUNNING
        else:
            long = takes_long(action)
            if long:
                self.begins(action)
            self.work(
                partial(_applied, self._session, action),
                title=action_text(action, None if self.frame is None else self.frame.loop),
                holds_keys=not long,
                counts_epochs=isinstance(action, RunEpochs | RunOuter),
                at_once=0.0 if long else AT_ONCE,
            )

    def settle(self) -> None:
        """Wait until all actions are saved: the next one may run code that lets nothing else run."""
        if self._autosave is not None:
            self._autosave.settle()

    def begins(self, action: Action) -> None:
        """Do nothing; called before an action that takes a while, which a bench in a workshop reports."""

    def show(self, session: Session, error: EngineError | None) -> None:
        """Show the session's frame, and the error of the last action or its notice."""
        self.frame = session.frame
        self.complaint = error if isinstance(error, PyTorchError) else None
        self.notice = frame_remark(session.frame) if error is None else error_remark(error)
        printed = session.problem.printed
        if not (self.notice or self._told) and printed.count > self._seen:
            self.notice, self._told = hint(printed_text(printed)), True

    # Long work

    def begin_waiting(self) -> None:
        """Remove the notice and the error of the last action."""
        super().begin_waiting()
        self.complaint = None

    def session_progress(self) -> Progress | None:
        """Return the progress of the running epochs; None if no epochs are running."""
        return None if self._session is None else self._session.progress

    def show_end(self, message: WorkEnded) -> None:
        """Show the session after the work, and pass the result on."""
        assert self._session is not None
        self.show(self._session, message.error)
        super().show_end(message)

    def on_unmount(self) -> None:
        """Stop the loading of a script. Textual calls the handler of the base class as well."""
        if self._autosave is not None:
            self._autosave.give_up()


def offered_first(offered: Remark, notice: Remark, session: Session, width: int) -> Remark:
    """Return the notice at the start of a session if an earlier one is offered, which comes first.

    A note on the script that leaves no room gives way: it stays in the list of notes, whose key is named.

    Args:
        offered: The offer.
        notice: What else there is to say.
        session: The session that has begun.
        width: Width of the screen, in cells.
    """
    both = offered.also(notice)
    if is_whole(both, width) or notice != script_remark(session):
        return both
    return offered.also(hint((ODD_NOTES if session.oddities else NOTES).format(**SIGNS)))


def _applied(session: Session, action: Action, stopped: Callable[[], bool]) -> None:
    """Apply an action, and make the frame after it, which takes a while for a large graph."""
    try:
        session.apply(action, stopped)
    finally:
        session.frame  # noqa: B018 - made here, and not on the event loop
