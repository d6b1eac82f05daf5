"""Guesses parts of a problem whose names no convention knows: by how a name begins, or by what is left."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

MOST_LISTED: Final = 8
"""Objects of one kind that a refusal lists at most."""

_PATTERNS: Final = {
    "inputs": re.compile(r"x(?![a-z])|input|feature|(?:train|data|batch)_x$", re.IGNORECASE),
    "targets": re.compile(r"y(?![a-z])|target|label|(?:train|data|batch)_y$", re.IGNORECASE),
}
"""Beginnings of names of inputs and of targets; or their ends."""

_HELD_OUT: Final = re.compile(r"(?:^|_)(?:test|val|valid|validation|eval|dev)(?:_|$)", re.IGNORECASE)


def guessed(namespace: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, str]:
    """Return names for missing parts of a problem, as far as they can be guessed.

    Args:
        namespace: Names that the script defined.
        found: Names of the parts that are known.
    """
    guesses: dict[str, str] = {}
    data = _data(namespace, found.values())
    for part, other in (("inputs", "targets"), ("targets", "inputs")):
        if part in found:
            continue
        known = found.get(other, guesses.get(other))
        fitting = [name for name in data if name != known and _as_many(namespace, name, known)]
        begins = sorted(
            (name for name in fitting if _PATTERNS[part].search(name)),
            key=lambda name: (not _PATTERNS[part].match(name), "train" not in name.lower()),
        )
        if begins:
            guesses[part] = begins[0]
    left = [name for name in data if name not in guesses.values()]
    missing = [part for part in ("inputs", "targets") if part not in found and part not in guesses]
    if missing and len(left) == len(missing) and len({len(namespace[name]) for name in left}) == 1:
        guesses.update(zip(missing, left, strict=True))
    for part, count in (("model", 1), ("loss", 2)):
        named = [name for name in _functions(namespace, count) if name not in found.values()]
        if part == "model" and len(named) > 1:
            named = _optimized(namespace, named)
        if part not in found and len(named) == 1:
            guesses[part] = named[0]
    return guesses


def _optimized(namespace: Mapping[str, Any], named: Iterable[str]) -> list[str]:
    """Return the names of the modules with a parameter that an optimizer of the script updates."""
    optimizers = [value for value in namespace.values() if isinstance(value, torch.optim.Optimizer)]
    held = {
        id(one) for optimizer in optimizers for group in optimizer.param_groups for one in group["params"]
    }
    modules = ((name, namespace[name]) for name in named if isinstance(namespace[name], nn.Module))
    return [name for name, module in modules if any(id(one) in held for one in module.parameters())]


def begins_like(part: str, name: str) -> bool:
    """Return whether a name is of the kind that is usual for inputs or for targets."""
    return part in _PATTERNS and _PATTERNS[part].search(name) is not None


def _data(namespace: Mapping[str, Any], taken: Collection[str]) -> list[str]:
    """Return the names of tensors that may be inputs or targets, in the order of the script."""
    return [
        name
        for name, value in namespace.items()
        if isinstance(value, Tensor)
        and value.dim() > 0
        and not (value.requires_grad and value.is_leaf)
        and not name.startswith("_")
        and name not in taken
        and not _HELD_OUT.search(name)
    ]


def _as_many(namespace: Mapping[str, Any], name: str, known: str | None) -> bool:
    other = namespace.get(known or "")
    return not isinstance(other, Tensor) or not other.dim() or len(other) == len(namespace[name])


def _functions(namespace: Mapping[str, Any], count: int) -> list[str]:
    """Return the names of the script's own functions that take `count` arguments."""
    return [
        name
        for name, value in namespace.items()
        if inspect.isfunction(value)
        and value.__module__ == namespace["__name__"]
        and not name.startswith("_")
        and _arguments(value) == count
    ]


def _arguments(function: Callable[..., Any]) -> int:
    kinds = inspect.Parameter
    return sum(
        each.default is kinds.empty and each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        for each in inspect.signature(function).parameters.values()
    )


def present(namespace: Mapping[str, Any], shape_of: Callable[[Tensor], str]) -> str:
    """Return a sentence that lists the tensors, models and optimizers that a script defines."""
    own = {name: value for name, value in namespace.items() if not name.startswith("_")}
    tensors = [f"{name} ({shape_of(value)})" for name, value in own.items() if isinstance(value, Tensor)]
    kinds: tuple[tuple[str, list[str]], ...] = (
        ("tensors", tensors),
        ("modules", _of_kind(own, nn.Module)),
        ("optimizers", _of_kind(own, torch.optim.Optimizer)),
        ("functions", [name for count in (1, 2) for name in _functions(namespace, count)]),
    )
    listed = "; ".join(f"{kind} {_some(names)}" for kind, names in kinds if names)
    return f"The script defines {listed}." if listed else "The script defines no tensor, module or optimizer."


def _of_kind(own: Mapping[str, Any], kind: type) -> list[str]:
    return [f"{name} ({type(value).__name__})" for name, value in own.items() if isinstance(value, kind)]


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
    return ", ".join(listed[:MOST_LISTED]) + more
