"""What is trained: inputs, targets, parameters, a model and a loss function, read from a Python script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import BadInput

LOSS_NAMES = ("loss_fn", "criterion", "mse")
"""Names by which a script's loss function is found, in this order."""

SEEDS = (-(2**63), 2**64 - 1)
"""The smallest and the largest that PyTorch takes."""

Labels = tuple[tuple[str, ...], ...]
"""One tuple of names per dimension of a parameter; empty where the dimension has no names."""


@dataclass(frozen=True)
class Problem:
    """A problem, with the live tensors that its script made."""

    name: str
    inputs: Tensor
    targets: Tensor
    parameters: Mapping[str, Tensor]
    """The leaves that require grad, in the order in which the script names them."""

    model: Callable[[Tensor], Tensor]
    loss_fn: Callable[[Tensor, Tensor], Tensor]
    loss_name: str
    """What the script calls its loss function."""

    learning_rate: float
    labels: Mapping[str, Labels]
    """For each parameter, the names along each of its dimensions."""


def load_script(path: Path, seed: int | None = None) -> Problem:
    """Run a problem's script in a namespace of its own and find what it defines.

    Args:
        path: The script.
        seed: None for the script's own start values; a number draws each parameter by `torch.randn` instead.

    Raises:
        BadInput: the script lacks something that a problem needs, or PyTorch cannot take the seed.
    """
    namespace: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    parameters = {
        name: value
        for name, value in namespace.items()
        if isinstance(value, Tensor) and value.is_leaf and value.requires_grad
    }
    loss_name = next((name for name in LOSS_NAMES if callable(namespace.get(name))), None)
    missing = [name for name in ("inputs", "targets", "model") if name not in namespace]
    if missing or loss_name is None or not parameters:
        missing += [] if loss_name else [f"a loss function ({', '.join(LOSS_NAMES)})"]
        missing += [] if parameters else ["a tensor with requires_grad=True"]
        raise BadInput(f"{path}: a problem needs {', '.join(missing)}; define it in the script")
    if seed is not None:
        _draw(parameters.values(), seed)
    return Problem(
        path.stem,
        namespace["inputs"],
        namespace["targets"],
        parameters,
        namespace["model"],
        namespace[loss_name],
        loss_name,
        float(namespace.get("learning_rate", 0.01)),
        _labels(parameters, namespace.get("input_names", ()), namespace.get("target_names", ())),
    )


def _draw(parameters: Iterable[Tensor], seed: int) -> None:
    if not SEEDS[0] <= seed <= SEEDS[1]:
        raise BadInput(f"{seed} is no seed: it must be a whole number from {SEEDS[0]} to {SEEDS[1]}")
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype))


def _labels(
    parameters: Mapping[str, Tensor], inputs: Sequence[str], targets: Sequence[str]
) -> dict[str, Labels]:
    """Name the dimensions as `nn.Linear` has them: (targets, inputs) for a weight, (targets,) for a bias."""
    expected = {2: (tuple(targets), tuple(inputs)), 1: (tuple(targets),)}
    return {
        name: tuple(
            names if len(names) == size else ()
            for names, size in zip(expected.get(value.dim(), ((),) * value.dim()), value.shape, strict=True)
        )
        for name, value in parameters.items()
    }
