"""Short labels of the events of a backward pass, for a list with one row per event."""

from __future__ import annotations

import re

from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.labels import grad_name
from gradstep.derivatives.worksheet import Worksheet, worksheet_for


def briefs(event: Event, trace: Trace) -> tuple[str, ...]:
    """Return the labels of an event, most telling first, e.g. `g / 10` and `g / other`.

    A later label is shorter. Other examples are `add 2 paths`, `sum to 2` and `-> w.grad`.

    Args:
        event: One of `trace.events`.
        trace: Recording of the pass.
    """
    match event:
        case NodeEvent(name=name) if name == ACCUMULATE_GRAD:
            return (f"-> {grad_name(event)}",)
        case NodeEvent():
            sheet = worksheet_for(event)
            return ("no formula yet",) if sheet is None else _node(sheet)
        case ReduceEvent():
            return _reduction(event)
        case PathsEvent():
            return (f"add {len(event.parts)} paths",)
        case HookEvent():
            return ("a hook's change",)


def _node(sheet: Worksheet) -> tuple[str, ...]:
    text = sheet.text(sheet.rule.brief)
    filled = re.sub(r"\b(other|min|max)\b", lambda word: _number(sheet, word[0]) or word[0], text)
    return (text,) if filled == text else (filled, text)


def _number(sheet: Worksheet, name: str) -> str | None:
    """Return a node's saved number as `%g` writes it; None if it is no number or gets a gradient."""
    value = sheet.values.get(name)
    if isinstance(value, Tensor) and value.dim() == 0:
        value = value.item()
    if name in sheet.values["needed"] or not isinstance(value, (int, float)):
        return None
    return f"{value:g}"


def _reduction(event: ReduceEvent) -> tuple[str, ...]:
    before, after = event.before, event.after
    if before.shape == after.shape:
        return (f"as {str(after.dtype).removeprefix('torch.')}",)
    return f"sum to {'x'.join(str(size) for size in after.shape) or '()'}", "sum to shape"
