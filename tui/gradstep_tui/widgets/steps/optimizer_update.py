"""Draws a step of a `torch.optim` optimizer: one number through its formulas, then tables of all numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gradstep.statement_steps.statement_facts import Cleared, UpdateStep
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.lessons.update_texts import (
    COUNTER,
    fitting_numbers,
    formula_text,
    moved_by,
    numbers_texts,
    options_text,
    worked_number,
)
from gradstep_tui.widgets.lessons import parameter_changes

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation
    from gradstep.derivatives.worked_update import ParameterUpdate, WorkedFormula
    from gradstep.problem import Labels

LEAST_TABLE: Final = 3
"""Least number of lines in which tables are drawn below the formulas."""


def optimizer_lines(update: Explanation, width: int, height: int, labels: Mapping[str, Labels]) -> list[Line]:
    """Return the lines for a step: one number through every formula, then tables and words if they fit.

    Args:
        update: The step; `updates` is not empty.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        labels: Names of the rows and columns of parameters.
    """
    found = worked_number(update, labels)
    if found is None:
        return wrapped(update.words, width)[:height]
    parameter, element, formulas = found
    moved = [moved_by(each, labels) for each in update.updates]
    numbers = _number_lines(formulas, parameter, element, width)
    both = _formula_lines(formulas, parameter, width)
    words = wrapped(update.words, width, "dim")
    head = line(Span(f"{element} in full", "label"))
    if len(both) < height or len(numbers) < height:
        rows = [head, *(both if len(both) < height else numbers)]
        if height - len(rows) >= LEAST_TABLE:
            step = UpdateStep(math.nan, tuple(moved))
            rows += parameter_changes.update_lines(step, width, height - len(rows), with_example=False)
        return [*rows, *words] if len(rows) + len(words) <= height else rows
    kept = [row for formula, row in zip(formulas, numbers, strict=True) if formula.target != COUNTER]
    over = len(kept) - height
    if over <= 0 or height < LEAST_TABLE:
        return kept[-height:]
    more = line(Span(f"{over + 1} formulas before these: {SIGNS['look']}", "dim"))
    return [more, *kept[over + 1 :]]


def whole_optimizer_lines(update: Explanation, width: int, labels: Mapping[str, Labels]) -> list[Line]:
    """Return all lines of a step: options, formulas, one number in full, and tables of everything."""
    blocks: list[list[Line]] = [
        wrapped(f"{update.title}  {update.source or ''}", width, "key"),
        wrapped(options_text(update.updates[0]), width, "label"),
        wrapped(update.words, width, "dim"),
        optimizer_lines(update, width, parameter_changes.WHOLE, labels),
    ]
    for each in update.updates:
        names = labels.get(each.name, ())
        blocks.append(_table(f"{each.name}.grad", names, None, each.grad, width))
        for state, after in each.memory_after.items():
            own = names if after.dim() else ()
            before = each.memory_before.get(state)
            start = "new " if before is None else ""
            blocks.append(_table(f"{start}{each.name}.{state}", own, before, after, width))
    return [row for at, block in enumerate(blocks) for row in (*([line(" ")] if at > 1 else []), *block)]


def _table(name: str, labels: Labels, before: object, after: object, width: int) -> list[Line]:
    memory = Cleared(name, labels, before, after)  # type: ignore[arg-type]
    return parameter_changes.memory_lines(memory, width, parameter_changes.WHOLE)


def _number_lines(
    formulas: Sequence[WorkedFormula], update: ParameterUpdate, element: str, width: int
) -> list[Line]:
    return [line(fitting_numbers(formula, update, element, width)) for formula in formulas]


def _formula_lines(formulas: Sequence[WorkedFormula], update: ParameterUpdate, width: int) -> list[Line]:
    """Return each formula in names, and below it in numbers."""
    rows: list[Line] = []
    for formula in formulas:
        texts = [
            text.partition(" = ")[2].removeprefix(f"{update.name}.grad = ")
            for text in numbers_texts(formula, update, update.name)
        ]
        told = next((text for text in texts if len(text) + 4 <= width), texts[0])
        if formula.target == COUNTER:
            rows.append(line(Span(f"{COUNTER} = ", "label"), told))
            continue
        rows += wrapped(formula_text(formula, update), width, "label")
        rows += [line("    " if at else "  = ", *spans) for at, spans in enumerate(wrapped(told, width - 4))]
    return rows
