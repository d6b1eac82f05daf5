"""Expressions in a loop's scope that lead to its parameters and optimizers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradstep.capture.effects import DEPTH, WIDTH

Named = dict[str, Tensor]
"""Tensors by name, e.g. `model.0.weight`."""


@dataclass(slots=True)
class Owners:
    """What a loop trains, and where it is found."""

    parameters: Named = field(default_factory=dict)
    """Leaf tensors that require grad, by the name under which a session shows them."""

    expressions: list[str] = field(default_factory=list)
    """Expressions for the tensors, modules and containers that hold the parameters."""

    optimizers: list[str] = field(default_factory=list)
    """Expressions for the optimizers."""

    schedulers: list[str] = field(default_factory=list)
    """Expressions for the schedulers of learning rates."""


def owners_in(names: Mapping[str, Any]) -> Owners:
    """Return what the names of a loop lead to."""
    search = _Search()
    for name, value in names.items():
        if not name.startswith("__") and name.isidentifier():
            search.take(name, value, name, 0)
    return search.found


def tensors_of(expressions: Sequence[str], names: Mapping[str, Any]) -> Named:
    """Return the tensors that the owners of parameters hold now, by name.

    Args:
        expressions: Expressions of the owners.
        names: Names of the loop.
    """
    found: Named = {}
    for expression in expressions:
        value = eval(expression, dict(names))
        found |= {name: tensor for name, tensor in _held(expression, value) if name not in found}
    return found


class _Search:
    """Walks from names to parameters as the effects of a statement are found, and notes the way."""

    def __init__(self) -> None:
        self.found = Owners()
        self._seen: set[int] = set()

    def take(self, name: str, value: object, owner: str, depth: int) -> None:
        if id(value) in self._seen or depth > DEPTH:
            return
        self._seen.add(id(value))
        if isinstance(value, Tensor | nn.Module | Optimizer):
            if isinstance(value, Optimizer):
                self.found.optimizers.append(name)
            for inner, tensor in _held(name, value):
                self._parameter(inner, tensor, owner)
            return
        if isinstance(value, LRScheduler):
            self.found.schedulers.append(name)
            return
        for inner, part, is_held in _parts(value):
            path = f"{name}{inner}"
            self.take(path, part, owner if is_held and isinstance(part, _HOLDERS) else path, depth + 1)

    def _parameter(self, name: str, tensor: Tensor, owner: str) -> None:
        known = any(tensor is other for other in self.found.parameters.values())
        if tensor.is_leaf and tensor.requires_grad and tensor.layout == torch.strided and not known:
            self.found.parameters[name] = tensor
            if owner not in self.found.expressions:
                self.found.expressions.append(owner)


_HOLDERS = (Tensor, nn.Module, Optimizer, list, tuple, dict)


def _held(name: str, value: object) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that a tensor, a module, an optimizer or a container of such holds, by name."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, nn.Module):
        for inner, tensor in value.named_parameters():
            yield f"{name}.{inner}", tensor
    elif isinstance(value, Optimizer):
        parameters = (tensor for group in value.param_groups for tensor in group["params"])
        yield from ((f"{name}[{number}]", tensor) for number, tensor in enumerate(parameters))
    elif isinstance(value, list | tuple | dict):
        for inner, part, _ in _parts(value):
            yield from _held(f"{name}{inner}", part)


def _parts(value: object) -> Iterator[tuple[str, Any, bool]]:
    """Yield the parts of an object, each with the end of its expression and whether a container holds it."""
    if isinstance(value, list | tuple):
        yield from ((f"[{number}]", part, True) for number, part in enumerate(value[:WIDTH]))
    elif isinstance(value, dict):
        plain = (str, int, float, bool, bytes)
        pairs = list(value.items())[:WIDTH]
        yield from ((f"[{key!r}]", part, True) for key, part in pairs if isinstance(key, plain))
    elif type(value).__module__ not in ("builtins", "numpy", "torch") and not isinstance(value, type):
        attributes = getattr(value, "__dict__", {})
        if isinstance(attributes, dict):
            yield from ((f".{name}", part, False) for name, part in attributes.items() if name.isidentifier())
