"""The fit: the model's predictions beside the targets, at the present parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.loss_probe import loss_probe
from gradstep.errors import BadInput
from gradstep.learner_code.interruption import interruptible
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import learners_code

MOST: Final = 2_000
"""Approximate limit on the pairs of a fit; if there are more, they are sampled at equal distances."""

ALONG: Final = 101
"""Number of inputs for which the line of predictions is computed."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Pairs of a target and the prediction for it."""

    targets: tuple[float, ...]
    """Target of each pair."""

    preds: tuple[float, ...]
    """Prediction of each pair."""

    series: tuple[int, ...]
    """Column of the targets that each pair belongs to, counted from 0."""

    total: int
    """Number of pairs of the problem, of which there are fewer here if there are too many."""

    inputs: tuple[float, ...]
    """Input of each pair, if each sample has one number for its input; else empty."""

    line: tuple[tuple[float, float], ...]
    """Pairs of an input and the prediction for it, from the smallest to the largest input of the data.

    Empty unless inputs, predictions and targets are one number each for every sample."""


def fit(problem: Problem, rng: Tensor) -> Fit:
    """Return predictions and targets; a live graph has to be built anew afterwards.

    Args:
        problem: Problem at the present values of its parameters.
        rng: State of the random number generator before the forward pass.

    Raises:
        PyTorchError: the model or the loss function raised.
        BadInput: predictions and targets do not correspond one to one.
    """
    with loss_probe(problem, rng) as probe:
        preds = probe.output()[0].detach()
        targets = problem.targets
        if preds.shape != targets.shape or preds.is_complex() or not preds.numel():
            raise BadInput(
                f"there is no fit to draw: predictions of shape {tuple(preds.shape)} do not match targets of "
                f"shape {tuple(targets.shape)} one by one"
            )
        columns = preds.shape[-1] if preds.dim() > 1 else 1
        single = problem.inputs.numel() * columns == preds.numel() and not problem.inputs.is_complex()
        line = _line(problem, rng) if single and columns == 1 else ()
        inputs = problem.inputs.detach().reshape(-1).repeat_interleave(columns) if single else None
    stride = -(-preds.numel() // MOST)
    return Fit(
        targets=_numbers(targets, stride),
        preds=_numbers(preds, stride),
        series=tuple(place % columns for place in range(0, preds.numel(), stride)),
        total=preds.numel(),
        inputs=() if inputs is None else _numbers(inputs, stride),
        line=line,
    )


def _line(problem: Problem, rng: Tensor) -> tuple[tuple[float, float], ...]:
    inputs = problem.inputs
    along = torch.linspace(float(inputs.min()), float(inputs.max()), ALONG, dtype=torch.float64)
    torch.set_rng_state(rng)
    with torch.no_grad(), learners_code():
        points = along.to(inputs.dtype).reshape(-1, *inputs.shape[1:])
        preds = interruptible(lambda: problem.model(points))
    if preds.numel() != ALONG:
        return ()
    return tuple(zip(along.tolist(), preds.reshape(-1).tolist(), strict=True))


def _numbers(tensor: Tensor, stride: int) -> tuple[float, ...]:
    return tuple(float(number) for number in tensor.detach().reshape(-1)[::stride].tolist())
