"""The dialog with the timeline: every point of the session, to go to or to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep.actions import GoTo
from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.timeline import timeline_lines

if TYPE_CHECKING:
    from gradstep.history.substeps import Inside
    from gradstep.history.timeline import Stop, Timeline
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptLoop


@dataclass(frozen=True, slots=True)
class Against:
    """The choice to compare the session with a point of its history."""

    point: int


Choice: TypeAlias = GoTo | Against
FindRoom: TypeAlias = Callable[[int, "Callable[[Inside | None], None]"], None]

TIMELINE_HINT: Final = "↑ ↓: choose  Enter: go there  Tab: branch  {twin}: compare  Esc: close"


class TimelineScreen(Dialog[Choice | None]):
    """A list of points; the result is a point to go to, a point to compare with, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", tooltip="Go back to the bench without a change."),
        like("timeline", tooltip="Go back to the bench without a change."),
        Binding("enter", "jump", "jump", tooltip="Go to the chosen point."),
        like("twin", "compare", "Compare the session with the chosen point."),
        Binding("up,k", "walk(-1)", "earlier", tooltip="Choose the previous point."),
        Binding("down,j", "walk(1)", "later", tooltip="Choose the next point."),
        Binding("pageup", "walk(-10)", "earlier", tooltip="Go back ten points."),
        Binding("pagedown", "walk(10)", "later", tooltip="Go forward ten points."),
        Binding("home", "walk(-1000000)", "first", tooltip="Choose the start."),
        Binding("end", "walk(1000000)", "last", tooltip="Choose the last point."),
        Binding("left", "enter_action(-1)", "into", tooltip="Choose an earlier place inside the action."),
        Binding("right", "enter_action(1)", "out", tooltip="Choose a later place inside the action."),
        Binding("tab", "branch(1)", "branch", tooltip="Show the next branch."),
        Binding("shift+tab", "branch(-1)", "branch", tooltip="Show the previous branch."),
    ]
    DEFAULT_CSS = """
    TimelineScreen { align: center middle; }
    TimelineScreen > Vertical {
        width: 100%; max-width: 130; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(
        self,
        line_through: Callable[[int | None], Timeline],
        find_room: FindRoom,
        loop: Loop | ScriptLoop | None = None,
    ) -> None:
        """Show the branch that the session is on.

        Args:
            line_through: Returns the timeline of the branch through a point, or through the session if None.
            find_room: Called with the number of a point, and a function to call with the places inside the
                action that led there, or None if there are none.
            loop: The session's loop, whose statements and rounds the list names; None for no names.
        """
        super().__init__()
        self._points = _TimelinePanel(line_through, find_room, loop)

    def wants(self, number: int) -> bool:
        """Return whether the places inside the action that led to a point are still to be shown."""
        return self.is_attached and self._points.number == number

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "timeline"
            box.border_subtitle = TIMELINE_HINT.format(**SIGNS)
            yield self._points

    def on_key(self, event: events.Key) -> None:
        """Handle a digit: part of the number of an epoch, or of an event, inside the chosen action."""
        if event.character is not None and event.character.isascii() and event.character.isdigit():
            event.stop()
            self._points.type_digit(int(event.character))

    def action_jump(self) -> None:
        """Close with the chosen point as the point to go to."""
        self.dismiss(GoTo(self._points.number, self._points.inside))

    def action_compare(self) -> None:
        """Close with the chosen point as the point to compare with."""
        self.dismiss(Against(self._points.number))

    def action_walk(self, steps: int) -> None:
        """Choose another point of the branch."""
        self._points.walk(steps)

    def action_enter_action(self, steps: int) -> None:
        """Choose another place inside the chosen action."""
        self._points.go_inside(steps)

    def action_branch(self, steps: int) -> None:
        """Show another of the branches that begin at the point before the chosen one."""
        self._points.turn(steps)


class _TimelinePanel(Panel):
    """The list of points, with the chosen point and the place inside its action."""

    DEFAULT_CSS = "_TimelinePanel { height: 1fr; }"

    def __init__(
        self,
        line_through: Callable[[int | None], Timeline],
        find_room: FindRoom,
        loop: Loop | ScriptLoop | None,
    ) -> None:
        super().__init__()
        self._loop = loop
        self._line_through = line_through
        self._find_room = find_room
        self._shown = line_through(None)
        self._at = self._shown.here or 0
        self.inside = self._shown.inside
        self._typed = 0
        """Number typed so far; it may be smaller than the smallest place inside the action."""
        self._room: Inside | None = None
        self._others: dict[int, Sequence[Stop]] = {}
        """Points of other branches, by the number of their first point."""

    def on_mount(self) -> None:
        """Look for the places inside the first chosen action."""
        self._look()

    @property
    def number(self) -> int:
        """Number of the chosen point."""
        return self._shown.stops[self._at].number

    def lines(self, width: int, height: int) -> list[Line]:
        shown, aside = self._shown, self._aside()
        return timeline_lines(shown, self._at, self.inside, self._room, width, height, self._loop, aside)

    def walk(self, steps: int) -> None:
        self._choose(min(max(self._at + steps, 0), len(self._shown.stops) - 1))

    def turn(self, steps: int) -> None:
        fork = self._fork()
        stop = self._shown.stops[fork]
        place = (stop.branches.index(stop.number) + steps) % len(stop.branches)
        self._shown = self._line_through(stop.branches[place])
        self._choose(fork)

    def _fork(self) -> int:
        """Return the index of the point at which Tab shows another branch.

        It is the chosen point if branches part before it, or else the nearest one.
        """
        stops = self._shown.stops
        forks = [place for place, stop in enumerate(stops) if len(stop.branches) > 1]
        return min(forks, key=lambda place: abs(place - self._at), default=self._at)

    def _aside(self) -> Sequence[Stop]:
        """Return the points of the branch that Tab shows, from where it begins; none if there is none."""
        fork = self._fork()
        stop = self._shown.stops[fork]
        if len(stop.branches) < 2:
            return ()
        other = stop.branches[(stop.branches.index(stop.number) + 1) % len(stop.branches)]
        if other not in self._others:
            self._others[other] = self._line_through(other).stops[fork:]
        return self._others[other]

    def go_inside(self, steps: int) -> None:
        if self._room is None:
            return
        places = self._room.places
        self._stand(min(max((self.inside or places.stop) + steps, places[0]), places.stop))

    def type_digit(self, digit: int) -> None:
        if self._room is None:
            return
        last, typed = self._room.places[-1], self._typed * 10 + digit
        typed = typed if typed <= last else min(digit, last)
        self._stand(typed)
        self._typed = typed

    def _choose(self, at: int) -> None:
        self._at, self.inside, self._typed = at, 0, 0
        self._room = None
        self.redraw()
        self._look()

    def _look(self) -> None:
        """Find the places inside the chosen action, which may take a pass of the model."""
        number = self.number

        def found(room: Inside | None) -> None:
            if number == self.number:
                self._room = room
                self.redraw()

        self._find_room(number, found)

    def _stand(self, inside: int) -> None:
        """Choose a place inside the action; `GoTo` counts the action's end as 0."""
        assert self._room is not None
        inside = max(inside, self._room.places[0]) if inside else 0
        self.inside, self._typed = 0 if inside == self._room.places.stop else inside, 0
        self.redraw()
