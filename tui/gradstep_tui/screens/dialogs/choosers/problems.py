"""The dialog to choose another problem."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep_tui.commands.list_and_check import Listed


FULL: Final = 2
"""Number of rows for the idea of the chosen problem."""

BESIDES: Final = FULL + 3
"""Number of rows in addition to the list: the chosen problem's idea, an empty row, and the border."""


class ProblemsScreen(Dialog["Listed | None"]):
    """A list of problems; the result is the chosen one, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", tooltip="Go back to the bench without a change."),
        like("problems", tooltip="Go back to the bench without a change."),
        Binding("enter", "choose", "begin", tooltip="Begin the chosen problem."),
        Binding("up,k", "walk(-1)", "up", tooltip="Choose the problem above."),
        Binding("down,j", "walk(1)", "down", tooltip="Choose the problem below."),
        Binding("home", "walk(-1000)", "first", tooltip="Choose the first problem."),
        Binding("end", "walk(1000)", "last", tooltip="Choose the last problem."),
    ]
    DEFAULT_CSS = """
    ProblemsScreen { align: center middle; }
    ProblemsScreen > Vertical {
        width: 100%; max-width: 110; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, found: Sequence[Listed], current: str) -> None:
        """Show a list of problems.

        Args:
            found: The problems.
            current: Name of the problem that is trained now, which is chosen first.
        """
        super().__init__()
        self._found = found
        self._list = _ProblemList(found, current)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.styles.height = len(self._found) + BESIDES
            box.border_title = "begin another problem"
            box.border_subtitle = "arrows: choose   Enter: begin   Esc: cancel"
            yield self._list

    def action_choose(self) -> None:
        """Close with the chosen problem."""
        self.dismiss(self._found[self._list.at])

    def action_walk(self, steps: int) -> None:
        """Choose another problem."""
        self._list.walk(steps)


class _ProblemList(Panel):
    """The list of names and ideas, with the chosen problem's idea in full below."""

    DEFAULT_CSS = "_ProblemList { height: 1fr; }"

    def __init__(self, found: Sequence[Listed], current: str) -> None:
        super().__init__()
        self._found = found
        names = [problem.name for problem in found]
        self._current = current
        self.at = names.index(current) if current in names else 0

    def walk(self, steps: int) -> None:
        self.at = min(max(self.at + steps, 0), len(self._found) - 1)
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        return problem_lines(self._found, self.at, self._current, width, height)


def problem_lines(found: Sequence[Listed], at: int, current: str, width: int, height: int) -> list[Line]:
    """Return the lines of the list around the chosen problem.

    Args:
        found: The problems.
        at: Index of the chosen problem, which is marked by `>`.
        current: Name of the problem that is trained now, which is marked by `*`.
        width: Width of a line, in cells.
        height: Number of lines that fit.
    """
    chosen = found[at]
    full = wrap(f"{chosen.name}: {chosen.idea}", width)[:FULL]
    room = max(height - 1 - FULL, 1)
    top = min(max(at - room // 2, 0), max(len(found) - room, 0))
    wide = max(len(problem.name) for problem in found)
    rows = [
        line(
            Span(
                f"{'>' if problem is chosen else ' '}{'*' if problem.name == current else ' '} "
                f"{problem.name:<{wide}}  ",
                "key" if problem is chosen else "",
            ),
            Span(_cut(problem.idea, width - wide - 5)),
        )
        for problem in found[top : top + room]
    ]
    return [*rows, line(""), *(line(Span(text, "dim")) for text in full)]


def _cut(text: str, room: int) -> str:
    """Return a text that fits: the whole one, what stands before its colon, or its beginning."""
    if len(text) <= room:
        return text
    before = text.partition(":")[0]
    return before if len(before) <= room else f"{text[: max(room - 1, 0)]}…"
