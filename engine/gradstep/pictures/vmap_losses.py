"""Losses for many values of a few parameters, computed in one batch.

`torch.func.vmap` runs a function once for a whole batch of its arguments. A model does not take its
parameters as arguments: its script's functions close over them. So while the model runs, every operation that
is called with one of these parameters is called with the batch of its values instead. Code that does not go
through PyTorch's functions, such as a learner's own `autograd.Function`, would still use the parameter
itself: therefore the caller compares a sample of the losses with losses that were computed singly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.overrides import TorchFunctionMode

from gradstep.learner_code.interruption import interruptible
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import learners_code


def batched_losses(problem: Problem, values: Mapping[str, Tensor], rng: Tensor) -> Tensor:
    """Return the loss for each of `n` values of some parameters, while the other parameters stay as they are.

    Args:
        problem: Problem whose loss is computed.
        values: Values by the parameter's name, shape `(n, *parameter.shape)`.
        rng: State of the random number generator before the forward pass.

    Returns:
        Losses, shape `(n,)`.

    Raises:
        PyTorchError: the model or the loss function raised, or `vmap` cannot run it.
    """
    names = list(values)

    def loss(*numbers: Tensor) -> Tensor:
        instead = {id(problem.parameters[name]): number for name, number in zip(names, numbers, strict=True)}
        with _Instead(instead):
            return problem.loss_fn(problem.model(problem.inputs), problem.targets).reshape(())

    torch.set_rng_state(rng)
    with torch.no_grad(), learners_code():
        losses: Tensor = interruptible(lambda: vmap(loss, randomness="same")(*values.values()))
    return losses


class _Instead(TorchFunctionMode):
    """Calls PyTorch's functions with other tensors in place of some of their arguments."""

    def __init__(self, instead: Mapping[int, Tensor]) -> None:
        super().__init__()
        self._instead = instead

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*self._replaced(args), **self._replaced(kwargs or {}))

    def _replaced(self, value: Any) -> Any:
        """Return an argument of a function of PyTorch with other tensors in place of some of its own.

        Tensors inside lists, tuples and dictionaries are replaced as well.
        """
        if isinstance(value, Tensor):
            return self._instead.get(id(value), value)
        if type(value) in (tuple, list):
            return type(value)(map(self._replaced, value))
        if type(value) is dict:
            return {name: self._replaced(part) for name, part in value.items()}
        return value
