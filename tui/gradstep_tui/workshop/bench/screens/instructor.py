"""An instructor's bench: the board lies over it at first, and the class may follow what happens on it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from gradstep_tui.keys import KEYS, Key
from gradstep_tui.workshop.bench.screens.bench import ClassBench
from gradstep_tui.workshop.bench.screens.board import BoardScreen
from gradstep_tui.workshop.bench.screens.feed import FeedScreen, WatchScreen
from gradstep_tui.workshop.bench.screens.resume import ResumeScreen
from gradstep_tui.workshop.bench.session.keys import FOR_INSTRUCTORS, binding
from gradstep_tui.workshop.wire.messages import Feed, Noted, Present, Presenting, Rows, ToChild

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.autosave import ClassKeeper
    from gradstep_tui.workshop.bench.session.server_link import Link
    from gradstep_tui.workshop.wire.messages import Welcome


class InstructorBench(ClassBench):
    """An instructor's."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in FOR_INSTRUCTORS]
    keys: ClassVar[Sequence[Key]] = (*FOR_INSTRUCTORS, *KEYS)

    def __init__(self, keeper: ClassKeeper, link: Link, welcome: Welcome) -> None:
        """Go on where `welcome` says."""
        super().__init__(keeper, link, welcome)
        self.board = BoardScreen(link, watch=self.want_feed, present=self.press_present)

    def on_mount(self) -> None:
        """Begin with the board; at the first login, with the resume code over it."""
        self.call_after_refresh(self._open)

    @property
    def presents(self) -> bool:
        """Whether the class is shown this bench."""
        return self.presenter == self.welcome.name

    # Keys

    def press_board(self) -> None:
        """Open the board."""
        if self.board not in self.app.screen_stack:
            self.app.push_screen(self.board)

    def press_present(self) -> None:
        """Show the class this bench, or stop."""
        self.link.send(Present(not self.presents))

    # What the server says

    @singledispatchmethod
    def hear(self, said: ToChild) -> None:
        """Do it; most is the same for a learner."""
        super().hear(said)

    @hear.register
    def _(self, said: Rows) -> None:
        self.board.learn(said.rows)
        self.draw_badge()

    @hear.register
    def _(self, said: Presenting) -> None:
        presented = self.presents
        super().hear(said)
        if self.presents:
            self.say("you present: the class sees what you do on your own bench, until F stops it")
        elif presented:
            self.say(
                f"{said.by} presents now" if said.by else "you present no more: all are on their own benches"
            )
        self.board.present(said.by, own=self.presents)

    # What is looked at

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Watch."""
        return WatchScreen(feed, self.leave_feed)

    def say(self, text: str) -> None:
        """Say something on whatever is looked at."""
        super().say(text)
        self.board.notice = text

    def draw_badge(self) -> None:
        """Show how many follow."""
        super().draw_badge()
        if self.presents:
            self.badge = f"PRESENTING, {self.board.following} follow  {self.badge}".strip()

    def _open(self) -> None:
        self.app.install_screen(self.board, "board")  # so it stays when it is left
        self.board.present(self.presenter, own=self.presents)
        self.app.push_screen(self.board)
        if self.welcome.resume_code:
            self.app.push_screen(ResumeScreen(self.welcome), lambda _: self.link.send(Noted()))
