"""What a statement does, observed when it runs: statements are not told apart by what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradstep.loop.roles import Role
from gradstep.tensors.bitwise import same_bits


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of one run of a statement."""

    roles: frozenset[Role]
    """Everything that was seen, in no order; empty if nothing was."""

    changed: tuple[str, ...] = ()
    """Parameters whose numbers changed, by name."""

    @property
    def role(self) -> Role:
        """Purpose of the statement: the weightiest of the effects that were seen."""
        return next((role for role in Role if role in self.roles), Role.OTHER)


class Observed:
    """State of a scope at one moment, as far as it can be seen."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        """Look at what names stand for; numbers of parameters and gradients are copied."""
        found = NamedObjects()
        found.look(names)
        self.parameters = found.parameters
        self.values = {name: p.detach().clone() for name, p in found.parameters.items()}
        self.grads = {name: _copy(p.grad) for name, p in found.parameters.items()}
        self.settings = [_settings(optimizer) for optimizer in found.optimizers]
        self.modes = [module.training for root in found.modules for module in root.modules()]
        self.graphs = {
            name: id(v) for name, v in names.items() if isinstance(v, Tensor) and v.grad_fn is not None
        }
        self.plain = {name: id(v) for name, v in names.items() if isinstance(v, Tensor) and v.grad_fn is None}
        self.lengths = {name: len(v) for name, v in names.items() if isinstance(v, list)}
        self.random = torch.get_rng_state()


@dataclass(slots=True)
class Seen:
    """Counts of events while a statement ran."""

    passes: int = 0
    draws: int = 0
    printed: int = 0
    calls_without_graph: int = 0


def effects_between(before: Observed, after: Observed, seen: Seen) -> Effects:
    """Return what a statement did, from what was seen before and after it and while it ran."""
    changed = tuple(
        n for n, old in before.values.items() if n in after.values and not same_bits(old, after.values[n])
    )
    tests: Mapping[Role, bool] = {
        Role.BACKWARD: seen.passes > 0,
        Role.UPDATE: bool(changed),
        Role.ZERO: _zeroed(before, after),
        Role.CLIP: not seen.passes and _rescaled(before, after),
        Role.FORWARD: any(before.graphs.get(name) != graph for name, graph in after.graphs.items()),
        Role.SCHEDULE: before.settings != after.settings,
        Role.EVALUATE: seen.calls_without_graph > 0,
        Role.MODE: before.modes != after.modes,
        Role.DRAW: seen.draws > 0
        or not torch.equal(before.random, after.random)
        or any(before.plain.get(name) != tensor for name, tensor in after.plain.items()),
        Role.LOG: seen.printed > 0
        or any(n > before.lengths.get(name, n) for name, n in after.lengths.items()),
    }
    return Effects(frozenset(role for role, is_so in tests.items() if is_so), changed)


def _zeroed(before: Observed, after: Observed) -> bool:
    for name, grad in before.grads.items():
        now = after.grads.get(name)
        if grad is not None and bool(grad.any()) and (now is None or not bool(now.any())):
            return True
        if grad is not None and now is None:
            return True
    return False


def _rescaled(before: Observed, after: Observed) -> bool:
    both = ((grad, after.grads.get(name)) for name, grad in before.grads.items())
    return any(a is not None and b is not None and bool(b.any()) and not same_bits(a, b) for a, b in both)


def _copy(grad: Tensor | None) -> Tensor | None:
    return None if grad is None or grad.layout != torch.strided else grad.detach().clone()


def _settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    plain = (bool, int, float, tuple)
    return [{k: v for k, v in group.items() if isinstance(v, plain)} for group in optimizer.param_groups]


class NamedObjects:
    """Parameters, optimizers and modules that names lead to."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parameters: dict[str, Tensor] = {}
        self.optimizers: list[Optimizer] = []
        self.modules: list[nn.Module] = []
        self._seen: set[int] = set()

    def look(self, names: Mapping[str, Any]) -> None:
        """Look at what names stand for, and at what that holds."""
        for name, value in names.items():
            if not name.startswith("__"):
                self._take(name, value, 0)

    def _take(self, name: str, value: object, depth: int) -> None:
        if id(value) in self._seen or depth > DEPTH:
            return
        self._seen.add(id(value))
        if isinstance(value, Tensor):
            self._parameter(name, value)
        elif isinstance(value, nn.Module):
            self.modules.append(value)
            for inner, parameter in value.named_parameters():
                self._parameter(f"{name}.{inner}", parameter)
        elif isinstance(value, Optimizer):
            self.optimizers.append(value)
            for number, parameter in enumerate(p for group in value.param_groups for p in group["params"]):
                self._parameter(f"{name}[{number}]", parameter)
        else:
            for inner, part in _parts(value):
                self._take(f"{name}{inner}", part, depth + 1)

    def _parameter(self, name: str, tensor: Tensor) -> None:
        known = any(tensor is other for other in self.parameters.values())
        if tensor.is_leaf and tensor.requires_grad and tensor.layout == torch.strided and not known:
            self.parameters[name] = tensor


DEPTH: Final = 3
"""Containers inside each other that are looked into."""

WIDTH: Final = 1_000
"""Elements of a container that are looked at."""

_CONTAINERS: Final[Mapping[type, Callable[[Any], Iterator[tuple[str, Any]]]]] = {
    list: lambda value: ((f"[{i}]", part) for i, part in enumerate(value[:WIDTH])),
    tuple: lambda value: ((f"[{i}]", part) for i, part in enumerate(value[:WIDTH])),
    dict: lambda value: ((f"[{key!r}]", part) for key, part in list(value.items())[:WIDTH]),
}


def _parts(value: object) -> Iterator[tuple[str, Any]]:
    for kind, parts in _CONTAINERS.items():
        if isinstance(value, kind):
            return parts(value)
    if type(value).__module__ in ("builtins", "numpy", "torch") or isinstance(value, type):
        return iter(())
    attributes = getattr(value, "__dict__", {})
    return (
        ((f".{name}", part) for name, part in attributes.items())
        if isinstance(attributes, dict)
        else iter(())
    )
