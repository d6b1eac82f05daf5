"""A problem's loss at other values of its parameters, or in another precision, apart from the session.

A model finds its parameters by itself: its script's functions close over them. So the tensors stay the same
objects and are lent other numbers, by `.data`, which autograd does not see and no version counts; and they
get their own back on every way out. What then remains to be done is the caller's: PyTorch makes new
`AccumulateGrad` nodes for a leaf whose type has changed, so a live graph has to be built anew
(`Trainer.restore` does it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gradstep.errors import OWN_CODE, EngineError, NotAScalar
from gradstep.problem import Problem
from gradstep.torch_internals import DispatchMode
from gradstep.training.pytorch_errors import first_words, in_its_own_words


class Apart:
    """A problem whose tensors hold copies; made by `apart`."""

    def __init__(self, problem: Problem, rng: Tensor) -> None:
        """Compute with the numbers that its tensors hold now, and each time the same random ones."""
        self._problem = problem
        self._rng = rng
        self._leaves = tuple(problem.parameters.values())
        self.values = tuple(leaf.data.view(-1) for leaf in self._leaves)
        """Each parameter's numbers, flat: what is written here, the next loss is computed from."""

    def output(self, part: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute predictions and loss, with a graph, for the samples at the places `part`, or for all.

        Raises:
            PyTorchError: the model or the loss function raised.
            NotAScalar: the loss is not one number.
        """
        torch.set_rng_state(self._rng)
        with in_its_own_words(*OWN_CODE):  # a problem's own code may raise anything
            inputs, targets = self._problem.inputs, self._problem.targets
            if part is not None:
                inputs, targets = inputs[part], targets[part]
            preds = self._problem.model(inputs)
            loss = self._problem.loss_fn(preds, targets)
        if loss.numel() != 1:
            raise NotAScalar(tuple(loss.shape))
        return preds, loss

    def loss(self) -> float:
        """Compute the loss as a number; raises as `output` does."""
        return float(self.output()[1].item())

    def gradients(self, part: Tensor | None = None) -> list[Tensor]:
        """Have autograd compute dL/dp for each parameter, flat; zeros where no path leads to the loss.

        `part` is as for `output`.

        Raises:
            PyTorchError: PyTorch refused.
            NotAScalar: the loss is not one number.
        """
        _, loss = self.output(part)
        with in_its_own_words(*OWN_CODE):  # so may a backward of a learner's own
            grads = torch.autograd.grad(loss.sum(), self._leaves, allow_unused=True)
        return [
            torch.zeros_like(values) if grad is None else grad.detach().reshape(-1)
            for values, grad in zip(self.values, grads, strict=True)
        ]

    def coarsest(self) -> torch.dtype:
        """Give the type with the fewest digits of all that the loss is computed through."""
        with _Types() as types:
            self.output()
        found: torch.dtype = max(types.seen or {torch.get_default_dtype()}, key=eps_of)
        return found


@contextmanager
def apart(problem: Problem, rng: Tensor, dtype: torch.dtype | None = None) -> Iterator[Apart]:
    """Lend a problem's tensors copies of their numbers.

    Args:
        problem: Its parameters, inputs and targets get their own numbers back at the end.
        rng: The random number generator's state before every forward pass.
        dtype: What the copies of real numbers become; None for what they are.
    """
    tensors: Sequence[Tensor] = [*problem.parameters.values(), problem.inputs, problem.targets]
    owned = [(one, one.data) for one in {id(one): one for one in tensors}.values()]
    try:
        for one, data in owned:
            kind = dtype if dtype is not None and data.is_floating_point() else data.dtype
            one.data = torch.empty(data.shape, dtype=kind, device=data.device).copy_(data)
        yield Apart(problem, rng)
    finally:
        for one, data in owned:
            one.data = data


def why_not_double(problem: Problem, rng: Tensor) -> str:
    """Say why a problem cannot be computed in float64; empty where it can."""
    try:
        with apart(problem, rng, torch.float64) as where:
            coarsest = where.coarsest()
            where.gradients()
    except (EngineError, RuntimeError) as error:
        return first_words(error)
    if eps_of(coarsest) > eps_of(torch.float64):
        return f"on the way it computes in {name_of(coarsest)}, whatever it is given"
    return ""


def eps_of(dtype: torch.dtype) -> float:
    """Give the distance from 1 to the next larger number."""
    return float(torch.finfo(dtype).eps)


def name_of(dtype: torch.dtype) -> str:
    """Give a type's name, e.g. `float64`."""
    return str(dtype).removeprefix("torch.")


class _Types(DispatchMode):
    """Sees the type of every tensor of real numbers that an operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, Tensor) and one.is_floating_point():
                self.seen.add(one.dtype)
        return made
