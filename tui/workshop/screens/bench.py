"""A learner's bench in a class: raise a hand, follow the instructor, be watched or not."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tui.screens.bench import BenchScreen
from tui.workshop.messages import (
    Allow,
    Feed,
    FeedEnded,
    Follow,
    Hand,
    HandDown,
    Kept,
    Presenting,
    Rows,
    ToChild,
    Told,
    Unfollow,
    Watched,
)
from tui.workshop.screens.board import BoardScreen
from tui.workshop.screens.feed import FeedScreen

if TYPE_CHECKING:
    from tui.workshop.keeper import ClassKeeper
    from tui.workshop.link import Link
    from tui.workshop.messages import Welcome

RESUME: str = "your resume code is {code}: with it, or from the same computer, the name {name} stays yours"


class ClassBench(BenchScreen):
    """The own bench. It hears the server also while another screen lies over it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("exclamation_mark", "hand", "hand", tooltip="Raise a hand, or take it down."),
        Binding("F,upper_f", "follow", "class", tooltip="See what the instructor shows, or go back."),
        Binding("W,upper_w", "allow", "watch", tooltip="Let the instructor watch, or not."),
        Binding("f2", "board", "board", tooltip="The instructor's board."),
    ]

    def __init__(self, keeper: ClassKeeper, link: Link, welcome: Welcome) -> None:
        """Go on where `welcome` says."""
        super().__init__(keeper.rejoin, keeper)
        self._keeper_of_class, self._link, self._welcome = keeper, link, welcome
        self._hand, self._allows = welcome.hand, welcome.allows
        self._watched = welcome.watched
        self._presenting = welcome.presenting
        self._feed: FeedScreen | None = None
        self.board: BoardScreen | None = BoardScreen(link) if self.teaches else None

    @property
    def teaches(self) -> bool:
        """Whether this is an instructor's."""
        return self._welcome.role == "instructor"

    def on_mount(self) -> None:
        """Say what is to be known at once; an instructor begins with the board."""
        super().on_mount()
        self._draw_badge()
        if self.board is not None:
            self.call_after_refresh(self.app.push_screen, self.board)
        elif self._presenting:
            self._link.send(Follow())

    def on_first_frame(self) -> None:
        """Tell the resume code once, when there is a line for it."""
        if self._welcome.resume_code:
            code, name = self._welcome.resume_code, self._welcome.name
            self.notice = RESUME.format(code=code, name=name)

    def take(self, session) -> None:  # type: ignore[no-untyped-def]
        """Show the session; at the first login, the resume code."""
        super().take(session)
        self.on_first_frame()

    # Keys

    def action_hand(self) -> None:
        """Raise a hand, or take it down: help came."""
        self._hand = not self._hand
        self._link.send(Hand(self._hand))
        self.notice = (
            "your hand is up: the instructor sees it; ! takes it down" if self._hand else "your hand is down"
        )
        self._draw_badge()

    def action_allow(self) -> None:
        """Let the instructor watch, or not."""
        self._allows = not self._allows
        self._link.send(Allow(self._allows))
        can = "can watch" if self._allows else "cannot watch"
        self.notice = f"the instructor {can} your bench; W changes that"
        self._draw_badge()

    def action_follow(self) -> None:
        """See what the instructor shows."""
        if not self._presenting:
            self.notice = "nobody presents just now: you will be told"
        else:
            self._link.send(Follow())

    def action_board(self) -> None:
        """Open the board."""
        if self.board is None:
            self.notice = "the board is the instructor's"
        elif not self.board.is_attached:
            self.app.push_screen(self.board)

    # What the server says

    @singledispatchmethod
    def hear(self, said: ToChild) -> None:
        """Do it; what is for other screens is left to them."""

    @hear.register
    def _(self, said: Kept) -> None:
        self._keeper_of_class.told_trouble = said.trouble
        self.unsaved = bool(said.trouble)
        self._say(f"nothing is kept just now: {said.trouble}" if said.trouble else "all is kept again")

    @hear.register
    def _(self, said: Feed) -> None:
        if self._feed is not None and self._feed.is_attached:
            self._feed.renew(said)
            return
        invited = not self.teaches
        self._feed = FeedScreen(said, invited=invited)
        self.app.push_screen(self._feed, self._left_feed)

    @hear.register
    def _(self, said: FeedEnded) -> None:
        if self._feed is not None and self._feed.is_attached:
            self._feed.end()
        self._say(said.why)

    @hear.register
    def _(self, said: Presenting) -> None:
        self._presenting = said.on
        if said.on and not self.teaches:
            self._link.send(Follow())

    @hear.register
    def _(self, said: Watched) -> None:
        self._watched = said.count
        self._draw_badge()

    @hear.register
    def _(self, said: Told) -> None:
        self._say(f"instructor: {said.text}")

    @hear.register
    def _(self, _: HandDown) -> None:
        self._hand = False
        self.notice = "the instructor has seen your hand, and taken it down"
        self._draw_badge()

    @hear.register
    def _(self, said: Rows) -> None:
        if self.board is not None:
            self.board.learn(said)

    def _left_feed(self, left: bool | None) -> None:
        """The feed was closed: by a key (then the server is told), or because it ended."""
        self._feed = None
        if left:
            self._link.send(Unfollow())
            if self._presenting and not self.teaches:
                self.notice = "this is your own bench, as you left it; F goes back to the class"

    def _say(self, text: str) -> None:
        """Say something on whatever screen is looked at."""
        self.notice = text
        screen = self.app.screen
        if isinstance(screen, FeedScreen | BoardScreen):
            screen.notice = text

    def _draw_badge(self) -> None:
        parts = ["HAND UP"] if self._hand else []
        parts += [] if self._allows else ["not watchable"]
        parts += ["WATCHED"] if self._watched else []
        self.badge = "  ".join(parts)
