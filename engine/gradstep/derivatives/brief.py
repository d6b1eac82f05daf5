"""What a list of events shows of each, in a few characters."""

from __future__ import annotations

import re
from typing import Final

from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, Event, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives.labels import grad_name
from gradstep.derivatives.worksheet import Worksheet, worksheet_for

WIDTH: Final = 16
"""Most characters that a node's brief takes; only a long parameter name makes `-> name.grad` longer."""


def brief(event: Event, trace: Trace) -> str:
    """Give the few characters for a list row, e.g. `g / 10`, `add 2 paths`, `sum to 2`, `-> w.grad`.

    Args:
        event: One of `trace.events`.
        trace: The pass that it belongs to.
    """
    match event:
        case NodeEvent(name=name) if name == ACCUMULATE_GRAD:
            return f"-> {grad_name(event)}"
        case NodeEvent():
            sheet = worksheet_for(event)
            return "no formula yet" if sheet is None else _node(sheet)
        case ReduceEvent():
            return _reduction(event)
        case PathsEvent():
            return f"add {len(event.parts)} paths"
        case HookEvent():
            return "a hook's change"


def _node(sheet: Worksheet) -> str:
    text = sheet.text(sheet.rule.brief)
    filled = re.sub(r"\b(other|min|max)\b", lambda word: _number(sheet, word[0]) or word[0], text)
    return filled if len(filled) <= WIDTH else text


def _number(sheet: Worksheet, name: str) -> str | None:
    """Write a saved number as short as it goes; None for what is no number, or needs a gradient itself."""
    value = sheet.values.get(name)
    if isinstance(value, Tensor) and value.dim() == 0:
        value = value.item()
    if name in sheet.values["needed"] or not isinstance(value, (int, float)):
        return None
    return f"{value:g}"


def _reduction(event: ReduceEvent) -> str:
    before, after = event.before, event.after
    if before.shape == after.shape:
        return f"as {str(after.dtype).removeprefix('torch.')}"
    text = f"sum to {'x'.join(str(size) for size in after.shape) or '()'}"
    return text if len(text) <= WIDTH else "sum to shape"
