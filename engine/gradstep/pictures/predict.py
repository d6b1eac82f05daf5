"""What a model predicts for other inputs than its problem's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from gradstep.errors import OWN_CODE, BadInput
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import PyTorchError, in_its_own_words

SAME: Final = 1e-4
"""The data's predictions may differ by so much, relatively, where they are computed with the map's."""


def predictions_at(
    problem: Problem, rng: Tensor, preds: Tensor, grid: Tensor, buffers: Mapping[str, Tensor]
) -> tuple[Tensor, bool]:
    """Predict for the data and the grid together, which shows whether one changes the other.

    Args:
        problem: What predicts.
        rng: The random number generator's state.
        preds: What it predicts for the data alone.
        grid: Other inputs.
        buffers: The problem's, as they were before any forward pass changed them.

    Returns:
        Shape (data and grid, columns), and whether the model was in eval mode.

    Raises:
        BadInput: the model cannot be asked about other inputs, or each time says something else.
    """
    data = problem.inputs.detach()
    both = torch.cat([data, grid])
    made, by_chance = _output(problem, rng, both)
    if _same(made[: len(data)], preds) and not by_chance:
        return made.reshape(len(both), -1), False
    if isinstance(problem.model, nn.Module):
        with _evaluated(problem.model):
            for name, kept in buffers.items():
                problem.buffers[name].copy_(kept)
            (preds, _), (made, by_chance) = (_output(problem, rng, inputs) for inputs in (data, both))
        if _same(made[: len(data)], preds) and not by_chance:
            return made.reshape(len(both), -1), True
    raise BadInput(
        "there is no map to draw: what the model predicts for a point depends on the other points of its "
        "batch, as with BatchNorm in train mode, or on chance, as with dropout"
    )


def _output(problem: Problem, rng: Tensor, inputs: Tensor) -> tuple[Tensor, bool]:
    """Predict, and tell whether that took random numbers."""
    torch.set_rng_state(rng)
    try:
        with torch.no_grad(), in_its_own_words(*OWN_CODE):
            made = problem.model(inputs)
    except PyTorchError as error:
        raise BadInput(
            f"there is no map to draw: the model takes no inputs but the problem's own ({error})"
        ) from error
    if made.dim() not in (1, 2) or len(made) != len(inputs) or made.is_complex():
        raise BadInput(
            f"there is no map to draw: for inputs of shape {tuple(inputs.shape)} the model gives predictions "
            f"of shape {tuple(made.shape)}, not one row for each"
        )
    return made, not torch.equal(torch.get_rng_state(), rng)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=SAME, atol=SAME**2, equal_nan=True)


@contextmanager
def _evaluated(model: nn.Module) -> Iterator[None]:
    was = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in was:
            module.training = training
