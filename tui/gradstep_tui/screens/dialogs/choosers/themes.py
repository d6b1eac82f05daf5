"""The dialog to choose a colour theme, which is shown while one chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.choices.themes import colour_remark, theme_order, theme_words
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.theme import Theme

SAMPLE: Final[Sequence[Line]] = (
    line(Span(" sample", "title"), Span("   w.grad", "label"), "  -1.8666", Span("  0.3354*", "mark")),
    line(
        Span(" for", "keyword"),
        " epoch ",
        Span("in", "keyword"),
        " range(",
        Span("100", "number"),
        "):",
        Span("  # a comment", "comment"),
    ),
    line(" ", "  3 Mul   ", Span("diff * diff", "lit"), Span("   Enter", "key"), Span(" dim", "dim")),
    line(Span(" warning: it rose", "caution"), Span("   error: inf", "warn")),
)
"""Text in the roles of the bench, in the colours of the chosen theme."""

BESIDES: Final = len(SAMPLE) + 3
"""Number of rows in addition to the list: the sample, an empty row, and the border."""

MOST_REMARK: Final = 3
"""Largest number of rows for what keeps a theme from being shown."""


class ThemesScreen(Dialog["str | None"]):
    """A list of themes, each shown while it is chosen; the result is the chosen one, or None.

    The bench beside the list is not dim: its colours are what is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "cancel", tooltip="Go back to the theme before."),
        like("theme", "leave", "Go back to the theme before."),
        Binding("enter", "keep", "keep", tooltip="Keep the chosen theme, also for the next starts."),
        Binding("up,k", "walk(-1)", "up", tooltip="Choose the theme above."),
        Binding("down,j", "walk(1)", "down", tooltip="Choose the theme below."),
        Binding("pageup", "walk(-10)", "up", tooltip="Choose ten above."),
        Binding("pagedown", "walk(10)", "down", tooltip="Choose ten below."),
        Binding("home", "walk(-1000)", "first", tooltip="Choose the first theme."),
        Binding("end", "walk(1000)", "last", tooltip="Choose the last theme."),
    ]
    DEFAULT_CSS = """
    ThemesScreen { align: right middle; background: transparent; }
    ThemesScreen > Vertical {
        width: 58; max-width: 100%; max-height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, themes: Mapping[str, Theme], current: str) -> None:
        """Show a list of themes.

        Args:
            themes: The themes, by name.
            current: Name of the theme in use, which is chosen first.
        """
        super().__init__()
        self._before = current
        self._names = theme_order(themes)
        self._list = _ThemeList([(name, theme_words(themes[name])) for name in self._names], current)

    def render(self) -> RenderableType:
        """Return what is behind the dialog, in its own colours."""
        return ModalScreen.render(self)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        app = self.app
        self._list.remark = colour_remark(no_color=app.no_color, system=app.console.color_system)
        with Vertical() as box:
            box.styles.height = len(self._names) + BESIDES + MOST_REMARK * bool(self._list.remark)
            box.border_title = "colour theme"
            box.border_subtitle = "↑ ↓: try   Enter: keep   Esc: cancel"
            yield self._list

    def action_walk(self, steps: int) -> None:
        """Choose another theme, and show it."""
        self._list.walk(steps)
        self.app.theme = self._names[self._list.at]

    def action_keep(self) -> None:
        """Close with the chosen theme."""
        self.dismiss(self._names[self._list.at])

    def action_leave(self) -> None:
        """Close with the theme as it was before."""
        self.app.theme = self._before
        self.dismiss(None)


class _ThemeList(Panel):
    """The list of themes, with a sample in the colours of the chosen one below."""

    DEFAULT_CSS = "_ThemeList { height: 1fr; }"

    def __init__(self, themes: Sequence[tuple[str, str]], current: str) -> None:
        super().__init__()
        self._themes, self._current = themes, current
        names = [name for name, _ in themes]
        self.at = names.index(current) if current in names else 0
        self.remark = ""

    def walk(self, steps: int) -> None:
        self.at = min(max(self.at + steps, 0), len(self._themes) - 1)
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        below = [line(""), *SAMPLE, *(wrapped(self.remark, width, "dim") if self.remark else ())]
        return [*theme_lines(self._themes, self.at, self._current, height - len(below)), *below]


def theme_lines(themes: Sequence[tuple[str, str]], at: int, current: str, height: int) -> list[Line]:
    """Return the lines of the list around the chosen theme.

    Args:
        themes: Name of each theme, and what it looks like.
        at: Index of the chosen theme, which is marked by `>`.
        current: Name of the theme that was in use before, which is marked by `*`.
        height: Number of lines that fit.
    """
    room = max(height, 1)
    top = min(max(at - room // 2, 0), max(len(themes) - room, 0))
    wide = max(len(name) for name, _ in themes)
    return [
        line(
            Span(
                f"{'>' if place == at else ' '}{'*' if name == current else ' '} {name:<{wide}}  ",
                "key" if place == at else "",
            ),
            words,
        )
        for place, (name, words) in enumerate(themes[top : top + room], top)
    ]
