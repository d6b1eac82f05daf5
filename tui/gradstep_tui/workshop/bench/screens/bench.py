"""A bench in a class: what the benches of learners and instructors have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar

from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.session.worker import WorkEnded
from gradstep_tui.text.remarks import Remark, hint, success, warning
from gradstep_tui.workshop.bench.screens.feed import FeedScreen
from gradstep_tui.workshop.bench.session.keys import IDS
from gradstep_tui.workshop.wire.messages import (
    ActionStarted,
    Feed,
    FeedAction,
    FeedEnded,
    Follow,
    KeepKeys,
    KeptKeys,
    Presence,
    Presenting,
    ResumeCodeNoted,
    StorageStatus,
    ToBench,
    Told,
    Unfollow,
    WatcherCount,
)
from gradstep_tui.workshop.wire.reasons import FeedEndReason

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep_tui.workshop.bench.session.autosave import ServerAutosave
    from gradstep_tui.workshop.bench.session.server_link import ServerLink
    from gradstep_tui.workshop.wire.messages import Welcome


class WorkshopBench(BenchScreen):
    """The participant's own bench. It handles the server's messages while other screens lie over it, too."""

    keys_when_small: ClassVar[frozenset[str]] = BenchScreen.keys_when_small | IDS
    opens_files: ClassVar[bool] = False

    def __init__(self, autosave: ServerAutosave, link: ServerLink, welcome: Welcome) -> None:
        """Continue the session that `welcome` describes."""
        super().__init__(autosave.rejoin, autosave)
        self.autosave, self.link, self.welcome = autosave, link, welcome
        self.watched, self.presenter = welcome.watched, welcome.presenter
        if welcome.actions:
            self.waits_for = "doing your actions again; long runs take a while"
        self.ssh_keys = welcome.keys
        self.feed: FeedScreen | None = None
        """Screen with somebody else's session; None while the own bench is shown."""

        self._wants_feed = False
        self._held: deque[Callable[[], None]] = deque()
        """Calls that wait until the feed is left, because they may open a screen."""

    def on_mount(self) -> None:
        """Draw the badge; load the session at once if there are no actions to do again."""
        self.draw_badge()
        if not self.welcome.actions:
            self.load_at_once()

    def begins(self, action: Action) -> None:
        """Report to the server that a long action has started."""
        self.link.send(ActionStarted(action))

    def end_work(self, message: WorkEnded) -> None:
        """Show the result of the work, or hold it back while a feed is shown: it may open a screen."""
        if self.feed is None:
            super().end_work(message)
        else:
            self._held.append(lambda: self.end_work(message))

    # The server's messages

    @singledispatchmethod
    def hear(self, message: ToBench) -> None:
        """Handle a message of the server.

        Raises:
            TypeError: no handler is registered for messages of this type.
        """
        raise TypeError(message)

    @hear.register
    def _(self, message: StorageStatus) -> None:
        self.autosave.storage_error = message.trouble
        self.unsaved = bool(message.trouble)
        self.say(
            warning(self.autosave.trouble) if message.trouble else success("your session is saved again")
        )

    @hear.register
    def _(self, message: Feed) -> None:
        if self.feed is not None:
            self.feed.renew(message)
        elif self._wants_feed:  # otherwise the key that leaves it was pressed before the feed arrived
            self.feed = self.make_feed(message)
            self.app.push_screen(self.feed)

    @hear.register
    def _(self, message: ActionStarted) -> None:
        if self.feed is not None:
            self.feed.announce(message.action)

    @hear.register
    def _(self, message: FeedAction) -> None:
        if self.feed is not None:
            self.feed.follow(message.action)

    @hear.register
    def _(self, message: Presence) -> None:
        if self.feed is not None:
            self.feed.presence(message.here)

    @hear.register
    def _(self, message: FeedEnded) -> None:
        self.close_feed()
        self.say(hint(feed_end_text(message)))

    @hear.register
    def _(self, message: Presenting) -> None:
        self.presenter = message.by
        self.draw_badge()

    @hear.register
    def _(self, message: WatcherCount) -> None:
        self.watched = message.count
        self.draw_badge()

    @hear.register
    def _(self, message: KeptKeys) -> None:
        self.ssh_keys = message.keys
        self.say(
            success("this computer's SSH key logs in now" if message.keys else "no SSH key logs in any more")
        )

    @hear.register
    def _(self, message: Told) -> None:
        self.say(hint(f"{message.by}: {message.text}"))

    def note_code(self, keep_keys: bool | None) -> None:
        """Report that the resume code is written down, and whether this login's SSH keys may log in."""
        self.link.send(ResumeCodeNoted())
        if keep_keys and self.welcome.offered:
            self.link.send(KeepKeys(True))

    # The feed

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Return a screen that shows somebody else's session."""
        raise NotImplementedError

    def want_feed(self, name: str = "") -> None:
        """Request the feed of somebody's session; the presenter's if `name` is empty."""
        self._wants_feed = True
        self.link.send(Follow(name))

    def close_feed(self) -> None:
        """Close the feed and the screens over it, then make the calls that waited for that."""
        feed, self.feed, self._wants_feed = self.feed, None, False
        if feed is not None:
            while feed in self.app.screen_stack:
                self.app.pop_screen()
        while self._held:
            self._held.popleft()()

    def leave_feed(self, notice: Remark) -> None:
        """Close the feed at the participant's wish, or because it cannot be shown; then show a notice."""
        self.link.send(Unfollow())
        self.close_feed()
        self.say(notice)

    def say(self, remark: Remark) -> None:
        """Show a notice on the own bench and on the feed."""
        self.notice = remark
        if self.feed is not None:
            self.feed.notice = remark

    def draw_badge(self) -> None:
        """Show in the badge whether somebody watches."""
        self.badge = "WATCHED" if self.watched else ""


def feed_end_text(message: FeedEnded) -> str:
    """Return a sentence that says why a feed has ended."""
    match message.reason:
        case FeedEndReason.PRESENTER_STOPPED:
            return f"{message.name} has stopped presenting"
        case FeedEndReason.NOBODY_PRESENTS:
            return "nobody is presenting at the moment"
        case FeedEndReason.NOT_ALLOWED:
            return f"{message.name} does not want to be watched at the moment"
        case FeedEndReason.UNKNOWN_NAME:
            return f"there is nobody called {message.name} to watch"
