"""An instructor's bench: the board lies over it at first, and it can be presented to the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.base.keyed_screen import KeyHandler
from gradstep_tui.text.remarks import Remark, hint, success
from gradstep_tui.workshop.bench.screens.bench import WorkshopBench
from gradstep_tui.workshop.bench.screens.board import BoardScreen
from gradstep_tui.workshop.bench.screens.feed import FeedScreen, WatchScreen
from gradstep_tui.workshop.bench.screens.resume import ResumeScreen
from gradstep_tui.workshop.bench.session.keys import BOARD, FOR_INSTRUCTORS, PRESENT, binding
from gradstep_tui.workshop.wire.messages import (
    Feed,
    Present,
    Presenting,
    Rows,
    RowsGone,
    ToBench,
)

if TYPE_CHECKING:
    from gradstep_tui.workshop.bench.session.autosave import ServerAutosave
    from gradstep_tui.workshop.bench.session.server_link import ServerLink
    from gradstep_tui.workshop.wire.messages import Welcome


class InstructorBench(WorkshopBench):
    """The own bench of an instructor."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(key) for key in FOR_INSTRUCTORS]
    keys: ClassVar[Sequence[Key]] = (*FOR_INSTRUCTORS, *KEYS)

    def __init__(self, autosave: ServerAutosave, link: ServerLink, welcome: Welcome) -> None:
        """Continue the session that `welcome` describes."""
        super().__init__(autosave, link, welcome)
        self.board = BoardScreen(
            link, watch=self.want_feed, present=self.press_present, host_key=welcome.host_key
        )

    def on_mount(self) -> None:
        """Open the board, and at the first login the resume code over it."""
        self.call_after_refresh(self._open)

    @property
    def presents(self) -> bool:
        """Whether this bench is presented to the class."""
        return self.presenter == self.welcome.name

    # Keys

    def press_board(self) -> None:
        """Open the board."""
        if self.board not in self.app.screen_stack:
            self.app.push_screen(self.board)

    def press_present(self) -> None:
        """Present this bench to the class, or stop presenting it."""
        self.link.send(Present(not self.presents))

    handlers: ClassVar[Mapping[str, KeyHandler]] = {
        **WorkshopBench.handlers,
        BOARD.id: press_board,
        PRESENT.id: press_present,
    }

    # The server's messages

    @singledispatchmethod
    def hear(self, message: ToBench) -> None:
        """Handle a message of the server; most are handled as on a learner's bench."""
        super().hear(message)

    @hear.register
    def _(self, message: Rows) -> None:
        self.board.learn(message.rows)
        self.draw_badge()

    @hear.register
    def _(self, message: RowsGone) -> None:
        self.board.forget(message.names)
        self.draw_badge()

    @hear.register
    def _(self, message: Presenting) -> None:
        presented = self.presents
        super().hear(message)
        if self.presents:
            self.say(
                hint("you are presenting: the class sees what you do on your own bench, until F6 stops it")
            )
        elif presented and message.by:
            self.say(hint(f"{message.by} is presenting now"))
        elif presented:
            self.say(success("you have stopped presenting: everybody is back on their own bench"))
        self.board.present(message.by, own=self.presents)

    # The feed

    def make_feed(self, feed: Feed) -> FeedScreen:
        """Return a screen that watches a learner's session."""
        return WatchScreen(feed, self.leave_feed)

    def say(self, remark: Remark) -> None:
        """Show a notice on the own bench, on the feed and on the board."""
        super().say(remark)
        self.board.notice = remark

    def draw_badge(self) -> None:
        """Show in the badge how many learners follow, and whether somebody watches."""
        super().draw_badge()
        if self.presents:
            self.badge = f"PRESENTING, {self.board.following} follow  {self.badge}".strip()

    def _open(self) -> None:
        self.app.install_screen(self.board, "board")  # an installed screen stays when it is left
        self.board.present(self.presenter, own=self.presents)
        self.app.push_screen(self.board)
        if self.welcome.resume_code:
            self.app.push_screen(ResumeScreen(self.welcome), self.note_code)
