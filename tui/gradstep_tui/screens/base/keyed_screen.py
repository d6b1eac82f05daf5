"""A session screen with keys: each key has one handler, and edits of the loop have a cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from textual.reactive import var

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    NextLine,
    RunEpochs,
    RunOuter,
    StepNode,
    Update,
    Zero,
)
from gradstep_tui.key import Key
from gradstep_tui.screens.base.session_screen import SessionScreen
from gradstep_tui.text.refusals import key_refusal
from gradstep_tui.text.remarks import NOTHING, hint
from gradstep_tui.widgets.keybar import KeyBar
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual import events

    from gradstep.analysis.loop_verdict import Verdict
    from gradstep.loop.loop import StatementKey
    from gradstep.session import Session

KeyHandler: TypeAlias = Callable[[Any], None]
"""Handles a key; called with the screen on which the key was pressed."""


RUNS: Final = (NextLine, StepNode, Forward, Backward, Update, Zero, RunEpochs, RunOuter)
"""Actions that run something of the loop: the cursor goes away, so that the loop shows what runs."""

CAPITAL: Final = "{capital} does nothing: is Caps Lock on? {small} is the key for: {label}"
"""Hint for a capital letter that is no key; `label` is the word for the key of the small letter."""

KEYS_AT_ONCE: Final = frozenset({"stop", "quit", "help", "manual", "printed"})
"""Ids of the keys that work at once, whatever runs."""

KEYS_THAT_WAIT: Final = frozenset(
    {
        "timeline",
        "twin",
        "check",
        "verdict",
        "pictures",
        "graph",
        "problems",
        "export",
        "elements",
        "data",
        "ledger",
    }
)
"""Ids of the keys that open something of a session; pressed before there is one, they wait for it."""


class KeyedScreen(SessionScreen):
    """A session screen whose keys are handled by one table."""

    keys: ClassVar[Sequence[Key]] = ()
    """Keys that the key bar, the help screen and the command palette show."""

    handlers: ClassVar[Mapping[str, KeyHandler]] = {}
    """Handler of each key, by the key's id."""

    keys_when_small: ClassVar[frozenset[str]] = frozenset({"quit"})
    """Ids of the keys that also work while the terminal is too small to draw the screen."""

    opens_files: ClassVar[bool] = True
    """Whether a session on a file of the learner's own may begin here."""

    cursor: var[StatementKey | None] = var(None)
    """Statement of the loop that edits are for, wherever it moves; None if there is no cursor."""

    read_notice = NOTHING
    """Notice that was shown in full, so that the key for it shows the step again."""

    looked: var[int | None] = var(None)
    """Event of the backward pass that is looked at again, counted from 0; None for the current one."""

    def action_press(self, key_id: str) -> None:
        """Call the handler of a key."""
        if self.has_class("-small") and key_id not in self.keys_when_small:
            return
        if self.is_holding_keys and key_id not in KEYS_AT_ONCE:
            self.hold(partial(self.action_press, key_id))
        elif self.frame is None and key_id in KEYS_THAT_WAIT:
            self.when_idle(partial(self.action_press, key_id))
        else:
            self.handlers[key_id](self)

    def on_key(self, event: events.Key) -> None:
        """Say what a small letter does if its capital is no key. Textual calls the base class's, too."""
        letter = event.character or ""
        if not (letter.isascii() and letter.isupper()) or self.is_holding_keys or self.has_class("-small"):
            return
        bound = self.active_bindings
        if event.key not in bound and letter.lower() in bound:
            small = letter.lower()
            label = bound[small].binding.description
            self.notice = hint(CAPITAL.format(capital=letter, small=small, label=label))

    def perform(self, action: Action) -> None:
        """Apply an action now, or once there is a session; if it runs something, the cursor goes away."""
        if isinstance(action, RUNS):
            self.cursor = None
        super().perform(action)

    def take(self, session: Session) -> None:
        """Show a session, without a cursor in its loop."""
        self.cursor = None
        super().take(session)

    def on_key_bar_clicked(self, message: KeyBar.Clicked) -> None:
        """Do what the key of a clicked entry does."""
        message.stop()
        self.action_press(message.key_id)

    def on_click(self, event: events.Click) -> None:
        """Do what the key of a clicked pane does."""
        pane, region = self.get_widget_at(event.screen_x, event.screen_y)
        if isinstance(pane, Panel):
            self.click_pane(pane, on_title=event.screen_y == region.y and bool(pane.title_text()))

    def click_pane(self, pane: Panel, *, on_title: bool) -> None:
        """Do what the key of a clicked pane does."""
        if pane.opens:
            self.action_press(pane.opens)

    def can(self, key: Key) -> bool:
        """Return whether a key can work now; if it cannot, the notice says why."""
        reason = NOTHING if self.frame is None else key_refusal(key, self.frame, self.cursor)
        if reason:
            self.notice = reason
        return not reason

    def verdict_found(self, verdict: Verdict) -> None:
        """Do nothing; called with the verdict on the loop, which a lesson may ask for."""

    def stop(self) -> None:
        """Stop a run of epochs, remove the cursor, stop the script that is loaded, or remove the notice."""
        if self.running:
            self.stop_work()
        elif self.cursor is not None:
            self.cursor = None
        elif not self.stop_loading():
            self.notice = NOTHING

    def next_pane(self, steps: int) -> None:
        """Give the focus to another pane, on a screen with panes."""

    def zoom(self) -> None:
        """Show the pane in focus alone, or all panes again, on a screen with panes."""

    def scroll_pane(self, pages: int) -> None:
        """Scroll the pane in focus some pages down, on a screen with panes."""

    def move_cursor(self, steps: int) -> None:
        """Move the cursor by some statements, in a circle; a hidden cursor appears at the next statement."""
        if self.frame is None:
            self.when_idle(partial(self.move_cursor, steps))
            return
        keys = [statement.key for statement in self.frame.loop.statements]
        if self.cursor not in keys:
            self.cursor = keys[0] if self.frame.next is None else self.frame.next
        else:
            self.cursor = keys[(keys.index(self.cursor) + steps) % len(keys)]

    def edit(self, key: Key) -> None:
        """Apply the edit of a key to the statement under the cursor."""
        if self.frame is None:
            self.when_idle(partial(self.edit, key))
        elif self.cursor is None:
            self.notice = key_refusal(key, self.frame, None)
        elif key.edit is not None:
            self.perform(key.edit(self.cursor))
