"""Somebody else's bench, live: drawn at the viewer's own size, and read-only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.session.worker import WorkEnded
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.remarks import NOTHING, Remark, failure, hint
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
    from gradstep_tui.key import Key
    from gradstep_tui.workshop.wire.messages import Feed

READ_ONLY: Final = "this is {name}'s bench, and you can only look at it: F6 goes back to yours"


class FeedScreen(BenchScreen):
    """A bench on which somebody else's actions happen. Its keys only look."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(LEAVE.keys, "leave", LEAVE.label, priority=True, tooltip=LEAVE.tooltip, id=LEAVE.id),
    ]
    waits_for = "loading the bench: the actions there are being done again"
    escape_does: ClassVar[str] = "leaves"

    def __init__(
        self, feed: Feed, leave: Callable[[Remark], None], press: Callable[[str], None] | None = None
    ) -> None:
        """Show a session.

        Args:
            feed: The session.
            leave: Called if a key leaves the screen, or if the session cannot be shown; its argument says
                why not, or is empty.
            press: Handles a learner's class keys, by their ids; None for an instructor who watches.
        """
        super().__init__(partial(self._session_of, feed))
        self._feed, self._leave, self._press = feed, leave, press
        self._renewing = False
        self._here = feed.here
        self.own_badge = ""
        """Badge of the viewer's own bench."""

    @property
    def presented(self) -> bool:
        """Whether the session's owner presents it to the class."""
        return self._press is not None

    def on_mount(self) -> None:
        """Show whose bench this is."""
        self.hint = f"{self._feed.name}'s bench, live: what happens there happens here"
        self.draw_badge()

    def action_press(self, key_id: str) -> None:
        """Handle a key that looks, or one of the class; refuse the others."""
        if key_id in LOOKING:
            super().action_press(key_id)
        elif key_id in IDS and self._press is not None:
            self._press(key_id)
        else:
            self._refuse()

    def action_leave(self) -> None:
        """Return to the own bench, or to the board."""
        self._leave(NOTHING)

    def perform(self, action: Action) -> None:
        """Refuse an action that was requested here, e.g. in the timeline."""
        self._refuse()

    def follow(self, action: Action) -> None:
        """Do an action of the session's owner, once the ones before it are done."""
        self.when_idle(partial(self._follow, action))

    def announce(self, action: Action) -> None:
        """Show that the session's owner has started a long action."""
        self.hint = f"{self._feed.name} is running: {action_text(action)}; the result appears here at its end"

    def presence(self, here: bool) -> None:
        """Show whether the session's owner is logged in."""
        self._here = here
        self.notice = (
            NOTHING if here else hint(f"{self._feed.name} has logged out: this is the bench as it was left")
        )
        self.draw_badge()

    def renew(self, feed: Feed) -> None:
        """Show another session; actions of the last one that are not done yet are dropped."""
        self._feed, self._here = feed, feed.here
        self.draw_badge()
        self.abandon_work()
        self.when_idle(partial(self._renew, feed))

    def draw_badge(self) -> None:
        """Show whose bench this is, whether its owner is logged in, and the own badge."""
        owner = self._feed.name.upper()
        badge = (
            f"{owner} PRESENTS" if self.presented else f"WATCHING {owner}{'' if self._here else ' (AWAY)'}"
        )
        self.badge = f"{badge}  {self.own_badge}".strip()

    def fail(self, error: EngineError) -> None:
        """Return to the own bench, or to the board, and say why the session cannot be shown."""
        self._leave(failure(f"{self._feed.name}'s bench cannot be shown: {error}"))

    def end_work(self, message: WorkEnded) -> None:
        """Show the result of an action; leave if a new session could not be made."""
        renewing, self._renewing = self._renewing, False
        super().end_work(message)
        if renewing and message.error is not None:
            self.fail(message.error)

    def _refuse(self) -> None:
        self.notice = hint(READ_ONLY.format(name=self._feed.name))

    def _follow(self, action: Action) -> None:
        super().perform(action)
        self.hint = f"{self._feed.name}: {action_text(action)}"

    def _renew(self, feed: Feed) -> None:
        self._renewing = True
        self.hint = f"{feed.name} has begun {feed.start.title}"
        self.work(lambda _: self._session_of(feed), self.take, keeps_keys=True)

    def _session_of(self, feed: Feed) -> Session:
        return session_of(feed.start, feed.actions, feed.refused, self.must_stop)


class FollowScreen(FeedScreen):
    """The bench that an instructor presents to the class."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in (HAND, ALLOW, MESSAGES)]
    keys: ClassVar[Sequence[Key]] = (LEAVE, HAND, *LOOKS, ALLOW, MESSAGES)


class WatchScreen(FeedScreen):
    """The bench of a learner whom an instructor watches."""

    keys: ClassVar[Sequence[Key]] = (LEAVE, *LOOKS)
