"""Somebody else's bench, live: drawn at one's own size from what happens there, and not to be changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.session.worker import WorkEnded
from gradstep_tui.text.frames import action_text
from gradstep_tui.workshop.bench.session.autosave import session_of
from gradstep_tui.workshop.bench.session.keys import (
    ALLOW,
    HAND,
    IDS,
    LEAVE,
    LOOKING,
    LOOKS,
    MESSAGES,
    binding,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradstep.actions import Action
    from gradstep.errors import EngineError
    from gradstep.session import Session
    from gradstep_tui.keys import Key
    from gradstep_tui.workshop.wire.messages import Feed

NOT_YOURS: Final = "this is {whose}'s bench: look as you like; F goes back to yours"


class FeedScreen(BenchScreen):
    """A bench whose actions are somebody else's. Its keys only look."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(LEAVE.keys, "leave", LEAVE.label, priority=True, tooltip=LEAVE.tooltip),
    ]
    waits_for = "fetching the bench: doing again what was done there"
    escape_does: ClassVar[str] = "leaves"

    def __init__(
        self, feed: Feed, leave: Callable[[str], None], press: Callable[[str], None] | None = None
    ) -> None:
        """Show a session as it stands.

        Args:
            feed: The session.
            leave: Called where a key closes this, and with the reason where there is nothing to show.
            press: Does what a learner's keys of the class do; None where an instructor watches.
        """
        super().__init__(partial(self._made, feed))
        self._feed, self._leave, self._press = feed, leave, press
        self._renewing = False
        self._here = feed.here
        self.extra = ""
        """The badge of the own bench."""

    @property
    def invited(self) -> bool:
        """Whether the owner presents to the class."""
        return self._press is not None

    def on_mount(self) -> None:
        """Say whose this is."""
        self.hint = f"{self._feed.name}'s bench, live: what happens there happens here"
        self.draw_badge()

    def action_press(self, key_id: str) -> None:
        """Look closer; what would change the session is not for here."""
        if key_id in LOOKING:
            super().action_press(key_id)
        elif key_id in IDS and self._press is not None:
            self._press(key_id)
        else:
            self.notice = NOT_YOURS.format(whose=self._feed.name)

    def action_leave(self) -> None:
        """Go back."""
        self._leave("")

    def perform(self, action: Action) -> None:
        """Do nothing that was asked for here: e.g. to go to a point of the timeline."""
        self.notice = NOT_YOURS.format(whose=self._feed.name)

    def happen(self, action: Action) -> None:
        """Let happen here what happened there, once what happened before has."""
        self.when_idle(partial(self._happen, action))

    def begun(self, action: Action) -> None:
        """Say what has begun there: it happens here when it has ended."""
        self.hint = f"{self._feed.name} now: {action_text(action)}; it comes here when it is done"

    def presence(self, here: bool) -> None:
        """Say whether the owner is there."""
        self._here = here
        self.notice = "" if here else f"{self._feed.name} has gone away: this is the bench as it was left"
        self.draw_badge()

    def renew(self, feed: Feed) -> None:
        """Show another session, or one begun anew; what was still to happen in the last one does not."""
        self._feed, self._here = feed, feed.here
        self.draw_badge()
        self._waiting.clear()
        self._stop.set()
        self.when_idle(partial(self._renew, feed))

    def draw_badge(self) -> None:
        """Say whose this is, and whether they are there."""
        whose = self._feed.name.upper()
        badge = f"{whose} PRESENTS" if self.invited else f"WATCHING {whose}{'' if self._here else ' (AWAY)'}"
        self.badge = f"{badge}  {self.extra}".strip()

    def fail(self, error: EngineError) -> None:
        """Go back, and say why there is nothing to look at."""
        self._leave(f"{self._feed.name}'s bench cannot be shown: {error}")

    def end_work(self, message: WorkEnded) -> None:
        """Show what happened; go back where there is nothing to look at any more."""
        renewing, self._renewing = self._renewing, False
        super().end_work(message)
        if renewing and message.error is not None:
            self.fail(message.error)

    def _happen(self, action: Action) -> None:
        super().perform(action)
        self.hint = f"{self._feed.name}: {action_text(action)}"

    def _renew(self, feed: Feed) -> None:
        self._renewing = True
        self.hint = f"{feed.name} has begun {feed.start.title}"
        self.work(lambda _: self._made(feed), self.take, keeps_keys=True)

    def _made(self, feed: Feed) -> Session:
        return session_of(feed.start, feed.actions, feed.refused, self._stop.is_set)


class FollowScreen(FeedScreen):
    """What the instructor shows the class."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in (HAND, ALLOW, MESSAGES)]
    keys: ClassVar[Sequence[Key]] = (LEAVE, HAND, *LOOKS, ALLOW, MESSAGES)


class WatchScreen(FeedScreen):
    """What an instructor watches."""

    keys: ClassVar[Sequence[Key]] = (LEAVE, *LOOKS)
