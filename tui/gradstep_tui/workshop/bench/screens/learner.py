"""A learner's bench in a class: raise a hand, follow the instructor, allow watching or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.base.keyed_screen import KeyHandler
from gradstep_tui.text.remarks import Remark, hint, success
from gradstep_tui.workshop.bench.screens.bench import WorkshopBench, feed_end_text
from gradstep_tui.workshop.bench.screens.feed import FeedScreen, FollowScreen
from gradstep_tui.workshop.bench.screens.instructor_messages import (
    TOAST,
    message_texts,
)
from gradstep_tui.workshop.bench.screens.resume import ResumeScreen
from gradstep_tui.workshop.bench.screens.ssh_keys import SshKeysScreen, key_texts
from gradstep_tui.workshop.bench.session.keys import ALLOW, FOLLOW, FOR_LEARNERS, HAND, MESSAGES, binding
from gradstep_tui.workshop.wire.messages import (
    REMEMBERED,
    AllowWatching,
    Feed,
    FeedEnded,
    Hand,
    HandLowered,
    KeepKeys,
    Presenting,
    ToBench,
    Told,
)
from gradstep_tui.workshop.wire.reasons import FeedEndReason

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.autosave import ServerAutosave
    from gradstep_tui.workshop.bench.session.server_link import ServerLink
    from gradstep_tui.workshop.wire.messages import Welcome


class LearnerBench(WorkshopBench):
    """The own bench of a learner."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in FOR_LEARNERS]
    keys: ClassVar[Sequence[Key]] = (*KEYS[:-2], *FOR_LEARNERS, *KEYS[-2:])

    def __init__(self, autosave: ServerAutosave, link: ServerLink, welcome: Welcome) -> None:
        """Continue the session that `welcome` describes."""
        super().__init__(autosave, link, welcome)
        self._hand, self._allows = welcome.hand, welcome.allows
        self._messages, self._unread = deque(welcome.told, maxlen=REMEMBERED), welcome.missed
        self._confirms = bool(welcome.resume_code)
        """Whether the learner has yet to confirm the resume code; until then, no feed is opened."""

        self._knows_end = False
        """Whether a notice has already said that the presenter has stopped."""

    def on_mount(self) -> None:
        """Show the resume code at the first login, then the presenter's bench if somebody presents."""
        if self._confirms:
            self.app.push_screen(ResumeScreen(self.welcome), self._confirmed)
        else:
            self._follow()

    # Keys

    def press_hand(self) -> None:
        """Raise the hand, or lower it."""
        self._hand = not self._hand
        self.link.send(Hand(self._hand))
        if self._hand:
            self.say(success("your hand is up, and the instructor sees it: press ! again once help has come"))
        else:
            self.say(success("your hand is down"))
        self.draw_badge()

    def press_allow(self) -> None:
        """Allow the instructor to watch, or forbid it."""
        self._allows = not self._allows
        self.link.send(AllowWatching(self._allows))
        if self._allows:
            self.say(success("the instructor can watch your bench: F4 forbids it"))
        else:
            self.say(success("the instructor cannot watch your bench: F4 allows it again"))
        self.draw_badge()

    def press_follow(self) -> None:
        """Show the presenter's bench."""
        if self.presenter:
            self._follow()
        else:
            self.say(hint("nobody is presenting at the moment: you will see it as soon as somebody does"))

    def press_messages(self) -> None:
        """Show the instructor's messages."""
        self._unread = 0
        self.app.clear_notifications()
        self.draw_badge()
        texts = [*message_texts([*self._messages], self.welcome.resume_code)]
        keys = key_texts(self.ssh_keys, self.welcome.offered)
        self.app.push_screen(SshKeysScreen("messages", [*keys, *texts], self._change_keys if keys else None))

    handlers: ClassVar[Mapping[str, KeyHandler]] = {
        **WorkshopBench.handlers,
        HAND.id: press_hand,
        ALLOW.id: press_allow,
        FOLLOW.id: press_follow,
        MESSAGES.id: press_messages,
    }

    # The server's messages

    @singledispatchmethod
    def hear(self, message: ToBench) -> None:
        """Handle a message of the server; most are handled as on an instructor's bench."""
        super().hear(message)

    @hear.register
    def _(self, message: Presenting) -> None:
        before, knew = self.presenter, self._knows_end
        self._knows_end = False
        super().hear(message)
        self._follow()
        if not (message.by or knew):
            self.say(hint(f"{before} has stopped presenting; you are on your own bench already"))

    @hear.register
    def _(self, message: FeedEnded) -> None:
        super().hear(message)
        self._knows_end = message.reason is FeedEndReason.PRESENTER_STOPPED
        self.say(hint(f"{feed_end_text(message)}: this is your own bench, as you left it"))

    @hear.register
    def _(self, message: Told) -> None:
        self._messages.append(message)
        self._unread += 1
        self.draw_badge()
        text = f"{message.text}\n\nF3 shows it again"
        self.app.notify(text, title=f"{message.by} says", timeout=TOAST, markup=False)

    @hear.register
    def _(self, _: HandLowered) -> None:
        self._hand = False
        self.say(hint("the instructor has seen your hand and lowered it"))
        self.draw_badge()

    # The feed

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Return a screen that shows the presenter's session; the class's keys work on it, too."""
        screen = FollowScreen(feed, self.leave_feed, self.action_press)
        screen.own_badge = self.badge
        return screen

    def leave_feed(self, notice: Remark) -> None:
        """Leave the presenter's bench for the own one."""
        super().leave_feed(
            notice or hint("this is your own bench, as you left it; F6 goes back to the class")
        )

    def draw_badge(self) -> None:
        """Show hand, privacy, watchers and unread messages in the badge, on a feed as well."""
        parts = ["HAND"] if self._hand else []
        parts += [] if self._allows else ["PRIVATE"]
        parts += ["WATCHED"] if self.watched else []
        parts += [f"{self._unread} NEW"] if self._unread else []
        self.badge = "  ".join(parts)
        if self.feed is not None:
            self.feed.own_badge = self.badge
            self.feed.draw_badge()

    def _confirmed(self, keep_keys: bool | None) -> None:
        self._confirms = False
        self.note_code(keep_keys)
        self._follow()

    def _change_keys(self) -> None:
        self.link.send(KeepKeys(not self.ssh_keys))

    def _follow(self) -> None:
        if self.presenter and self.feed is None and not self._confirms:
            self.want_feed()
