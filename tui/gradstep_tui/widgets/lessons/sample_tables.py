"""Draws predictions, targets and the loss that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.statement_steps.statement_facts import LossForm
from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.lessons.statement_texts import CHANCES, LONG, broadcast_text, sum_sentence, sum_text
from gradstep_tui.text.statements import counted
from gradstep_tui.text.tensors.digits import number_text
from gradstep_tui.widgets.lessons.number_tables import Block, fitted, rows_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.statement_steps.statement_facts import Samples

ROOMY: Final = 10
"""Number of lines above which sentences take the place of formulas."""

HEADS: Final = {
    LossForm.SQUARES: "squared",
    LossForm.DISTANCES: "without sign",
    LossForm.CLASSES: "-log(p)",
    LossForm.SIGMOID: "-log(p)",
    LossForm.PROBABILITIES: "-log(p)",
}
"""Head of the column with the terms of a loss."""


def samples_lines(samples: Samples, loss: float, code: str, width: int, height: int) -> list[Line]:
    """Return the lines for predictions, targets and loss of a forward pass.

    Args:
        samples: The samples.
        loss: The loss.
        code: Python that computed it.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
    """
    warning = broadcast_text(samples)
    below = _sum_lines(samples, loss, width, roomy=height > ROOMY)
    words = wrapped(warning, width, "warn") if warning else []
    room = max(height - len(below) - len(words), 0)
    count = _count(samples)
    head = [line(Span(code, "key"))] if code and room > count + 1 and len(code) <= width else []
    table = _samples_table(samples, width, room - len(head))
    hidden = count - (room - len(head) - 1)
    if hidden > 0 and table:
        rest = f"   {counted(hidden, 'more row')}: {SIGNS['data']}"
        if length(below[-1]) + len(rest) <= width:
            below = [*below[:-1], (*below[-1], Span(rest, "dim"))]
    return [*head, *table, *below, *words]


def _count(samples: Samples) -> int:
    preds = samples.preds
    return len(preds) if preds is not None and preds.dim() else 1


def _sum_lines(samples: Samples, loss: float, width: int, *, roomy: bool) -> list[Line]:
    """Return how the terms come to the loss: as a sentence if there is room, else as a formula."""
    found = samples.loss
    if found is None:
        return [line(f"loss = {number_text(loss, LONG)}")]
    chances = CHANCES.get(found.form, "")
    if roomy:
        whole = sum_sentence(found, loss)
        return wrapped(f"{chances}; {whole}." if chances else f"{whole[0].upper()}{whole[1:]}.", width)
    short, both = sum_text(found, loss), f"{sum_text(found, loss)}; {chances}"
    return [line(both if chances and len(both) <= width else short)]


def _samples_table(samples: Samples, width: int, height: int) -> list[Line]:
    """Return inputs, predictions, targets and what the loss makes of them, as many columns as fit."""
    preds = samples.preds
    if height < 2 or preds is None or samples.targets is None:
        return []
    count = _count(samples)
    named = bool(samples.input_names or samples.target_names) and height > count + 1
    rows = min(height - 1 - named, count)
    made = fitted(*_blocks(samples, rows, with_inputs=True), width, named=named)
    return made.lines if not made.is_cut else fitted(*_blocks(samples, rows), width, named=named).lines


def _blocks(samples: Samples, rows: int, *, with_inputs: bool = False) -> tuple[list[Block], list[str]]:
    """Return the tables, and the signs between them."""
    found = samples.loss
    blocks, signs = list[Block](), list[str]()

    def add(sign: str, head: str, tensor: Tensor | None, names: Sequence[str] = (), role: str = "") -> None:
        if tensor is not None:
            blocks.append(Block(head, rows_of(tensor, rows=rows), names, role))
            signs.append(sign)

    outputs = () if found is not None and found.form is LossForm.CLASSES else samples.target_names
    if with_inputs and samples.inputs is not None and samples.inputs.dim() <= 2:
        add("", samples.names[0], samples.inputs, samples.input_names, "dim")
    add("->", samples.names[2], samples.preds, samples.target_names)
    differs = found is not None and found.difference is not None
    add("-" if differs else "", samples.names[1], samples.targets, outputs)
    if found is not None:
        add("=", "error", found.difference, outputs, "mark")
        add("->", "p", found.chances, role="mark")
        add("->", HEADS[found.form], found.terms, outputs)
    return blocks, signs[1:]
