"""The dialog with all numbers of a parameter, to scroll through."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep.tensors.element_index import place_of
from gradstep_tui.bindings import like
from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.text.tensors.indices import Layout, index_from
from gradstep_tui.text.tensors.parameter_tensors import parts_of
from gradstep_tui.widgets.elements import Sight, columns_in, element_lines
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.parameter_table import written_last

if TYPE_CHECKING:
    from gradstep.frame import Frame, ParameterFrame


class ElementsScreen(Dialog[None]):
    """A dialog that shows all numbers of each parameter, of its `.grad`, and of the optimizer's state."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("elements"),
        Binding("up", "move(-1, 0)", "up", tooltip="Choose the number above."),
        Binding("down", "move(1, 0)", "down", tooltip="Choose the number below."),
        Binding("left", "move(0, -1)", "left", tooltip="Choose the number to the left."),
        Binding("right", "move(0, 1)", "right", tooltip="Choose the number to the right."),
        Binding("pageup", "page(-1)", "page up", tooltip="Go a page up."),
        Binding("pagedown", "page(1)", "page down", tooltip="Go a page down."),
        Binding("home", "row_end(-1)", "row's start", tooltip="Go to the start of the row."),
        Binding("end", "row_end(1)", "row's end", tooltip="Go to the end of the row."),
        Binding("ctrl+home", "all_end(-1)", "first", tooltip="Go to the first number."),
        Binding("ctrl+end", "all_end(1)", "last", tooltip="Go to the last number."),
        Binding("tab", "turn(1)", "parameter", tooltip="Go to the next parameter."),
        Binding("shift+tab", "turn(-1)", "back", tooltip="Go to the previous parameter."),
        Binding("full_stop", "next_part", "grad", tooltip="Show the value, .grad, or the optimizer's state."),
        Binding("slash", "ask", "go to", tooltip="Go to an index, e.g. 3,17."),
    ]
    DEFAULT_CSS = """
    ElementsScreen { align: center middle; }
    ElementsScreen > Vertical {
        width: 96%; height: 96%; border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, frame: Frame) -> None:
        """Show the parameters of `frame`, first the parameter that was written to last."""
        super().__init__()
        self._numbers = _ElementsPanel(frame)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "numbers"
            box.border_subtitle = "Tab: parameter  .: .grad  /: index  PgDn: page  Esc: close"
            yield self._numbers

    def choose_number(self, rows: int, columns: int) -> None:
        """Choose the number some rows and columns away."""
        self._numbers.move(rows, columns)

    def action_move(self, rows: int, columns: int) -> None:
        """Choose another number."""
        self._numbers.move(rows, columns)

    def action_page(self, pages: int) -> None:
        """Go a page up or down."""
        self._numbers.move(pages * self._numbers.sight.rows, 0)

    def action_row_end(self, side: int) -> None:
        """Go to the start (-1) or the end (1) of the row."""
        self._numbers.move(0, side * self._numbers.layout_now.across)

    def action_all_end(self, side: int) -> None:
        """Go to the first (-1) or the last (1) number."""
        self._numbers.go(0 if side < 0 else self._numbers.layout_now.size - 1)

    def action_turn(self, steps: int) -> None:
        """Go to another parameter."""
        self._numbers.turn(steps)

    def action_next_part(self) -> None:
        """Show the next of the value, `.grad` and the parts of the optimizer's state."""
        self._numbers.next_part()

    def action_ask(self) -> None:
        """Ask for an index."""
        shape = tuple(self._numbers.parameter.value.shape)
        if shape:
            question = f"Index in {self._numbers.parameter.name}, e.g. {','.join('0' * len(shape))}:"
            ask = AskScreen(question, "", partial(index_from, shape=shape))
            self.app.push_screen(ask, self._numbers.go_to)


class _ElementsPanel(Panel):
    """The numbers of one of a parameter's tensors, with a cursor."""

    DEFAULT_CSS = "_ElementsPanel { height: 1fr; }"

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._shown = frame
        self._number = written_last(frame)
        self._part = 0
        self._place = 0
        self.sight = Sight()

    @property
    def parameter(self) -> ParameterFrame:
        return self._shown.parameters[self._number]

    @property
    def layout_now(self) -> Layout:
        return Layout.of(self.parameter.value.shape, columns_in(self.size.width))

    def title_text(self) -> str:
        return f"{self._number + 1} of {len(self._shown.parameters)} parameters"

    def lines(self, width: int, height: int) -> list[Line]:
        self.sight = self.sight.around(self.layout_now, self._place, width, height)
        part = [*parts_of(self.parameter)][self._part]
        return element_lines(self.parameter, part, self.layout_now, self.sight, self._place, width)

    def move(self, rows: int, columns: int) -> None:
        self.go(self.layout_now.moved(self._place, rows, columns))

    def go(self, place: int) -> None:
        self._place = max(place, 0)
        self.redraw()

    def go_to(self, index: tuple[int, ...] | None) -> None:
        if index is not None:
            self.go(place_of(self.parameter.value.shape, index))

    def turn(self, steps: int) -> None:
        part = [*parts_of(self.parameter)][self._part]
        self._number = (self._number + steps) % len(self._shown.parameters)
        parts = [*parts_of(self.parameter)]
        self._part = parts.index(part) if part in parts else 0
        self._place, self.sight = 0, Sight()
        self.redraw()

    def next_part(self) -> None:
        self._part = (self._part + 1) % len(parts_of(self.parameter))
        self.redraw()
