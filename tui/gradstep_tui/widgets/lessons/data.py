"""The samples as a table: inputs, target, prediction and error of each, a row for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep.statement_steps.statement_facts import LossForm
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.statements import counted
from gradstep_tui.widgets.lessons.number_tables import Block, Fitted, fitted, rows_of
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame
    from gradstep.statement_steps.statement_facts import Samples

ERRORS: Final = {
    LossForm.CLASSES: "p of the truth",
    LossForm.SIGMOID: "p of the truth",
    LossForm.PROBABILITIES: "p of the truth",
}
"""Head of the last columns, in place of the error, for a loss of probabilities."""


class DataPanel(Panel):
    """The samples of the last forward pass, as many rows as fit."""

    title = "data"

    first: var[int] = var(0)
    """First row of the table that is shown, counted from 0."""

    def watch_first(self) -> None:
        """Draw the rows from there on."""
        self.redraw()

    def show_start(self) -> None:
        """Show the first sample."""
        self.first = 0

    def walk(self, steps: int) -> None:
        """Show the rows some lines further down."""
        samples = None if self.frame is None else samples_of(self.frame)
        last = 0 if samples is None else max(count_of(samples) - 1, 0)
        self.first = min(max(self.first + steps, 0), last)

    def title_text(self) -> str:
        """Return the title: how many samples there are, and how old the predictions are."""
        return self.title if self.frame is None else data_title(self.frame)

    def __init__(self) -> None:
        """Make an empty panel."""
        super().__init__()
        self._shown: tuple[object, ...] = ()
        """What the table was made of last: the samples' tensors, then size and first row."""

        self._table: list[Line] = []

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the first rows of the table; most keys change no sample, so the last table is kept."""
        if self.frame is None:
            return []
        samples = samples_of(self.frame)
        shown = (*_identities(samples), self.first, width, height)
        if samples is None or shown != self._shown:
            self._shown = shown
            self._table = data_lines(self.frame, self.first, width - 1, height)
        return self._table


def samples_of(frame: Frame) -> Samples | None:
    """Return the samples of a frame; None if they are not known."""
    return None if frame.lesson is None else frame.lesson.samples


def count_of(samples: Samples) -> int:
    """Return the number of rows of the table."""
    return max(len(tensor) if tensor.dim() else 1 for tensor in _tensors(samples))


def _identities(samples: Samples | None) -> tuple[_Same, ...]:
    if samples is None:
        return ()
    return tuple(_Same(one) for one in (samples.inputs, samples.targets, samples.preds, samples.numbers))


class _Same:
    """A tensor that equals only itself: `==` of tensors returns a tensor."""

    def __init__(self, tensor: Tensor | None) -> None:
        self._tensor = tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._tensor is other._tensor

    def __hash__(self) -> int:
        return id(self._tensor)


def data_title(frame: Frame) -> str:
    """Return the title: how many samples there are, and how old the predictions are."""
    samples = samples_of(frame)
    if samples is None:
        return "data"
    count = count_of(samples)
    part = " of this part" if samples.numbers is not None else ""
    old = ", predicted before the update" if samples.stale else ""
    return f"data: {count:,} sample{'s' * (count != 1)}{part}{old}"


def data_lines(frame: Frame, first: int, width: int, height: int, *, is_whole: bool = False) -> list[Line]:
    """Return the table from a row on, as many rows and columns as fit.

    Args:
        frame: The frame.
        first: First row, counted from 0.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        is_whole: Whether the table can be scrolled, so that it does not say where the other rows are.
    """
    samples = samples_of(frame)
    if samples is None:
        return wrapped(_unknown_text(frame), width, "dim")
    below = [] if samples.preds is not None else wrapped(_no_predictions_text(), width, "dim")
    room = height - len(below)

    made = _fitted(samples, first, width, room)
    lines = made.lines if is_whole else _with_rest(made, count_of(samples) - first, room)
    return [*lines, *below][:height]


def _fitted(samples: Samples, first: int, width: int, height: int) -> Fitted:
    """Return the table with names if they fit, and without inputs if they do not fit with the rest."""
    made: Fitted | None = None
    choices = (samples,) if samples.preds is None else (samples, replace(samples, inputs=None))
    for chosen in choices:
        for named in (True, False) if samples.input_names or samples.target_names else (False,):
            blocks = _blocks(chosen, first, max(height - 1 - named, 1))
            made = fitted(blocks, [" "] * (len(blocks) - 1), width, named=named)
            if made.named is named and not made.is_cut:
                return made
    assert made is not None
    return made


def _with_rest(made: Fitted, rows: int, height: int) -> list[Line]:
    """Return a table; if not all rows fit, its last line says how many do not, and which key shows them."""
    heads = 1 + made.named
    if rows + heads <= height or height <= heads + 1:
        return made.lines
    hidden = rows - (height - 1 - heads)
    return [*made.lines[: height - 1], line(Span(f"{counted(hidden, 'more row')}: {SIGNS['data']}", "dim"))]


def _tensors(samples: Samples) -> list[Tensor]:
    known = (samples.inputs, samples.targets, samples.preds)
    return [tensor for tensor in known if tensor is not None]


def _blocks(samples: Samples, first: int, rows: int) -> list[Block]:
    """Return the parts of the table, from a row on."""
    stop = min(first + rows, count_of(samples))
    numbers = range(first, stop) if samples.numbers is None else samples.numbers[first:stop].tolist()
    blocks = [Block("#", [[str(number + 1)] for number in numbers], role="dim")]

    def part(head: str, tensor: Tensor | None, names: Sequence[str], role: str = "") -> None:
        if tensor is not None:
            blocks.append(Block(head, rows_of(tensor, first, rows), names, role))

    found, outputs = samples.loss, samples.target_names
    classes = found is not None and found.form is LossForm.CLASSES
    if samples.inputs is not None and samples.inputs.dim() <= 2:
        part(samples.names[0], samples.inputs, samples.input_names)
    part(samples.names[1], samples.targets, () if classes else outputs)
    part(samples.names[2], samples.preds, outputs)
    if classes and samples.preds is not None:
        part("largest", samples.preds.argmax(1), (), "mark")
    if found is not None:
        part("error", found.difference, outputs, "mark")
        part(ERRORS.get(found.form, ""), found.chances, (), "mark")
    elif samples.preds is not None and samples.targets is not None:
        part("error", _difference(samples.preds, samples.targets), outputs, "mark")
    return blocks


def _difference(preds: Tensor, targets: Tensor) -> Tensor | None:
    fits = preds.shape == targets.shape and preds.is_floating_point() and targets.is_floating_point()
    return preds - targets if fits else None


def _unknown_text(frame: Frame) -> str:
    if frame.lesson is None:
        return "A recording keeps no samples."
    if frame.loss is None:
        return "The samples of a round are known once it has computed its loss."
    return (
        "Which tensors are predictions and targets is not known: no two variables of the round give the loss."
    )


def _no_predictions_text() -> str:
    return f"No predictions yet: forward ({SIGNS['forward']}) computes them."
