"""Numbers as Python source that evaluates to the same bits, laid out in short lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

Literal: TypeAlias = "str | list[Literal]"
"""Source of one value, or a nested list of sources."""

WIDTH: Final = 100
"""Length of the longest line, in characters."""


def number_literal(value: Any) -> Literal:
    """Return the source of a number, None or nested lists of numbers; a tensor becomes nested lists."""
    if isinstance(value, Tensor):
        return _nested(value.tolist(), short=value.dtype == torch.float32)
    return _nested(value, short=False)


def flat(value: Literal) -> str:
    """Return a literal as one line."""
    return value if isinstance(value, str) else f"[{', '.join(map(flat, value))}]"


def call(function: str, arguments: Sequence[Literal], indent: str = "") -> list[str]:
    """Return a call on one line, or with an argument per line if that line would be too long."""
    line = f"{indent}{function}({', '.join(map(flat, arguments))})"
    if len(line) <= WIDTH:
        return [line]
    inner = f"{indent}    "
    return [
        f"{indent}{function}(",
        *(row for argument in arguments for row in _rows(argument, inner)),
        f"{indent})",
    ]


def _nested(value: Any, *, short: bool) -> Literal:
    if isinstance(value, (list, tuple)):
        return [_nested(element, short=short) for element in value]
    return _number(value, short=short) if isinstance(value, float) else repr(value)


def _number(value: float, *, short: bool) -> str:
    """Return the source of a float; with `short`, only as many digits as 32 bits need."""
    if not math.isfinite(value):
        return str(value)
    text = str(np.float32(value)) if short else repr(value)
    return text if not short or np.float32(float(text)) == np.float32(value) else repr(value)


def _rows(value: Literal, indent: str) -> list[str]:
    line = f"{indent}{flat(value)},"
    if len(line) <= WIDTH or isinstance(value, str):
        return [line]
    inner = f"{indent}    "
    if all(isinstance(element, str) for element in value):
        text = ", ".join(map(flat, value)) + ","
        rows = wrap(text, WIDTH, initial_indent=inner, subsequent_indent=inner, break_long_words=False)
    else:
        rows = [row for element in value for row in _rows(element, inner)]
    return [f"{indent}[", *rows, f"{indent}],"]
