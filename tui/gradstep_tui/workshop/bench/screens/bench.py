"""A bench in a class: what an instructor's and a learner's have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.session.worker import WorkEnded
from gradstep_tui.workshop.bench.screens.feed import FeedScreen
from gradstep_tui.workshop.bench.session.keys import IDS
from gradstep_tui.workshop.wire.messages import (
    Doing,
    Feed,
    FeedEnded,
    Follow,
    Happened,
    Kept,
    Presence,
    Presenting,
    ToChild,
    Told,
    Unfollow,
    Watched,
)

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep_tui.workshop.bench.session.autosave import ClassKeeper
    from gradstep_tui.workshop.bench.session.server_link import Link
    from gradstep_tui.workshop.wire.messages import Welcome


class ClassBench(BenchScreen):
    """The own bench. It hears the server also while another screen lies over it."""

    def __init__(self, keeper: ClassKeeper, link: Link, welcome: Welcome) -> None:
        """Go on where `welcome` says."""
        super().__init__(keeper.rejoin, keeper)
        self.keeper, self.link, self.welcome = keeper, link, welcome
        self.watched, self.presenter = welcome.watched, welcome.presenter
        if welcome.actions:
            self.waits_for = "doing again what you did; long runs take a while"
        self.feed: FeedScreen | None = None
        """What is looked at instead of the own bench."""

        self._wants_feed = False
        self._held: deque[Callable[[], None]] = deque()
        """What is to be shown once the feed is left."""

    def on_mount(self) -> None:
        """Draw what is to be seen at once: also the session, where nothing has to be done again for it."""
        self.draw_badge()
        if not self.welcome.actions:
            self.load_at_once()

    def action_press(self, key_id: str) -> None:
        """Do also what the class's keys are for."""
        if key_id in IDS:
            getattr(self, f"press_{key_id}")()
        else:
            super().action_press(key_id)

    def begins(self, action: Action) -> None:
        """Tell the class what is under way."""
        self.link.send(Doing(action))

    def end_work(self, message: WorkEnded) -> None:
        """Show what came of it; while something else is looked at, afterwards: it may open a screen."""
        if self.feed is None:
            super().end_work(message)
        else:
            self._held.append(lambda: self.end_work(message))

    # What the server says

    @singledispatchmethod
    def hear(self, said: ToChild) -> None:
        """Do it."""
        raise TypeError(said)

    @hear.register
    def _(self, said: Kept) -> None:
        self.keeper.told_trouble = said.trouble
        self.unsaved = bool(said.trouble)
        self.say(f"nothing is kept just now: {said.trouble}" if said.trouble else "all is kept again")

    @hear.register
    def _(self, said: Feed) -> None:
        if self.feed is not None:
            self.feed.renew(said)
        elif self._wants_feed:  # else it was left while this was on its way
            self.feed = self.make_feed(said)
            self.app.push_screen(self.feed)

    @hear.register
    def _(self, said: Doing) -> None:
        if self.feed is not None:
            self.feed.begun(said.action)

    @hear.register
    def _(self, said: Happened) -> None:
        if self.feed is not None:
            self.feed.happen(said.action)

    @hear.register
    def _(self, said: Presence) -> None:
        if self.feed is not None:
            self.feed.presence(said.here)

    @hear.register
    def _(self, said: FeedEnded) -> None:
        self.close_feed()
        self.say(said.why)

    @hear.register
    def _(self, said: Presenting) -> None:
        self.presenter = said.by
        self.draw_badge()

    @hear.register
    def _(self, said: Watched) -> None:
        self.watched = said.count
        self.draw_badge()

    @hear.register
    def _(self, said: Told) -> None:
        self.say(f"{said.by}: {said.text}")

    # What is looked at

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Give the screen that shows somebody else's session."""
        raise NotImplementedError

    def want_feed(self, name: str = "") -> None:
        """Ask to look at somebody's session; without a name, at what is presented."""
        self._wants_feed = True
        self.link.send(Follow(name))

    def close_feed(self) -> None:
        """Close it, and what lies over it, where it is open; then go on with what waited for that."""
        feed, self.feed, self._wants_feed = self.feed, None, False
        if feed is not None:
            while feed in self.app.screen_stack:
                self.app.pop_screen()
        while self._held:
            self._held.popleft()()

    def leave_feed(self, why: str) -> None:
        """A key has closed it; or it cannot be shown, and why."""
        self.link.send(Unfollow())
        self.close_feed()
        self.say(why)

    def say(self, text: str) -> None:
        """Say something on whatever is looked at."""
        self.notice = text
        if self.feed is not None:
            self.feed.notice = text

    def draw_badge(self) -> None:
        """Show what is to be seen at once."""
        self.badge = "WATCHED" if self.watched else ""
