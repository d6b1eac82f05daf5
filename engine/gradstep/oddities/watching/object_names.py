"""The script's own names for tensors, optimizers and modules, however deep they are held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

DEPTH: Final = 3
"""Containers inside each other that are looked into."""

WIDTH: Final = 1_000
"""Elements of a container that are looked at."""

_PLAIN: Final = (str, bytes, int, float, complex, bool, type, ModuleType, FunctionType, type(None))


class ObjectNames:
    """Objects that the names of a loop lead to."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        """Look at what names stand for."""
        self.tensors: dict[str, Tensor] = {}
        """Tensors outside of optimizers, by their paths, e.g. `model.0.weight`."""

        self.optimizers: dict[str, Optimizer] = {}
        self.modules: dict[str, nn.Module] = {}
        """Modules that are not parts of other modules."""

        self.lists: dict[str, list[Any]] = {}
        self.has_scheduler = False
        self._seen: set[int] = set()
        self._of: dict[int, str] = {}
        for name, value in names.items():
            if not name.startswith("__"):
                self._take(name, value, 0)
        self._roots_only()

    def name_of(self, value: object) -> str:
        """Return the name of a tensor, optimizer or module; an empty string if it has none."""
        return self._of.get(id(value), "")

    @property
    def leaves(self) -> Iterator[Tensor]:
        """Leaves that require grad, and the parameters of the optimizers."""
        yield from (tensor for tensor in self.tensors.values() if tensor.is_leaf and tensor.requires_grad)
        for optimizer in self.optimizers.values():
            yield from parameters_of(optimizer)

    @property
    def made(self) -> Iterator[tuple[str, Tensor]]:
        """Tensors that were computed with a graph, with their names."""
        return ((name, tensor) for name, tensor in self.tensors.items() if tensor.grad_fn is not None)

    def _take(self, name: str, value: object, depth: int) -> None:
        if isinstance(value, _PLAIN) or depth > DEPTH or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, Tensor):
            self._tensor(name, value)
        elif isinstance(value, nn.Module):
            self._module(name, value)
        elif isinstance(value, Optimizer):
            self.optimizers[name] = value
            self._of.setdefault(id(value), name)
        elif isinstance(value, LRScheduler):
            self.has_scheduler = True
        else:
            if isinstance(value, list):
                self.lists[name] = value
            for inner, part in _parts_if_any(value):
                self._take(f"{name}{inner}", part, depth + 1)

    def _tensor(self, name: str, tensor: Tensor) -> None:
        self.tensors[name] = tensor
        self._of.setdefault(id(tensor), name)

    def _module(self, name: str, module: nn.Module) -> None:
        self.modules[name] = module
        for inner, part in module.named_modules():
            self._of.setdefault(id(part), f"{name}.{inner}" if inner else name)
        for inner, parameter in module.named_parameters():
            self._tensor(f"{name}.{inner}", parameter)
        for inner, part in module.named_modules(prefix=name):
            for attribute, value in vars(part).items():
                if not attribute.startswith("_"):
                    self._take(f"{inner}.{attribute}", value, 1)

    def _roots_only(self) -> None:
        parts = {id(part) for module in self.modules.values() for part in module.children()}
        self.modules = {name: module for name, module in self.modules.items() if id(module) not in parts}


def parameters_of(optimizer: Optimizer) -> Iterator[Tensor]:
    """Yield the parameters that an optimizer holds."""
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


def plain_containers(modules: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Module, list[Tensor]]]:
    """Yield the plain lists, tuples and dictionaries of modules, each with its root and tensors in it."""
    for name, root in modules.items():
        for inner, part in root.named_modules(prefix=name):
            for attribute, value in vars(part).items():
                if isinstance(value, (list, tuple, dict)) and not attribute.startswith("_"):
                    yield f"{inner}.{attribute}", root, list(_tensors_in(value, 0))


def _tensors_in(several: object, depth: int) -> Iterator[Tensor]:
    if isinstance(several, Tensor):
        yield several
    elif isinstance(several, nn.Module):
        yield from several.parameters()
    elif isinstance(several, (list, tuple, dict)) and depth < DEPTH:
        for one in several.values() if isinstance(several, dict) else several:
            yield from _tensors_in(one, depth + 1)


def _parts_if_any(value: object) -> list[tuple[str, Any]]:
    try:
        return list(_parts(value))
    except Exception:  # a class of the learner's may raise anything when it is looked at
        return []


def _parts(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        return ((f"[{i}]", part) for i, part in enumerate(value[-WIDTH:], max(0, len(value) - WIDTH)))
    if isinstance(value, dict):
        return ((f"[{key!r}]", part) for key, part in list(value.items())[:WIDTH])
    if type(value).__module__.partition(".")[0] in ("builtins", "numpy", "torch"):
        return iter(())
    attributes = getattr(value, "__dict__", {})
    return (
        ((f".{key}", part) for key, part in list(attributes.items()))
        if type(attributes) is dict
        else iter(())
    )
