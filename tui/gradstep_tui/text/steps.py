"""Parts of a step's explanation, merged so that nothing is shown twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.autograd.events import ACCUMULATE_GRAD
from gradstep.frame import Between
from gradstep_tui.text.tensors.numbers import is_tensor

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation, Operand
    from gradstep.derivatives.explanation import OperandValue
    from gradstep.frame import Frame, ParameterFrame, PassFrame, TraceRow

BRIEF_WIDTH: Final = 16
"""Characters for the short description of an event in a list of events."""

ENGINE: Final[Mapping[Between, tuple[str, str, str]]] = {
    Between.ADDS: ("+", "{parts} paths into {into}", "{parts} paths meet"),
    Between.SUMS: ("sum", "{parts} rows into {into}", "{parts} into one"),
    Between.CASTS: ("cast", "to the dtype of {into}", "to another dtype"),
    Between.REPLACES: ("hook", "replaces dL/d {into}", "replaces a gradient"),
}
"""Name and description of what happens between nodes, and the description without a tensor's name."""


def brief_text(row: TraceRow) -> str:
    """Return the most telling description of an event that fits, or the shortest; empty if it is the name."""
    fitting = (brief for brief in row.briefs if len(brief) <= BRIEF_WIDTH)
    brief = next(fitting, row.briefs[-1])
    return "" if brief == row.name else brief


def event_name(row: TraceRow) -> str:
    """Return the name of an event in a list: the node's, `-> w.grad`, or a sign for the engine's work."""
    return row.name if row.between is None else ENGINE[row.between][0]


def event_text(row: TraceRow) -> str:
    """Return what an event belongs to: the script's expression, or what the engine does to which gradient."""
    if row.between is not None:
        _, named, unnamed = ENGINE[row.between]
        return (named if row.into else unnamed).format(parts=row.parts, into=row.into)
    if row.parameter is not None:
        return ACCUMULATE_GRAD
    return row.source or brief_text(row)


def written_by(frame: Frame, backward: PassFrame) -> ParameterFrame | None:
    """Return the parameter whose `.grad` the current event writes to; None for any other event."""
    name = backward.rows[backward.done - 1].parameter
    written = (parameter for parameter in frame.parameters if parameter.accumulation)
    return next((parameter for parameter in written if parameter.name == name), None)


def merged_operands(operands: tuple[Operand, ...]) -> list[tuple[str, OperandValue]]:
    """Return the operands, the same tensors merged, e.g. `other, self` in `diff * diff`."""
    merged: list[tuple[str, OperandValue]] = []
    for operand in operands:
        same = next((n for n, (_, value) in enumerate(merged) if _is_same(value, operand.value)), None)
        if same is None:
            merged.append((operand.name, operand.value))
        else:
            merged[same] = (f"{merged[same][0]}, {operand.name}", operand.value)
    return merged


def _is_same(one: OperandValue, other: OperandValue) -> bool:
    if not is_tensor(one) or not is_tensor(other) or one.is_meta or other.is_meta or one.shape != other.shape:
        return False
    return one.dtype == other.dtype and (one is other or bool(one.equal(other)))


def merged_formulas(step: Explanation) -> dict[str, list[str]]:
    """Return each formula once, with the names of all inputs whose gradient it computes."""
    both: dict[str, list[str]] = {}
    for name, formula in step.formulas:
        both.setdefault(formula, []).append(name)
    return both
