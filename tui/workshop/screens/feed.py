"""Somebody else's bench, live: drawn at one's own size from what happens there, and not to be changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from tui.keys import BY_ID
from tui.screens.bench import BenchScreen
from tui.workshop.keeper import session_of
from tui.workshop.messages import Feed, Happened, ToChild

if TYPE_CHECKING:
    from engine.session import Session

ALLOWED: Final = ("look", "ledger", "help", "pictures", "graph", "timeline", "printed")
"""Keys that only look."""


class FeedScreen(BenchScreen):
    """A bench whose keys are somebody else's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F,upper_f,escape,q", "leave", "back", priority=True, tooltip="Back to your own bench."),
    ]

    def __init__(self, feed: Feed, *, invited: bool) -> None:
        """Show a session as it stands.

        Args:
            feed: The session.
            invited: Whether its owner presents it; an instructor watches.
        """
        super().__init__(partial(self._made, feed))
        self._whose, self._invited = feed.name, invited
        self._draw_badge()

    def action_press(self, key_id: str) -> None:
        """Look closer; what would change the session is not for here."""
        if key_id in ALLOWED:
            super().action_press(key_id)
        else:
            self.notice = f"{BY_ID[key_id].label}: this is {self._whose}'s bench; F goes back to yours"

    def action_leave(self) -> None:
        """Go back."""
        self._close(True)

    def end(self) -> None:
        """There is nothing to look at any more."""
        self._close(False)

    def renew(self, feed: Feed) -> None:
        """Show another session, or one that has begun anew."""
        self._whose = feed.name
        self._draw_badge()
        self.when_idle(lambda: self.work(lambda _: self._made(feed), self.take, keeps_keys=True))

    def hear(self, said: ToChild) -> None:
        """Let happen here what happened there."""
        if isinstance(said, Happened):
            self.when_idle(lambda: self.perform(said.action))

    def _made(self, feed: Feed) -> Session:
        return session_of(feed.start, feed.actions, feed.refused, self._stop.is_set)

    def _close(self, left: bool) -> None:
        self._stop.set()
        if self.is_current:
            self.dismiss_feed(left)

    def dismiss_feed(self, left: bool) -> None:
        """Close with whether it was left by a key."""
        self.dismiss(left)  # type: ignore[arg-type] # a bench gives nothing; this one does

    def _draw_badge(self) -> None:
        self.badge = f"{self._whose.upper()} PRESENTS" if self._invited else f"WATCHING {self._whose.upper()}"
