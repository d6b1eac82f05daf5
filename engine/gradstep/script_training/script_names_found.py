"""What a script trains, found by looking at the names of its loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from gradstep.capture.effects import NamedObjects
from gradstep.loop.conventions import RATES


def found_in(names: Mapping[str, Any]) -> NamedObjects:
    """Return the parameters, optimizers and modules that the names of a loop lead to."""
    found = NamedObjects()
    found.look(names)
    return found


def present(names: Mapping[str, Any], found: NamedObjects, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors that the parameters' names stand for now; the last known one if that is none.

    A script that writes `w = w - lr * w.grad` gives the name to another tensor.

    Args:
        names: Names of the loop.
        found: What these lead to.
        wanted: The tensors that the parameters were before, by name.
    """
    return {name: _present(names, found, name, before) for name, before in wanted.items()}


def _present(names: Mapping[str, Any], found: NamedObjects, name: str, before: Tensor) -> Tensor:
    tensor = found.parameters.get(name)
    if tensor is None:
        tensor = names.get(name)
    return tensor if isinstance(tensor, Tensor) and tensor.shape == before.shape else before


def rate_in(names: Mapping[str, Any], optimizers: list[Optimizer]) -> float:
    """Return the learning rate: that of the first optimizer, else a number of a usual name; nan if none."""
    for optimizer in optimizers:
        return _number(optimizer.param_groups[0].get("lr"))
    rates = (_number(names[name]) for name in RATES if name in names)
    return next((rate for rate in rates if rate == rate), float("nan"))


def set_rate_in(names: Mapping[str, Any], rate: float) -> None:
    """Set the learning rate of all parameter groups of the optimizers that names lead to."""
    for optimizer in found_in(names).optimizers:
        for group in optimizer.param_groups:
            if isinstance(group.get("lr"), Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


def _number(value: object) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        return float(value.item())
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def live_memory(optimizers: list[Optimizer], tensor: Tensor) -> dict[str, Tensor]:
    """Return the tensors of the optimizers' state of a parameter, by PyTorch's names."""
    held: dict[str, Tensor] = {}
    for optimizer in optimizers:
        state: Mapping[Any, Any] = optimizer.state.get(tensor, {})
        held |= {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    return held


def total_of(outputs: tuple[Tensor, ...]) -> Tensor:
    """Return the loss: the sum of the tensors that a pass differentiated, as a number."""
    total = torch.zeros(())
    for output in outputs:
        total = output.detach().sum() if len(outputs) == 1 else total + output.detach().sum()
    return total.real.clone() if total.is_complex() else total.clone()
