"""Operands of any kind as one line of text."""

from __future__ import annotations

import math
from typing import Any

from gradstep_tui.text.tensors.numbers import NOT_KEPT, cell, cells, is_tensor
from gradstep_tui.text.tensors.summaries import summary_text


def value_text(value: Any, most: int = 6) -> str:
    """Return any operand as one line: a scalar, a shape, or the first `most` elements of a tensor."""
    if value is None or isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, float):
        return cell(value)
    if isinstance(value, (int, tuple)):
        return str(value)
    if not is_tensor(value):
        return str(value)
    if value.is_meta:
        told = summary_text(value)
        return told if told == NOT_KEPT else f"{NOT_KEPT}; {told}"
    if value.dim() == 0:
        return cells(value)[0][0]
    # Of one that is not contiguous, reshape copies all that it is given.
    start = value[: most // max(math.prod(value.shape[1:]), 1) + 1]
    shown = [text for row in cells(start.reshape(-1)[:most]) for text in row]
    rest = " …" if value.numel() > most else ""
    return f"[{' '.join(shown)}{rest}]"
