"""Plain PyTorch for the start of a session: start values, optimizer, and how a reset restores them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from gradstep.exports.code.assertions import check_start
from gradstep.exports.code.batch_lines import generator_lines
from gradstep.exports.code.cells import Cell
from gradstep.exports.code.name_conflicts import scripts
from gradstep.exports.code.number_literals import call, number_literal
from gradstep.exports.code.parameter_expressions import expression
from gradstep.frame import Frame
from gradstep.learner_code.eager import STANCE

RNG = "rng_at_start"


@dataclass(frozen=True, slots=True)
class Changing:
    """State other than parameters that forward passes change."""

    draws: bool = False
    """Whether forward passes draw random numbers, as dropout does."""

    buffers: tuple[str, ...] = ()
    """Names of the modules' buffers, prefixed by the module's name in the script: `model.1.running_mean`."""


NOTHING = Changing()


def start_cell(first: Frame, seed: int | None, *, kept: bool, changing: Changing = NOTHING) -> Cell:
    """Return the cell that sets the start values and asserts them.

    Args:
        first: The session's first frame.
        seed: Seed that drew the start values; None if the start values are the script's own.
        kept: Whether the session is reset later, so that copies of the start values are needed.
        changing: State other than parameters that forward passes change.
    """
    code = [f"lr = {first.learning_rate!r}", *optimizer_lines(first), *generator_lines(first.loop.split)]
    if seed is not None:
        code += [f"# The start values drawn with seed {seed}:", "with torch.no_grad():"]
        for parameter in first.parameters:
            other = [] if parameter.value.dtype == torch.float32 else [f"dtype={parameter.value.dtype}"]
            arguments = [number_literal(parameter.value), *other]
            code += call(f"{expression(parameter.name)}[...] = torch.tensor", arguments, "    ")
        if changing.draws:
            code += _drawn_lines(seed, [expression(parameter.name) for parameter in first.parameters])
    if kept:
        code.append("at_start = {")
        code += [
            f"    {json.dumps(parameter.name)}: {expression(parameter.name)}.detach().clone(),"
            for parameter in first.parameters
        ]
        code += [f"    {json.dumps(name)}: {_buffer(name)}.clone()," for name in changing.buffers]
        code.append("}")
        code += [f"{RNG} = torch.get_rng_state()"] if changing.draws else []
    words = "The parameters have their start values; there are no gradients yet."
    return Cell("Start", words, tuple(code), tuple(check_start(first)))


def optimizer_lines(frame: Frame) -> list[str]:
    """Return the lines that make the optimizer, without state; no lines if the update is written by hand."""
    chosen = frame.loop.optimizer
    if chosen.by_hand:
        return []
    parameters = ", ".join(expression(parameter.name) for parameter in frame.parameters)
    options = [f"{name}={value!r}" for name, value in chosen.options.items()]
    return call(f"optimizer = torch.optim.{chosen.name}", [f"[{parameters}]", "lr=lr", *options])


def uncompiled_line() -> str:
    """Return the line that has a script's compiled code run uncompiled, as it did in the session."""
    return f"torch.compiler.set_stance({STANCE!r})  # each node as in the session, uncompiled"


def rate_lines(frame: Frame) -> list[str]:
    """Return the lines that set the learning rate."""
    of_optimizer = [] if frame.loop.optimizer.by_hand else ['optimizer.param_groups[0]["lr"] = lr']
    return [f"lr = {frame.learning_rate!r}", *of_optimizer]


def reset_lines(frame: Frame, changing: Changing = NOTHING) -> Iterator[str]:
    """Yield the lines that restore the start values from the copies made at the start."""
    yield "with torch.no_grad():"
    for parameter in frame.parameters:
        yield f"    {expression(parameter.name)}.copy_({_kept(parameter.name)})"
    for name in changing.buffers:
        yield f"    {_buffer(name)}.copy_({_kept(name)})"
    for parameter in frame.parameters:
        yield f"{expression(parameter.name)}.grad = None"
    if changing.draws:
        yield f"torch.set_rng_state({RNG})  # to draw the same random numbers again"
    yield from optimizer_lines(frame)


def _drawn_lines(seed: int, parameters: Sequence[str]) -> list[str]:
    """Return the lines that draw the start values again, so that the model draws on from the same state."""
    return [
        f"torch.manual_seed({seed})",
        f"for drawn in [{', '.join(parameters)}]:",
        "    torch.randn(drawn.shape, dtype=drawn.dtype)  # as gradstep drew the start values",
    ]


def _buffer(name: str) -> str:
    module, _, buffer = name.partition(".")
    return f'{scripts(module)}.get_buffer("{buffer}")'


def _kept(name: str) -> str:
    return f"at_start[{json.dumps(name)}]"
