"""The dialog to choose an optimizer: from a list that says what each does, or by typing it."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from gradstep.loop.optimizer_table import EXAMPLE
from gradstep.loop.optimizers import NAMES, OPTIONS, Optimizer, optimizer_from
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.field import Field
from gradstep_tui.text import settings
from gradstep_tui.widgets.panel import Panel

MOST_OPTIONS: Final = max(map(len, OPTIONS.values()))
"""Largest number of options of an optimizer, each of which has a row."""


class OptimizersScreen(AskScreen[Optimizer]):
    """A list of optimizers with a field; the result is the typed one, else the chosen one, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", "up", tooltip="Choose the optimizer above."),
        Binding("down", "walk(1)", "down", tooltip="Choose the optimizer below."),
    ]
    DEFAULT_CSS = """
    OptimizersScreen { align: center middle; }
    OptimizersScreen > Vertical { width: 100%; max-width: 80; max-height: 100%; }
    """

    def __init__(self, now: Optimizer) -> None:
        """Show the optimizers.

        Args:
            now: The present optimizer, which is chosen first.
        """
        super().__init__("", now.text, optimizer_from)
        self._now = now
        self._list = _OptimizerList(now)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "optimizer"
            yield self._list
            yield Label(f"Enter takes the chosen one. Or type one with its options, e.g. {EXAMPLE}")
            yield Field(placeholder=self._default, select_on_focus=False, compact=True)
            yield Label("", id="wrong", markup=False)
            yield Label("↑ ↓: choose   Enter: OK   Esc: cancel", classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Choose the optimizer whose name is typed, so that its options are shown."""
        typed = event.value.partition("(")[0].strip().casefold()
        found = [place for place, name in enumerate(NAMES) if name.casefold() == typed]
        if found:
            self._choose(found[0])

    def action_walk(self, steps: int) -> None:
        """Choose another optimizer, in place of what is typed."""
        self.field.value = ""
        self._choose(min(max(self._list.at + steps, 0), len(NAMES) - 1))

    def _choose(self, place: int) -> None:
        self._list.choose(place)
        name = NAMES[place]
        self._default = self._now.text if name == self._now.name else name
        self.field.placeholder = self._default


class _OptimizerList(Panel):
    """The optimizers, with the options of the chosen one and PyTorch's defaults below."""

    def __init__(self, now: Optimizer) -> None:
        super().__init__()
        self._now = now
        self.at = NAMES.index(now.name)
        self.styles.height = len(NAMES) + MOST_OPTIONS + 2

    def choose(self, place: int) -> None:
        self.at = place
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        return optimizer_lines(self.at, self._now)


def optimizer_lines(at: int, now: Optimizer) -> list[Line]:
    """Return the lines of the list, and the options of the chosen optimizer.

    Args:
        at: Index in `NAMES` of the chosen optimizer, which is marked by `>`.
        now: The present optimizer, which is marked by `*`.
    """
    wide = max(map(len, NAMES))
    rows = [
        line(
            Span(
                f"{'>' if place == at else ' '}{'*' if name == now.name else ' '} {name:<{wide}}  ",
                "key" if place == at else "",
            ),
            settings.OPTIMIZERS[name],
        )
        for place, name in enumerate(NAMES)
    ]
    options = now.values if NAMES[at] == now.name else OPTIONS[NAMES[at]]
    if not options:
        return [*rows, line(""), line(Span("It has no options.", "dim"))]
    texts = {name: f"{name}={value}" for name, value in options.items()}
    room = max(map(len, texts.values()))
    told = [
        line(Span(f"   {text:<{room}}  ", "label"), Span(settings.OPTIONS[name], "dim"))
        for name, text in texts.items()
    ]
    return [*rows, line(""), line(Span("Its options, as they are by default or now:", "label")), *told]
