"""Where a session starts, as plain PyTorch: its start values, and the way back to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch

from engine.exports.cells import Cell
from engine.exports.checks import check_start
from engine.exports.literals import call, literal
from engine.exports.naming import expression
from engine.frame import Frame


def start_cell(first: Frame, seed: int | None, *, kept: bool) -> Cell:
    """Tell where the session starts.

    Args:
        first: Its first frame.
        seed: What drew the start values; None where they are those of the problem's script.
        kept: Whether copies of the start values are needed, to go back to.
    """
    code = [f"lr = {first.learning_rate!r}"]
    if seed is not None:
        code += [f"# What seed {seed} drew:", "with torch.no_grad():"]
        for one in first.parameters:
            other = [] if one.value.dtype == torch.float32 else [f"dtype={one.value.dtype}"]
            arguments = [literal(one.value), *other]
            code += call(f"{expression(one.name)}[...] = torch.tensor", arguments, "    ")
    if kept:
        code += [f"{_copy(one.name)} = {expression(one.name)}.detach().clone()" for one in first.parameters]
    words = "The start values; there are no gradients yet."
    return Cell("Start", words, tuple(code), tuple(check_start(first)))


def reset_lines(frame: Frame) -> Iterator[str]:
    """Go back to the start values, as kept at the start."""
    yield "with torch.no_grad():"
    for one in frame.parameters:
        yield f"    {expression(one.name)}.copy_({_copy(one.name)})"
    for one in frame.parameters:
        yield f"{expression(one.name)}.grad = None"


def _copy(name: str) -> str:
    return re.sub(r"\W+", "_", f"_{name}" if name[0].isdigit() else name).strip("_") + "_at_start"
