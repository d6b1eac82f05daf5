"""A problem's loss at other values of its parameters, or in another precision, without touching the session.

A model does not take its parameters as arguments: its script's functions close over them. So the tensors
stay the same objects and temporarily hold other numbers, set through `.data`, which autograd does not see and
which does not change a tensor's version counter. They hold their own numbers again afterwards, on every way
out. PyTorch makes new `AccumulateGrad` nodes for a leaf whose dtype has changed, so the caller has to build a
live graph anew (`Trainer.restore` does so).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gradstep.errors import EngineError, NotAScalar
from gradstep.learner_code.interruption import interruptible
from gradstep.problem import Problem
from gradstep.torch_internals import DispatchMode
from gradstep.training.pytorch_errors import first_words, learners_code


class LossProbe:
    """Computes the loss of a problem whose tensors hold copies of their numbers; created by `loss_probe`."""

    def __init__(self, problem: Problem, rng: Tensor) -> None:
        """Compute with the numbers that the problem's tensors hold now.

        Args:
            problem: Problem whose loss is computed.
            rng: State of the random number generator before every forward pass.
        """
        self._problem = problem
        self._rng = rng
        self._leaves = tuple(problem.parameters.values())
        self.values = tuple(leaf.data.view(-1) for leaf in self._leaves)
        """Each parameter's numbers, shape `(numel,)`; the next loss is computed from what is written here."""

    def output(self, part: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return predictions and loss, with a graph.

        Args:
            part: Positions of the samples to use, shape `(n,)`; None for all samples.

        Raises:
            PyTorchError: the model or the loss function raised.
            NotAScalar: the loss is not one number.
        """
        torch.set_rng_state(self._rng)
        with learners_code():
            inputs, targets = self._problem.inputs, self._problem.targets
            if part is not None:
                inputs, targets = inputs[part], targets[part]
            preds, loss = interruptible(lambda: self._losses(inputs, targets))
        if loss.numel() != 1:
            raise NotAScalar(tuple(loss.shape))
        return preds, loss

    def _losses(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        preds = self._problem.model(inputs)
        return preds, self._problem.loss_fn(preds, targets)

    def loss(self) -> float:
        """Return the loss as a number; raises as `output` does."""
        return float(self.output()[1].item())

    def gradients(self, part: Tensor | None = None) -> list[Tensor]:
        """Return autograd's dL/dp for each parameter, shape `(numel,)`; zeros if no path leads to the loss.

        Args:
            part: Positions of the samples to use, shape `(n,)`; None for all samples.

        Raises:
            PyTorchError: PyTorch refused a forward or a backward pass.
            NotAScalar: the loss is not one number.
        """
        _, loss = self.output(part)
        with learners_code():  # a learner's own `backward` may raise, too
            total = loss.sum()
            grads = interruptible(lambda: torch.autograd.grad(total, self._leaves, allow_unused=True))
        return [
            torch.zeros_like(values) if grad is None else grad.detach().reshape(-1)
            for values, grad in zip(self.values, grads, strict=True)
        ]

    def coarsest(self) -> torch.dtype:
        """Return the dtype with the fewest digits among all tensors from which the loss is computed."""
        with _Types() as types:
            self.output()
        found: torch.dtype = max(types.seen or {torch.get_default_dtype()}, key=eps_of)
        return found


@contextmanager
def loss_probe(problem: Problem, rng: Tensor, dtype: torch.dtype | None = None) -> Iterator[LossProbe]:
    """Let a problem's tensors hold copies of their numbers inside the `with` block.

    Args:
        problem: Problem whose parameters, inputs and targets hold their own numbers again afterwards.
        rng: State of the random number generator before every forward pass.
        dtype: Dtype of the copies of floating point numbers; None for the tensors' own.
    """
    tensors: Sequence[Tensor] = [
        *problem.parameters.values(),
        problem.inputs,
        problem.targets,
        *problem.constants,
    ]
    owned = [(tensor, tensor.data) for tensor in {id(tensor): tensor for tensor in tensors}.values()]
    try:
        for tensor, data in owned:
            kind = dtype if dtype is not None and data.is_floating_point() else data.dtype
            tensor.data = torch.empty(data.shape, dtype=kind, device=data.device).copy_(data)
        yield LossProbe(problem, rng)
    finally:
        for tensor, data in owned:
            tensor.data = data


def why_not_double(problem: Problem, rng: Tensor) -> str:
    """Return the reason why a problem cannot be computed in float64, or an empty string if it can."""
    try:
        with loss_probe(problem, rng, torch.float64) as probe:
            coarsest = probe.coarsest()
            probe.gradients()
    except (EngineError, RuntimeError) as error:
        return first_words(error)
    if eps_of(coarsest) > eps_of(torch.float64):
        return f"the model or the loss function computes in {name_of(coarsest)}, whatever it is given"
    return ""


def eps_of(dtype: torch.dtype) -> float:
    """Return the distance from 1 to the next larger number of a dtype."""
    return float(torch.finfo(dtype).eps)


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a dtype, e.g. `float64`."""
    return str(dtype).removeprefix("torch.")


class _Types(DispatchMode):
    """Dispatch mode that collects the dtypes of the floating-point tensors that operations return."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else (result,):
            if isinstance(part, Tensor) and part.is_floating_point():
                self.seen.add(part.dtype)
        return result
