"""How well the model fits its data at the present parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.loss_probe import apart
from gradstep.errors import OWN_CODE, BadInput
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import in_its_own_words

MOST: Final = 2_000
"""Pairs that are given at the most; of more, every so-many-th."""

ALONG: Final = 101
"""Inputs for which the line is computed."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Targets and the predictions for them."""

    targets: tuple[float, ...]
    preds: tuple[float, ...]
    series: tuple[int, ...]
    """Which column of the targets each pair belongs to, counted from 0."""

    total: int
    """How many pairs there are."""

    inputs: tuple[float, ...]
    """The input of each pair, where the problem has one input only; else empty."""

    line: tuple[tuple[float, float], ...]
    """Inputs from the smallest to the largest, and the predictions for them; empty where there is no line."""


def fit(problem: Problem, rng: Tensor) -> Fit:
    """Compare predictions and targets; a live graph has to be built anew.

    Raises:
        PyTorchError: the model or the loss function raised.
        BadInput: there is not one prediction for each target.
    """
    with apart(problem, rng) as where:
        preds = where.output()[0].detach()
        targets = problem.targets
        if preds.shape != targets.shape or preds.is_complex() or not preds.numel():
            raise BadInput(
                f"there is no fit to draw: predictions of shape {tuple(preds.shape)} do not stand each for "
                f"a target, of shape {tuple(targets.shape)}"
            )
        columns = preds.shape[-1] if preds.dim() > 1 else 1
        single = problem.inputs.numel() * columns == preds.numel() and not problem.inputs.is_complex()
        line = _line(problem, rng) if single and columns == 1 else ()
        given = problem.inputs.detach().reshape(-1).repeat_interleave(columns) if single else None
    stride = -(-preds.numel() // MOST)
    return Fit(
        _numbers(targets, stride),
        _numbers(preds, stride),
        tuple(place % columns for place in range(0, preds.numel(), stride)),
        preds.numel(),
        () if given is None else _numbers(given, stride),
        line,
    )


def _line(problem: Problem, rng: Tensor) -> tuple[tuple[float, float], ...]:
    inputs = problem.inputs
    along = torch.linspace(float(inputs.min()), float(inputs.max()), ALONG, dtype=torch.float64)
    torch.set_rng_state(rng)
    with torch.no_grad(), in_its_own_words(*OWN_CODE):
        made = problem.model(along.to(inputs.dtype).reshape(-1, *inputs.shape[1:]))
    if made.numel() != ALONG:
        return ()
    return tuple(zip(along.tolist(), made.reshape(-1).tolist(), strict=True))


def _numbers(tensor: Tensor, stride: int) -> tuple[float, ...]:
    return tuple(float(one) for one in tensor.detach().reshape(-1)[::stride].tolist())
