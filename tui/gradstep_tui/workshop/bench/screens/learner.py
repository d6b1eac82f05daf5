"""A learner's bench in a class: raise a hand, follow the instructor, be watched or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from gradstep_tui.keys import KEYS, Key
from gradstep_tui.workshop.bench.screens.bench import ClassBench
from gradstep_tui.workshop.bench.screens.feed import FeedScreen, FollowScreen
from gradstep_tui.workshop.bench.screens.instructor_messages import TOAST, MessagesScreen
from gradstep_tui.workshop.bench.screens.resume import ResumeScreen
from gradstep_tui.workshop.bench.session.keys import FOR_LEARNERS, binding
from gradstep_tui.workshop.server.participant import REMEMBERED
from gradstep_tui.workshop.wire.messages import (
    Allow,
    Feed,
    FeedEnded,
    Hand,
    HandDown,
    Noted,
    Presenting,
    ToChild,
    Told,
)

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.autosave import ClassKeeper
    from gradstep_tui.workshop.bench.session.server_link import Link
    from gradstep_tui.workshop.wire.messages import Welcome

OWN: Final = "this is your own bench, as you left it"


class LearnerBench(ClassBench):
    """A learner's."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in FOR_LEARNERS]
    keys: ClassVar[Sequence[Key]] = (*KEYS[:-2], *FOR_LEARNERS, *KEYS[-2:])

    def __init__(self, keeper: ClassKeeper, link: Link, welcome: Welcome) -> None:
        """Go on where `welcome` says."""
        super().__init__(keeper, link, welcome)
        self._hand, self._allows = welcome.hand, welcome.allows
        self._messages, self._unread = deque(welcome.told, maxlen=REMEMBERED), welcome.missed
        self._confirms = bool(welcome.resume_code)
        """Whether the resume code is to be confirmed before anything else is shown."""

    def on_mount(self) -> None:
        """Show the resume code at the first login; then what is presented."""
        if self._confirms:
            self.app.push_screen(ResumeScreen(self.welcome), self._confirmed)
        else:
            self._follow()

    # Keys

    def press_hand(self) -> None:
        """Raise a hand, or take it down: help came."""
        self._hand = not self._hand
        self.link.send(Hand(self._hand))
        up = "your hand is up: the instructor sees it. ! takes it down when help came"
        self.say(up if self._hand else "your hand is down")
        self.draw_badge()

    def press_allow(self) -> None:
        """Let the instructor watch, or not."""
        self._allows = not self._allows
        self.link.send(Allow(self._allows))
        can = "can watch" if self._allows else "cannot watch"
        self.say(f"the instructor {can} your bench; W changes that")
        self.draw_badge()

    def press_follow(self) -> None:
        """See what the instructor shows."""
        if self.presenter:
            self._follow()
        else:
            self.say("nobody presents just now; when somebody does, you will see it")

    def press_messages(self) -> None:
        """Show what the instructor has said."""
        self._unread = 0
        self.app.clear_notifications()
        self.draw_badge()
        self.app.push_screen(MessagesScreen([*self._messages], self.welcome.resume_code))

    # What the server says

    @singledispatchmethod
    def hear(self, said: ToChild) -> None:
        """Do it; most is the same for an instructor."""
        super().hear(said)

    @hear.register
    def _(self, said: Presenting) -> None:
        ended = f"{self.presenter} has stopped presenting"
        super().hear(said)
        self._follow()
        if not (said.by or self.notice.startswith(ended)):  # who followed has been told
            self.say(f"{ended}; you are on your own bench already")

    @hear.register
    def _(self, said: FeedEnded) -> None:
        super().hear(said)
        self.say(f"{said.why}: {OWN}")

    @hear.register
    def _(self, said: Told) -> None:
        self._messages.append(said)
        self._unread += 1
        self.draw_badge()
        words = f"{said.text}\n\nM shows it again"
        self.app.notify(words, title=f"{said.by} says", timeout=TOAST, markup=False)

    @hear.register
    def _(self, _: HandDown) -> None:
        self._hand = False
        self.say("the instructor has seen your hand, and taken it down")
        self.draw_badge()

    # What is looked at

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Show what is presented; the class's keys work there, too."""
        screen = FollowScreen(feed, self.leave_feed, self.action_press)
        screen.extra = self.badge
        return screen

    def leave_feed(self, why: str) -> None:
        """Break away."""
        super().leave_feed(why or f"{OWN}; F goes back to the class")

    def draw_badge(self) -> None:
        """Show what is to be seen at once, also where the class is followed."""
        parts = ["HAND"] if self._hand else []
        parts += [] if self._allows else ["PRIVATE"]
        parts += ["WATCHED"] if self.watched else []
        parts += [f"{self._unread} NEW"] if self._unread else []
        self.badge = "  ".join(parts)
        if self.feed is not None:
            self.feed.extra = self.badge
            self.feed.draw_badge()

    def _confirmed(self, _: None) -> None:
        self._confirms = False
        self.link.send(Noted())
        self._follow()

    def _follow(self) -> None:
        if self.presenter and self.feed is None and not self._confirms:
            self.want_feed()
