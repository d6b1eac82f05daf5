"""The losses of many values of a few parameters at once.

`torch.func.vmap` runs a function once for a whole batch of its arguments. A model takes its parameters from
its script, not as arguments; so while it runs, each operation that is given one of them is given the batch
instead. What does not go through PyTorch's functions (a learner's own `autograd.Function`, say) would still
see the parameter itself: so whoever asks compares some of the losses with plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap
from torch.overrides import TorchFunctionMode

from gradstep.errors import OWN_CODE
from gradstep.problem import Problem
from gradstep.training.pytorch_errors import in_its_own_words


def batched_losses(problem: Problem, values: Mapping[str, Tensor], rng: Tensor) -> Tensor:
    """Compute a loss for each of many values of some parameters; the others stay as they are.

    Args:
        problem: Whose loss.
        values: By parameter, shape `(n, *parameter.shape)`.
        rng: The random number generator's state before the forward pass.

    Returns:
        Shape `(n,)`.

    Raises:
        PyTorchError: the model or the loss function raised, or `vmap` cannot run it.
    """
    names = list(values)

    def loss(*numbers: Tensor) -> Tensor:
        instead = {id(problem.parameters[name]): number for name, number in zip(names, numbers, strict=True)}
        with _Instead(instead):
            return problem.loss_fn(problem.model(problem.inputs), problem.targets).reshape(())

    torch.set_rng_state(rng)
    with torch.no_grad(), in_its_own_words(*OWN_CODE):
        losses: Tensor = vmap(loss, randomness="same")(*values.values())
    return losses


class _Instead(TorchFunctionMode):
    """Gives operations other tensors than those they are called with."""

    def __init__(self, instead: Mapping[int, Tensor]) -> None:
        super().__init__()
        self._instead = instead

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*self._replaced(args), **self._replaced(kwargs or {}))

    def _replaced(self, value: Any) -> Any:
        """Return a value with other tensors in it, also inside lists, tuples and dictionaries."""
        if isinstance(value, Tensor):
            return self._instead.get(id(value), value)
        if type(value) in (tuple, list):
            return type(value)(map(self._replaced, value))
        if type(value) is dict:
            return {name: self._replaced(part) for name, part in value.items()}
        return value
