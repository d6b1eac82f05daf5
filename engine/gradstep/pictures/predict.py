"""Predictions of a model for inputs that are not in its problem's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from gradstep.errors import BadInput
from gradstep.learner_code.interruption import interruptible
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import PyTorchError, learners_code

SAME: Final = 1e-4
"""Relative tolerance for the data's predictions when they are computed in one batch with other inputs."""


def predictions_at(
    problem: Problem, rng: Tensor, preds: Tensor, grid: Tensor, buffers: Mapping[str, Tensor]
) -> tuple[Tensor, bool]:
    """Return predictions for the data and for other inputs, computed in one batch.

    If the data's predictions are not the same as without the other inputs, because the samples of a batch
    influence each other or the model draws random numbers, the model is tried again in eval mode.

    Args:
        problem: Problem whose model predicts.
        rng: State of the random number generator before every forward pass.
        preds: Predictions for the data alone.
        grid: Other inputs, shape `(n, columns of the inputs)`.
        buffers: Values of the problem's buffers from before any forward pass changed them.

    Returns:
        Predictions, shape `(data + n, columns of the outputs)`, and whether the model was in eval mode.

    Raises:
        BadInput: the model does not accept other inputs, or its predictions depend on the rest of the
            batch or on chance.
    """
    data = problem.inputs.detach()
    both = torch.cat([data, grid])
    together, by_chance = _output(problem, rng, both)
    if _same(together[: len(data)], preds) and not by_chance:
        return together.reshape(len(both), -1), False
    if isinstance(problem.model, nn.Module):
        with _evaluated(problem.model):
            for name, kept in buffers.items():
                problem.buffers[name].copy_(kept)
            (preds, _), (together, by_chance) = (_output(problem, rng, inputs) for inputs in (data, both))
        if _same(together[: len(data)], preds) and not by_chance:
            return together.reshape(len(both), -1), True
    raise BadInput(
        "there is no map to draw: the prediction for a point depends on the other points of its batch, as "
        "with BatchNorm in train mode, or on chance, as with dropout"
    )


def _output(problem: Problem, rng: Tensor, inputs: Tensor) -> tuple[Tensor, bool]:
    """Return predictions, and whether the model drew random numbers for them."""
    torch.set_rng_state(rng)
    try:
        with torch.no_grad(), learners_code():
            preds = interruptible(lambda: problem.model(inputs))
    except PyTorchError as error:
        raise BadInput(
            f"there is no map to draw: the model accepts only the problem's own inputs ({error})"
        ) from error
    if preds.dim() not in (1, 2) or len(preds) != len(inputs) or preds.is_complex():
        raise BadInput(
            f"there is no map to draw: for inputs of shape {tuple(inputs.shape)} the model returns "
            f"predictions of shape {tuple(preds.shape)}, not one row for each input"
        )
    return preds, not torch.equal(torch.get_rng_state(), rng)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=SAME, atol=SAME**2, equal_nan=True)


@contextmanager
def _evaluated(model: nn.Module) -> Iterator[None]:
    with learners_code():
        was = [(module, module.training) for module in model.modules()]
    try:
        with learners_code():
            model.eval()
        yield
    finally:
        for module, training in was:
            module.training = training
