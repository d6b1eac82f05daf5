"""The main screen: keys become actions, frames become panels."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from engine.actions import Action, GoTo, RunEpochs
from engine.errors import EngineError
from engine.lessons import PyTorchError
from tui.bindings import BINDINGS
from tui.keys import BY_ID, Key
from tui.loading import Loaded, LoadFailed, Troubled, load
from tui.running import Work, WorkEnded, run
from tui.screens.confirm import ConfirmScreen
from tui.screens.opening import OPENS
from tui.widgets.keybar import KeyBar
from tui.widgets.loop import LoopPanel
from tui.widgets.losses import LossPanel
from tui.widgets.notice import NoticeLine
from tui.widgets.parameters import ParameterPanel
from tui.widgets.status import StatusLine
from tui.widgets.step import StepPanel
from tui.widgets.trace import TracePanel
from tui.words import offer_text, verdict_text

if TYPE_CHECKING:
    from engine.frame import Frame
    from engine.loop import Kind
    from engine.progress import Progress
    from engine.session import Session
    from tui.keeping import Keeper, Offer

SMALLEST = (80, 24)
"""Columns and rows that the bench needs."""

ROOMY = (112, 36)
"""Columns and rows from which panels get larger."""

DRAWS_PER_SECOND = 5
"""How often a run of epochs is drawn."""

RUNNING = "one thing at a time: Esc stops what is running"


class BenchScreen(Screen[None]):
    """Owns the session and its current frame; the panels draw the frame."""

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    AUTO_FOCUS = ""

    frame: var[Frame | None] = var(None)
    notice: var[str] = var("")
    complaint: var[PyTorchError | None] = var(None)
    """What PyTorch refused; None where it did not."""
    cursor: var[Kind | None] = var(None)
    """The statement of the loop that edits are for, wherever it moves; None where the cursor is away."""
    unsaved: var[bool] = var(False)
    """Whether nothing is saved any more."""
    running: var[bool] = var(False)
    """Whether epochs are running, in a thread that has the session to itself."""
    progress: var[Progress | None] = var(None, always_update=True)
    """How far they have come."""

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
        self._loading = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._stop = threading.Event()
        self._keeps_keys = False
        self._ticker: Timer | None = None
        self._then: Callable[[Any], None] | None = None

    def compose(self) -> ComposeResult:
        """Lay the panels out."""
        bench = BenchScreen
        yield StatusLine().data_bind(bench.frame, bench.unsaved)
        with Horizontal(id="columns"):
            with Vertical(id="left"):
                yield ParameterPanel().data_bind(bench.frame)
                yield LossPanel().data_bind(bench.frame, bench.progress)
                yield StepPanel().data_bind(bench.frame, bench.complaint)
            with Vertical(id="right"):
                yield TracePanel().data_bind(bench.frame)
                yield LoopPanel().data_bind(bench.frame, bench.cursor)
                yield LossPanel().data_bind(bench.frame, bench.progress)
        yield NoticeLine().data_bind(bench.frame, bench.notice, bench.progress)
        yield KeyBar().data_bind(bench.frame, bench.cursor)
        yield Static(id="too-small", markup=False)

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

    def on_loaded(self, message: Loaded) -> None:
        """Show the session, and do what was asked for meanwhile."""
        self._take(message.session)
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

    def _take(self, session: Session) -> None:
        self._session = session
        self._show(session, None)
        if self._keeper is not None and self._keeper.notice:
            self.notice, self._keeper.notice = self._keeper.notice, ""

    def _answered(self, offer: Offer, yes: bool | None) -> None:
        """Go on with the offered session, or leave it in order."""
        assert self._keeper is not None
        keeper = self._keeper
        if yes:
            resume = partial(keeper.resume, offer.path)
            self.work(resume, self._take, keeps_keys=True)
        else:
            self.work(lambda _: keeper.decline(offer), keeps_keys=True)

    def on_load_failed(self, message: LoadFailed) -> None:
        """Leave, and say why there is nothing to train."""
        self.app.exit(return_code=2, message=f"gradstep: {message.error}")

    def _catch_up(self) -> None:
        while self._waiting and not self.running:
            self._waiting.popleft()()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement for the new size."""
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-small")
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        if small:
            self.query_one("#too-small", Static).update(too_small_text(width, height))

    # Keys

    def action_press(self, key_id: str) -> None:
        """Do what a key is for, or say why it cannot be done now."""
        key = BY_ID[key_id]
        if self.has_class("-small") and key_id != "quit":
            return
        if key.action is not None:
            self.perform(key.action())
        elif key.edit is not None:
            self._edit(key)
        elif key_id in OPENS:
            OPENS[key_id](self)
        else:
            getattr(self, f"press_{key_id}")()

    def press_verdict(self) -> None:
        """Say what the loop does to training; nothing changes by it."""
        session = self.idle_session()
        if session is None:
            return
        try:
            verdict = session.verdict()
        except EngineError as error:  # the reference loop itself cannot run
            self._show(session, error)
        else:
            self.complaint, self.notice = verdict.error, verdict_text(verdict)

    def press_stop(self) -> None:
        """Stop a run of epochs, or put the cursor away."""
        if self.running:
            self._stop.set()
        elif self.cursor is not None:
            self.cursor = None
        else:
            self.notice = "nothing is running"

    def press_cursor_up(self) -> None:
        """Put the cursor one statement up."""
        self._move_cursor(-1)

    def press_cursor_down(self) -> None:
        """Put the cursor one statement down."""
        self._move_cursor(1)

    def press_quit(self) -> None:
        """Leave."""
        self.app.exit()

    def _move_cursor(self, steps: int) -> None:
        """Move the cursor; from away it comes to the next line, and from an end of the loop to the other."""
        if self.frame is None:
            self._waiting.append(partial(self._move_cursor, steps))
            return
        kinds = [statement.kind for statement in self.frame.loop.statements]
        if self.cursor is None:
            self.cursor = self.frame.next or kinds[0]
        else:
            self.cursor = kinds[(kinds.index(self.cursor) + steps) % len(kinds)]

    def _edit(self, key: Key) -> None:
        """Do to the statement under the cursor what the key is for."""
        if self.frame is None:
            self._waiting.append(partial(self._edit, key))
        elif self.cursor is None:
            self.notice = key.refusal(self.frame, None)
        elif key.edit is not None:
            self.perform(key.edit(self.cursor))

    def can(self, key: Key) -> bool:
        """Whether a key can work now; where it cannot, the notice says why."""
        reason = "" if self.frame is None else key.refusal(self.frame, self.cursor)
        if reason:
            self.notice = reason
        return not reason

    def idle_session(self) -> Session | None:
        """Give the session where it can be asked something now; else the notice says why not."""
        if self._session is None:
            self.notice = "PyTorch is starting: ask again when it is there"
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
            self.work(partial(self._session.apply, action))
        else:
            self._apply(self._session, action)

    def _apply(self, session: Session, action: Action) -> None:
        try:
            session.apply(action)
        except EngineError as error:
            self._show(session, error)
        else:
            self._show(session, None)

    def _show(self, session: Session, error: EngineError | None) -> None:
        """Show the session as it stands, and what was refused."""
        self.frame = session.frame
        self.complaint = error if isinstance(error, PyTorchError) else None
        self.notice = session.frame.notice if error is None else _first_words(error)

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
        self.run_worker(partial(run, self, work, self._stop.is_set), thread=True)

    def _tick(self) -> None:
        if self._session is not None and self.running:
            self.progress = self._session.progress

    def on_work_ended(self, message: WorkEnded) -> None:
        """Show what the work came to, and do what was asked for before it began."""
        if self._ticker is not None:
            self._ticker.stop()
        assert self._session is not None
        self.running, self.progress = False, None
        self._show(self._session, message.error)
        if message.error is None and self._then is not None:
            self._then(message.result)
        self._catch_up()

    def on_unmount(self) -> None:
        """End a run under way, so that its thread does not outlive the screen."""
        self._stop.set()
        if self._keeper is not None:
            self._keeper.give_up()


def takes_long(action: Action) -> bool:
    """Whether an action may run many epochs."""
    match action:
        case RunEpochs(count):
            return count > 1
        case GoTo(_, inside):
            return inside > 1
        case _:
            return False


def too_small_text(width: int, height: int) -> str:
    """Say what the bench needs."""
    return (
        f"gradstep needs {SMALLEST[0]}x{SMALLEST[1]}\nthis terminal is {width}x{height}\n"
        "nothing is lost: make it larger\nq leaves"
    )


def _first_words(error: EngineError) -> str:
    return f"{error.kind}: {error.own_words}" if isinstance(error, PyTorchError) else str(error)
