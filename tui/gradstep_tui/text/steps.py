"""Names of the events of a backward pass, as lists and titles have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.autograd.events import ACCUMULATE_GRAD
from gradstep.frame import Between
from gradstep_tui.text.statements import counted

if TYPE_CHECKING:
    from gradstep.frame import Frame, ParameterFrame, PassFrame, TraceRow

ENGINE: Final[Mapping[Between, tuple[str, str, str]]] = {
    Between.ADDS: ("+", "{parts} paths into {into}", "{parts} paths meet"),
    Between.SUMS: ("sum", "{rows} into {into}", "{parts} into one"),
    Between.CASTS: ("cast", "to the dtype of {into}", "to another dtype"),
    Between.REPLACES: ("hook", "replaces dL/d {into}", "replaces a gradient"),
}
"""Name and description of what happens between nodes, and the description without a tensor's name."""


def event_name(row: TraceRow) -> str:
    """Return the name of an event in a list: the node's, `-> w.grad`, or a sign for the engine's work."""
    return row.name if row.between is None else ENGINE[row.between][0]


def listed_name(row: TraceRow) -> str:
    """Return the name of an event in a list or graph of the pass: in parentheses unless it is a node's."""
    return event_name(row) if row.is_node else f"({event_name(row)})"


def event_text(row: TraceRow) -> str:
    """Return what an event belongs to: the script's expression, or what the engine does to which gradient."""
    if row.between is not None:
        _, named, unnamed = ENGINE[row.between]
        words = named if row.into else unnamed
        return words.format(parts=row.parts, rows=counted(row.parts, "row"), into=row.into)
    if row.parameter is not None:
        return ACCUMULATE_GRAD
    return row.source or row.into


def written_by(frame: Frame, backward: PassFrame) -> ParameterFrame | None:
    """Return the parameter whose `.grad` the current event writes to; None for any other event."""
    name = backward.rows[backward.done - 1].parameter
    written = (parameter for parameter in frame.parameters if parameter.accumulation)
    return next((parameter for parameter in written if parameter.name == name), None)
