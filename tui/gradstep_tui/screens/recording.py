"""The bench for a recording: it can be stepped through in every direction, and nothing can be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from gradstep.actions import Reset
from gradstep.reasons import Reason, Refusal
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS, SIGNS
from gradstep_tui.screens.base.keyed_screen import KeyedScreen, KeyHandler
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.screens.key_handlers import HANDLERS
from gradstep_tui.text.refusals import refusal_remark

if TYPE_CHECKING:
    from gradstep.errors import EngineError
    from gradstep.session import Session

CHANGING: Final = frozenset(
    {
        *("zero", "zeroing", "set_to_none", "cursor_up", "cursor_down", "comment", "move_up", "move_down"),
        *("lower_rate", "raise_rate", "type_rate", "optimizer", "batches"),
        *("predict", "verdict", "twin", "check", "problems", "reload", "export"),
        *("lesson", "lesson_hint", "lesson_place", "lesson_skip", "lessons"),
    }
)
"""Ids of the keys that train, change or need the program itself."""

BADGE: Final = "READ-ONLY"


def refuse(bench: KeyedScreen) -> None:
    """Say that a recording can only be looked at."""
    bench.notice = refusal_remark(Refusal(Reason.READ_ONLY))


class RecordingScreen(BenchScreen):
    """The bench for a recording."""

    keys: ClassVar[Sequence[Key]] = tuple(key for key in KEYS if key.id not in CHANGING)
    handlers: ClassVar[Mapping[str, KeyHandler]] = {
        **HANDLERS,
        "reset": lambda bench: bench.perform(Reset()),
        **dict.fromkeys(CHANGING, refuse),
    }

    leaving: ClassVar[str] = "{quit} leaves"
    """What leaves the screen, for the hint at the end of the recording; a name in braces is a key's id."""

    def show(self, session: Session, error: EngineError | None) -> None:
        """Show the session's frame, and the source line of its event or what can be done next."""
        super().show(session, error)
        self.badge = BADGE
        self.hint = self._hint(session)

    def _hint(self, session: Session) -> str:
        from gradstep.recordings.recording_session import RecordingSession

        frame = session.frame
        line = session.source_line() if isinstance(session, RecordingSession) else ""
        if line:
            return line
        if not frame.future:
            return f"the end of the recording: {{step_node_back}} goes back, {self.leaving}".format(**SIGNS)
        if frame.in_pass:
            return f"next: {SIGNS['step_node']} runs one node, {SIGNS['next_line']} the rest of the pass"
        if frame.backward is None:
            node, whole = SIGNS["step_node"], SIGNS["next_line"]
            return f"next: loss.backward(): {node} goes through it node by node, {whole} at once"
        return f"next: {SIGNS['next_line']} goes on to what the program did next"


class LivePassScreen(RecordingScreen):
    """The bench for a pass of a running program, which goes on when the screen is left."""

    leaving: ClassVar[str] = "{quit} goes on with the program"
    handlers: ClassVar[Mapping[str, KeyHandler]] = {
        **RecordingScreen.handlers,
        "stop": lambda bench: bench.stop(),
    }

    def __init__(self, make_session: Callable[[], Session]) -> None:
        """Show the session that `make_session` makes at once."""
        super().__init__(make_session)
        self._made = make_session

    def on_mount(self) -> None:
        """Show the pass with the first frame. Textual calls the handler of the base class as well."""
        self.load_at_once()

    def stop(self) -> None:
        """Leave, unless work is running that can be stopped."""
        if self.running:
            self.stop_work()
        else:
            self.app.exit()
