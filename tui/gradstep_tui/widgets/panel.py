"""A widget that draws lines and repaints only those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip
from textual.widget import Widget

from gradstep_tui.drawing.ascii import AsciiFilter
from gradstep_tui.drawing.heat import TEXT, TINTS, VIRIDIS, VIRIDIS_256
from gradstep_tui.drawing.lines import OVER, ROLES, Line, Span, fitted, joined, length, line

if TYPE_CHECKING:
    from textual import events

    from gradstep.frame import Frame


DRAWN_AGAIN: Final = 8
"""Largest number of unchanged cells that are drawn again; moving the cursor past them takes as many bytes."""

NO_BACKGROUND: Final = {*ROLES} - {"current", "lit"}
"""Roles in which a space looks like any other."""

PALETTES: Final[Mapping[str, Sequence[str]]] = {"256": VIRIDIS_256, "truecolor": VIRIDIS}
"""Colours for numbers by Rich's names of the kinds of colours."""


class Panel(Widget):
    """A widget that draws the lines returned by `lines`, below a rule with the title if it has one.

    Textual repaints a whole widget. On a slow connection, a learner would wait for that. So a panel compares
    its lines with those on screen and repaints only the changed stretches of lines.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"panel--{role}" for role in ROLES}
    DEFAULT_CSS = """
    Panel {
        & > .panel--title { color: $text-primary; text-style: bold; }
        & > .panel--label { color: $text-secondary; }
        & > .panel--dim { color: $text; text-style: dim; }
        & > .panel--mark { color: $text-success; text-style: bold; }
        & > .panel--current { text-style: reverse; }
        & > .panel--warn { color: $text-error; text-style: bold; }
        & > .panel--caution { color: $text-warning; text-style: bold; }
        & > .panel--key { text-style: bold; }
        & > .panel--lit { text-style: bold reverse; }
        & > .panel--keyword { color: $text-primary; }
        & > .panel--string { color: $text-success; }
        & > .panel--number { color: $text-warning; }
        & > .panel--comment { color: $text; text-style: dim; }
    }
    """
    title: ClassVar[str] = ""
    opens: ClassVar[str] = ""
    """Id of the bench's key that a click does; empty for none."""

    frame: var[Frame | None] = var(None)

    in_focus: var[bool] = var(False)
    """Whether the arrows act in this pane, which its title's rule shows."""

    def __init__(self) -> None:
        """Make an empty panel; the first frame or resize fills it."""
        super().__init__()
        self._lines: tuple[Line, ...] = ()
        self._styles: dict[str, Style] = {}
        """Cached style of each role; Textual computes a style from all ancestors at every request."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the lines to draw below the title.

        Args:
            width: Width of a line, in cells.
            height: Number of lines that fit.
        """
        raise NotImplementedError

    def title_text(self) -> str:
        """Return the text in the title's rule; empty for no rule."""
        return self.title

    @property
    def title_end(self) -> str:
        """Text at the right end of the title's rule; empty for none."""
        return ""

    @property
    def title_drawn(self) -> bool:
        """Whether the pane is shown with a title."""
        return self.display and bool(self.title_text())

    def walk(self, steps: int) -> None:
        """Go some rows or numbers down, in a pane in which the arrows can choose or scroll."""

    def show_start(self) -> None:
        """Go back to the first row: another session begins."""

    def watch_in_focus(self) -> None:
        """Draw the title's rule anew."""
        self.redraw()

    def way_to(self, x: int, y: int) -> tuple[int, int] | None:
        """Return how far a place is from the chosen row or number: cells to the right, and lines down.

        None if nothing is chosen, or if the line at the place belongs to another block than the chosen one.
        """
        rows = [number for number, row in enumerate(self._lines) if _is_row(row)]
        chosen = next((number for number in rows if _chosen_column(self._lines[number]) is not None), None)
        if chosen is None or not {*range(min(y, chosen), max(y, chosen) + 1)} <= {*rows}:
            return None
        return x - (_chosen_column(self._lines[chosen]) or 0), y - chosen

    def watch_frame(self) -> None:
        """Draw the new frame."""
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self.redraw()

    def redraw(self) -> None:
        """Compute all lines and repaint those that changed."""
        width, height = self.size
        if not width or not height:
            return
        new = self._fill(width, height)
        old, self._lines = self._lines, new
        changed = [
            Region(start, y, cells, 1)
            for y, (before, after) in enumerate(zip_longest(old, new))
            if before != after
            for start, cells in _differences(before or (), after or (), width)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """Return one line as Textual draws it."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self._style(""))
        return Strip([Segment(text, self._style(role)) for text, role in self._lines[y]], width)

    def notify_style_update(self) -> None:
        """Discard the cached styles, because the theme or the layout has changed."""
        super().notify_style_update()
        self._styles.clear()

    @property
    def palette(self) -> Sequence[str]:
        """Colours for numbers, from low to high; none if the terminal has fewer than 256, or only ASCII."""
        plain = any(isinstance(chosen, AsciiFilter) for chosen in self.app.get_line_filters())
        system = "" if plain or self.app.no_color else self.app.console.color_system
        return PALETTES.get(system or "", ())

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            style = self._styles[role] = self._new_style(role)
        return style

    def _new_style(self, role: str) -> Style:
        text, over, background = role.partition(OVER)
        if over:
            if not background.startswith("#"):
                return self._style(text) + self._heat(int(background))
            style = Style(color=text) if text.startswith("#") else self._style(text)
            return style + Style(bgcolor=background)
        return self.get_component_rich_style(f"panel--{role}") if role else self.rich_style

    def _heat(self, heat: int) -> Style:
        """Return the colours of a number on a heat; none if the terminal has too few."""
        if not self.palette:
            return Style.null()
        dark = self.app.current_theme.dark
        return Style(color=TEXT[dark], bgcolor=TINTS[dark][heat])

    def _fill(self, width: int, height: int) -> tuple[Line, ...]:
        title = self.title_text()
        head = [title_rule(title, width, self.title_end, in_focus=self.in_focus)] if title else []
        body = self.lines(width, height - len(head))[: height - len(head)]
        empty: Line = ()
        rows = [*head, *body, *([empty] * (height - len(head) - len(body)))]
        return tuple(joined(fitted(row, width)) for row in rows)


def title_rule(title: str, width: int, end: str = "", *, in_focus: bool = False) -> Line:
    """Return a rule with a title, heavy in focus; its last cell is free, as a gap between columns.

    Args:
        title: Text at the left.
        width: Width of the rule, in cells.
        end: Text at the right, if there is room for it.
        in_focus: Whether the arrows act in the pane below.
    """
    sign, role = ("━", "title") if in_focus else ("─", "dim")
    rest = max(width - len(title) - 4, 0)
    tail = f" {end} {sign}" if end and rest > len(end) + 5 else ""
    return line(
        Span(f"{sign} ", role), Span(title, "title"), Span(f" {sign * (rest - len(tail))}{tail}", role)
    )


def _is_row(row: Line) -> bool:
    """Return whether a line may be one of a list: neither empty nor a head."""
    return any(span.text.strip() for span in row) and row[0].role != "title" and not _is_head(row)


def _is_head(row: Line) -> bool:
    return all(span.role == "label" for span in row if span.text.strip())


def _chosen_column(row: Line) -> int | None:
    """Return the first column of what is chosen in a line; None if nothing is."""
    if row[0].text.startswith(">"):
        return 0
    place = next((place for place, span in enumerate(row) if span.role == "current"), None)
    return None if place is None else length(row[:place])


def _differences(before: Line, after: Line, width: int) -> list[tuple[int, int]]:
    """Return first column and width of each stretch of cells that differs; close stretches are one."""
    old, new = _cells(before), _cells(after)
    if not len(old) == len(new) == width:  # a new size, or characters of two cells
        return [(0, width)]
    stretches: list[tuple[int, int]] = []
    for column in [column for column in range(width) if old[column] != new[column]]:
        start, length_ = stretches[-1] if stretches else (column, 0)
        if column - start - length_ > DRAWN_AGAIN:
            stretches.append((column, 1))
        else:
            stretches[-1:] = [(start, column - start + 1)]
    return stretches


def _cells(row: Line) -> list[tuple[str, str]]:
    """Return character and role of each cell; nothing if a character takes more or less than one."""
    if any(not text.isascii() and any(cell_len(character) != 1 for character in text) for text, _ in row):
        return []
    return [
        (character, "" if character == " " and role in NO_BACKGROUND else role)
        for text, role in row
        for character in text
    ]
