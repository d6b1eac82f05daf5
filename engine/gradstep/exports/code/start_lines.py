"""Where a session starts, as plain PyTorch: its start values, and the way back to them."""

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

RNG = "rng_at_start"


@dataclass(frozen=True, slots=True)
class Changing:
    """What forward passes change beside their results."""

    draws: bool = False
    """Whether they draw random numbers, as dropout does."""

    buffers: tuple[str, ...] = ()
    """The modules' buffers, by the module's name in the script: `model.1.running_mean`."""


NOTHING = Changing()


def start_cell(first: Frame, seed: int | None, *, kept: bool, changing: Changing = NOTHING) -> Cell:
    """Tell where the session starts.

    Args:
        first: Its first frame.
        seed: What drew the start values; None where they are those of the problem's script.
        kept: Whether copies of the start values are needed, to go back to.
        changing: What else has to start as it did.
    """
    code = [f"lr = {first.learning_rate!r}", *optimizer_lines(first), *generator_lines(first.loop.split)]
    if seed is not None:
        code += [f"# What seed {seed} drew:", "with torch.no_grad():"]
        for one in first.parameters:
            other = [] if one.value.dtype == torch.float32 else [f"dtype={one.value.dtype}"]
            arguments = [number_literal(one.value), *other]
            code += call(f"{expression(one.name)}[...] = torch.tensor", arguments, "    ")
        if changing.draws:
            code += _drawn_lines(seed, [expression(one.name) for one in first.parameters])
    if kept:
        code.append("at_start = {")
        code += [
            f"    {json.dumps(one.name)}: {expression(one.name)}.detach().clone(),"
            for one in first.parameters
        ]
        code += [f"    {json.dumps(name)}: {_buffer(name)}.clone()," for name in changing.buffers]
        code.append("}")
        code += [f"{RNG} = torch.get_rng_state()"] if changing.draws else []
    words = "The start values; there are no gradients yet."
    return Cell("Start", words, tuple(code), tuple(check_start(first)))


def optimizer_lines(frame: Frame) -> list[str]:
    """Make the optimizer, with nothing remembered yet; nothing where the update is written by hand."""
    chosen = frame.loop.optimizer
    if chosen.by_hand:
        return []
    parameters = ", ".join(expression(one.name) for one in frame.parameters)
    options = [f"{name}={value!r}" for name, value in chosen.options.items()]
    return call(f"optimizer = torch.optim.{chosen.name}", [f"[{parameters}]", "lr=lr", *options])


def rate_lines(frame: Frame) -> list[str]:
    """Set the learning rate."""
    of_optimizer = [] if frame.loop.optimizer.by_hand else ['optimizer.param_groups[0]["lr"] = lr']
    return [f"lr = {frame.learning_rate!r}", *of_optimizer]


def reset_lines(frame: Frame, changing: Changing = NOTHING) -> Iterator[str]:
    """Go back to the start values, as kept at the start."""
    yield "with torch.no_grad():"
    for one in frame.parameters:
        yield f"    {expression(one.name)}.copy_({_kept(one.name)})"
    for name in changing.buffers:
        yield f"    {_buffer(name)}.copy_({_kept(name)})"
    for one in frame.parameters:
        yield f"{expression(one.name)}.grad = None"
    if changing.draws:
        yield f"torch.set_rng_state({RNG})  # the same random numbers again"
    yield from optimizer_lines(frame)


def _drawn_lines(seed: int, parameters: Sequence[str]) -> list[str]:
    """Draw the start values again, for the model goes on drawing from there."""
    return [
        f"torch.manual_seed({seed})",
        f"for drawn in [{', '.join(parameters)}]:",
        "    torch.randn(drawn.shape, dtype=drawn.dtype)  # as the start values were: the model draws on",
    ]


def _buffer(name: str) -> str:
    module, _, buffer = name.partition(".")
    return f'{scripts(module)}.get_buffer("{buffer}")'


def _kept(name: str) -> str:
    return f"at_start[{json.dumps(name)}]"
