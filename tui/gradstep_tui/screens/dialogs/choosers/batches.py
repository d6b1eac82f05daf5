"""The dialog to choose how the samples are split: from a list that says what each way does, or by typing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from gradstep.errors import BadInput
from gradstep.loop.batches import FULL, Batches, Split, batches_from, split_of
from gradstep_tui.drawing.lines import Line
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.field import Field
from gradstep_tui.text.choices.ways import JUST_COMPARED, WAYS, place_of
from gradstep_tui.widgets.batch_check import batches_lines
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck

BELOW: Final = 8
"""Rows of the list besides the ways: the sizes, the head, two empty rows, and four for the chosen way."""

LARGEST: Final = 9
"""Digits of a size, at most."""

BY_SHARE: Final = next(place for place, way in enumerate(WAYS) if not way.batches.full)


class BatchesScreen(AskScreen[Batches]):
    """A list of ways with a field; the result is the typed one, else the chosen one, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", "up", tooltip="Choose the way above."),
        Binding("down", "walk(1)", "down", tooltip="Choose the way below."),
        Binding("minus", "resize(-1)", "smaller", tooltip="Make the parts smaller."),
        Binding("plus", "resize(1)", "larger", tooltip="Make the parts larger."),
    ]
    DEFAULT_CSS = """
    BatchesScreen { align: center middle; }
    BatchesScreen > Vertical { width: 100%; max-width: 84; max-height: 100%; }
    """

    def __init__(self, now: Batches, size: int, samples: int, compute: Callable[[int], None]) -> None:
        """Show the ways, and compare them for a size.

        Args:
            now: Way that the session splits the samples, which is chosen first.
            size: First number of samples in a part.
            samples: Number of samples.
            compute: Runs a check in a thread, given a size, and calls `show` with the result.
        """
        super().__init__("", now.text, self._read_way)
        self.wanted = size
        """Number of samples in a part that the learner asked for."""

        self._now, self._samples = now, samples
        self._compute = compute
        self._list = _WayList(now, Split(Batches("micro", size), samples))

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical() as box:
            box.border_title = "batches"
            yield self._list
            yield Label("Enter takes the chosen way. Or type a size, or e.g. mini(2, shuffle=True)")
            yield _SizeField(placeholder=self._default, select_on_focus=False, compact=True)
            yield Label("", id="wrong", markup=False)
            yield Label("↑ ↓: choose   - +: size of the parts   Enter: OK   Esc: cancel", classes="hint")

    def on_mount(self) -> None:
        """Start the first check."""
        self._compute(self.wanted)

    def show(self, found: BatchCheck) -> None:
        """Show the result of a check."""
        self._list.show(found)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the way or the size that is typed, as far as it can be understood."""
        with suppress(BadInput):
            batches = self._read_way(event.value) if event.value.strip() else FULL
            if not batches.full:
                self._choose(place_of(batches))
                self._resize(batches.size)

    def action_walk(self, steps: int) -> None:
        """Choose another way, in place of what is typed."""
        self.field.value = ""
        self._choose(min(max(self._list.at + steps, 0), len(WAYS) - 1))

    def action_resize(self, steps: int) -> None:
        """Make the parts larger or smaller, in place of what is typed."""
        self.field.value = ""
        self._resize(min(max(self.wanted + steps, 1), self._samples))

    def _choose(self, place: int) -> None:
        self._list.choose(place)
        self._default = WAYS[place].of(self.wanted, self._now).text
        self.field.placeholder = self._default

    def _resize(self, size: int) -> None:
        if size == self.wanted:
            return
        try:
            split = split_of(Batches("micro", size), self._samples)
        except BadInput:  # too many parts to compare
            return
        if split is not None:
            self.wanted = size
            self._list.resize(split)
            self._choose(self._list.at)
            self._compute(size)

    def _read_way(self, text: str) -> Batches:
        """Return the way of a text, or of a size for the chosen way.

        Raises:
            BadInput: the text is neither, or the samples cannot be split so.
        """
        plain, way = text.strip(), WAYS[self._list.at]
        if plain.isascii() and plain.isdigit() and len(plain) <= LARGEST:
            way = WAYS[BY_SHARE] if way.batches.full else way
            batches = way.of(int(plain), self._now)
        else:
            batches = batches_from(plain)
        if way.zeroed_inside and batches == way.of(batches.size):
            raise BadInput(JUST_COMPARED)
        split_of(batches, self._samples)
        return batches


class _SizeField(Field):
    """A field that leaves the keys for the size to the dialog."""

    leaves: ClassVar[frozenset[str]] = frozenset({"minus", "plus"})


class _WayList(Panel):
    """The ways, with the reason for the gradient of the chosen one below."""

    def __init__(self, now: Batches, split: Split) -> None:
        super().__init__()
        self._now, self._split = now, split
        self._found: BatchCheck | None = None
        self.at = place_of(now)
        self.styles.height = len(WAYS) + BELOW

    def choose(self, place: int) -> None:
        self.at = place
        self.redraw()

    def resize(self, split: Split) -> None:
        self._split, self._found = split, None
        self.redraw()

    def show(self, found: BatchCheck) -> None:
        self._found = found
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        return batches_lines(self._split, self.at, self._now, self._found, width)
