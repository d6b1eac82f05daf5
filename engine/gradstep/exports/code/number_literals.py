"""Numbers as Python text that gives the same bits when it is read back, laid out in short lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

Literal: TypeAlias = "str | list[Literal]"
"""The text of one value, or a list of such."""

WIDTH: Final = 100
"""Characters in the longest line."""


def number_literal(value: Any) -> Literal:
    """Give the text of a number, None, or anything nested of numbers; a tensor's is that of nested lists."""
    if isinstance(value, Tensor):
        return _nested(value.tolist(), short=value.dtype == torch.float32)
    return _nested(value, short=False)


def flat(value: Literal) -> str:
    """Write a literal into one line."""
    return value if isinstance(value, str) else f"[{', '.join(map(flat, value))}]"


def call(function: str, arguments: Sequence[Literal], indent: str = "") -> list[str]:
    """Write a call into one line, or with an argument per line where that would be too long."""
    line = f"{indent}{function}({', '.join(map(flat, arguments))})"
    if len(line) <= WIDTH:
        return [line]
    inner = f"{indent}    "
    return [f"{indent}{function}(", *(row for one in arguments for row in _rows(one, inner)), f"{indent})"]


def _nested(value: Any, *, short: bool) -> Literal:
    if isinstance(value, (list, tuple)):
        return [_nested(one, short=short) for one in value]
    return _number(value, short=short) if isinstance(value, float) else repr(value)


def _number(value: float, *, short: bool) -> str:
    """Write a float; `short` where 32 bits of it are all there is, so that fewer digits tell them."""
    if not math.isfinite(value):
        return str(value)
    text = str(np.float32(value)) if short else repr(value)
    return text if not short or np.float32(float(text)) == np.float32(value) else repr(value)


def _rows(value: Literal, indent: str) -> list[str]:
    line = f"{indent}{flat(value)},"
    if len(line) <= WIDTH or isinstance(value, str):
        return [line]
    inner = f"{indent}    "
    if all(isinstance(one, str) for one in value):
        text = ", ".join(map(flat, value)) + ","
        rows = wrap(text, WIDTH, initial_indent=inner, subsequent_indent=inner, break_long_words=False)
    else:
        rows = [row for one in value for row in _rows(one, inner)]
    return [f"{indent}[", *rows, f"{indent}],"]
