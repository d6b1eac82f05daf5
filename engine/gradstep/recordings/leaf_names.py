"""Names of a program's leaves, found in the frames of the functions that are running.

A name is what a learner would type there: `w`, `model.0.weight`, `self.net.bias`, `params[1]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from types import FrameType, ModuleType
from typing import Any, Final

from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

MOST_FRAMES: Final = 50
"""Frames that are looked at, innermost first."""

MOST_ITEMS: Final = 1_000
"""Items of one list or dictionary that are looked at."""


def names_of(
    leaves: Iterable[Tensor], frame: FrameType | None, known: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return leaves by name, each once; one without a name in any frame is called `leaf 1` and so on.

    Args:
        leaves: The leaves.
        frame: Innermost frame of the program; the frames that called it are looked at as well.
        known: Leaves that have a name already, which stays.
    """
    wanted = {id(leaf): leaf for leaf in leaves}
    found = {id(leaf): name for name, leaf in known.items() if id(leaf) in wanted}
    spaces = [*_namespaces(frame)]
    for kind in (_module_names, _tensor_names, _optimizer_names):  # a loop's variable names parameters, too
        for names in spaces:
            if len(found) == len(wanted):
                break
            for name, value in [*names.items()]:
                for called, leaf in () if name.startswith("__") else kind(name, value):
                    if id(leaf) in wanted:
                        found.setdefault(id(leaf), called)
    return _unique(wanted, found, {name for name, leaf in known.items() if id(leaf) not in wanted})


def optimizers_of(frame: FrameType | None, leaves: Iterable[Tensor]) -> list[Optimizer]:
    """Return the optimizers with names in the frames of a program that hold some of its leaves."""
    wanted, found = {id(leaf) for leaf in leaves}, dict[int, Optimizer]()
    for names in _namespaces(frame):
        for value in [*names.values()]:
            for part in (value, *(part for _, part in _attributes(value))):
                if issubclass(type(part), Optimizer):
                    held = (leaf for group in part.param_groups for leaf in group["params"])
                    if any(id(leaf) in wanted for leaf in held):
                        found[id(part)] = part
    return [*found.values()]


def rate_of(optimizer: Optimizer) -> float | None:
    """Return the learning rate of an optimizer's first group; None if it has none."""
    rate = optimizer.param_groups[0].get("lr") if optimizer.param_groups else None
    return float(rate) if isinstance(rate, (int, float, Tensor)) else None


def _unique(
    wanted: Mapping[int, Tensor], found: Mapping[int, str], taken: Collection[str]
) -> dict[str, Tensor]:
    named: dict[str, Tensor] = {}
    order = dict.fromkeys([*found, *wanted])
    for number, (key, leaf) in enumerate(((key, wanted[key]) for key in order), 1):
        name = plain = found.get(key, f"leaf {number}")
        again = 1
        while name in named or name in taken:
            again += 1
            name = f"{plain} ({again})"
        named[name] = leaf
    return named


def _namespaces(frame: FrameType | None) -> Iterator[Mapping[str, Any]]:
    """Yield the local names of each frame, then the global ones of each, innermost first."""
    frames = list[FrameType]()
    while frame is not None and len(frames) < MOST_FRAMES:
        frames.append(frame)
        frame = frame.f_back
    yield from (found.f_locals for found in frames)
    seen = set[int]()
    for found in frames:
        if id(found.f_globals) not in seen:
            seen.add(id(found.f_globals))
            yield found.f_globals


def _module_names(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if issubclass(type(value), Module):
        yield from _parameters(name, value)
    elif name == "self" or not issubclass(type(value), (Tensor, ModuleType, type, Optimizer)):
        for attribute, part in _attributes(value):
            if issubclass(type(part), Module):
                yield from _parameters(f"{name}.{attribute}", part)


def _parameters(name: str, module: Module) -> Iterator[tuple[str, Tensor]]:
    with suppress(Exception):  # a module of a learner's own may do anything here
        yield from ((f"{name}.{inner}", parameter) for inner, parameter in module.named_parameters())


def _tensor_names(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if issubclass(type(value), Tensor):
        yield name, value
        return
    for inner, part in _items(value):
        if issubclass(type(part), Tensor):
            yield f"{name}[{inner!r}]", part
        else:
            for deeper, item in _items(part):
                if issubclass(type(item), Tensor):
                    yield f"{name}[{inner!r}][{deeper!r}]", item
    for attribute, part in _attributes(value):
        if issubclass(type(part), Tensor):
            yield f"{name}.{attribute}", part


def _optimizer_names(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if issubclass(type(value), Optimizer):
        for number, group in enumerate(value.param_groups):
            for place, leaf in enumerate(group.get("params", ())):
                yield f"{name}.param_groups[{number}]['params'][{place}]", leaf


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a plain list, tuple or dictionary, with the index or key of each."""
    if type(value) in (list, tuple):
        yield from enumerate(value[:MOST_ITEMS])
    elif type(value) is dict:
        yield from [*value.items()][:MOST_ITEMS]


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object of a class of the program's own."""
    kind = type(value)
    if kind.__module__ in ("builtins", "torch", "numpy") or issubclass(kind, (Module, ModuleType, type)):
        return
    held: Any = None
    with suppress(Exception):  # an object of a learner's own may do anything here
        held = object.__getattribute__(value, "__dict__")
    if type(held) is dict:
        yield from [*held.items()][:MOST_ITEMS]
