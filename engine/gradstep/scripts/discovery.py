"""Finds what is trained among the names that a script defines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from torch import Tensor, nn

from gradstep.loop.conventions import CONVENTIONS, Names
from gradstep.scripts.execution import Namespace
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource

NEEDS: Final[Mapping[str, str]] = {
    "inputs": "inputs, a tensor ({})",
    "targets": "targets, a tensor ({})",
    "model": "a model, which is a function or an nn.Module ({})",
    "loss": "a loss function ({})",
    "parameter": "a parameter: a tensor with requires_grad=True, or an nn.Module",
}
"""What a problem consists of, with the names by which it is found."""

LISTED: Final = 4
"""How many of these names are told."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a script defines, and what it calls it."""

    names: Mapping[str, str]
    """The script's name for its "inputs", "targets", "model" and "loss"."""

    values: Mapping[str, Any]
    """What these names stand for."""

    parameters: Mapping[str, Tensor]
    """All leaves that require grad, by the names under which they can be told apart."""

    modules: Mapping[str, nn.Module]
    """The modules that some of them belong to, by the script's names."""


def find(source: ScriptSource, namespace: Namespace, given: Names) -> Found:
    """Find what a problem needs.

    Raises:
        ScriptError: something is missing, is no tensor, or cannot be called; or a name that was given is not
            there.
    """
    found: dict[str, str] = {}
    missing = list[str]()
    for part, conventions in CONVENTIONS.items():
        name = _named(source, namespace, part, getattr(given, part)) or _by_convention(namespace, part)
        if name is None:
            missing.append(NEEDS[part].format(", ".join(conventions[:LISTED])))
        else:
            found[part] = name
    modules = {
        name: one
        for name, one in _modules(namespace).items()
        if any(leaf.requires_grad for leaf in one.parameters())
    }
    parameters = _parameters(namespace, modules, found.get("model", ""))
    if not parameters:
        missing.append(NEEDS["parameter"])
    if missing:
        raise _lacks(source, namespace, missing)
    values = {part: namespace[name] for part, name in found.items()}
    return Found(found, values, parameters, modules)


def _lacks(source: ScriptSource, namespace: Namespace, missing: Sequence[str]) -> ScriptError:
    hints = list[str]()
    for part in ("inputs", "targets"):
        near = [name for name in CONVENTIONS[part] if name in namespace and _no_tensor(namespace[name])]
        if near and any(one.startswith(part) for one in missing):
            kind = type(namespace[near[0]]).__name__
            hints.append(f"{near[0]} is of type {kind}: make it a tensor with torch.tensor({near[0]})")
    classes = [name for name in CONVENTIONS["model"] if inspect.isclass(namespace.get(name))]
    classes += [name for name, one in namespace.items() if _is_module_class(one, namespace)]
    if classes and any("model" in one for one in missing):
        hints.append(f"{classes[0]} is a class: make one, model = {classes[0]}()")
    sentence = (
        "; ".join(hints)
        or "Define it in the script, or tell its name there: --inputs, --targets, --model, --loss"
    )
    return ScriptError(source.path, f"lacks {'; and '.join(missing)}", f"{sentence}.")


def _named(source: ScriptSource, namespace: Namespace, part: str, name: str | None) -> str | None:
    """Check a name that was given; None where none was."""
    if name is None:
        return None
    own = [one for one in namespace if not one.startswith("__")]
    if name not in own:
        close = get_close_matches(name, own, n=1, cutoff=0.0)
        near = f"Did you mean {close[0]}?" if close else "It defines nothing."
        raise ScriptError(source.path, f"--{part} {name}: the script defines no {name}", near)
    if not FITS[part](namespace[name]):
        kind = type(namespace[name]).__name__
        wanted = "a tensor" if FITS[part] is _is_tensor else "something that can be called"
        raise ScriptError(source.path, f"--{part} {name}: this is a {kind}", f"It must be {wanted}.")
    return name


def _by_convention(namespace: Namespace, part: str) -> str | None:
    fits = FITS[part]
    for name in CONVENTIONS[part]:
        if name in namespace and fits(namespace[name]):
            return name
    own = {name: one for name, one in namespace.items() if not name.startswith("_") and fits(one)}
    if part == "model":
        only = [name for name, one in own.items() if isinstance(one, nn.Module) and not _is_loss(one)]
    elif part == "loss":
        only = [name for name, one in own.items() if "loss" in name.lower() or _is_loss(one)]
    else:
        only = []
    return only[0] if len(only) == 1 else None


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _can_be_called(value: object) -> bool:
    return callable(value) and not inspect.isclass(value) and not inspect.ismodule(value)


FITS: Final[Mapping[str, Callable[[object], bool]]] = {
    "inputs": _is_tensor,
    "targets": _is_tensor,
    "model": _can_be_called,
    "loss": _can_be_called,
}


def _no_tensor(value: object) -> bool:
    return not isinstance(value, Tensor) and not callable(value)


def _is_loss(value: object) -> bool:
    return isinstance(value, nn.Module) and type(value).__module__ == "torch.nn.modules.loss"


def _is_module_class(value: object, namespace: Namespace) -> bool:
    own = namespace["__name__"]
    return inspect.isclass(value) and issubclass(value, nn.Module) and value.__module__ == own


def _modules(namespace: Namespace) -> dict[str, nn.Module]:
    """Give the script's modules, each once, without those that are part of another one."""
    named = {name: one for name, one in namespace.items() if isinstance(one, nn.Module) and name[0] != "_"}
    inner = {id(part) for one in named.values() for part in one.modules() if part is not one}
    kept: dict[str, nn.Module] = {}
    for name, one in named.items():
        if id(one) not in inner and not any(one is other for other in kept.values()):
            kept[name] = one
    return kept


def _parameters(namespace: Namespace, modules: Mapping[str, nn.Module], model: str) -> dict[str, Tensor]:
    """Give every leaf that requires grad once: the script's own, in order, then those of its modules."""
    found: dict[str, Tensor] = {}
    held = {id(one) for module in modules.values() for one in module.parameters()}
    candidates = list(_own_leaves(namespace, held))
    for name, module in modules.items():
        prefix = "" if name == model or len(modules) == 1 else name
        candidates += module.named_parameters(prefix)
    seen = set[int]()
    for name, leaf in candidates:
        if leaf.requires_grad and leaf.is_leaf and id(leaf) not in seen:
            seen.add(id(leaf))
            # What the script itself calls so is something else.
            taken = name in found or (id(leaf) in held and name in namespace)
            found[f"{model}.{name}" if taken else name] = leaf
    return found


def _own_leaves(namespace: Namespace, held: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Give the script's tensors, those with a name of their own before those in a list or a dictionary."""
    named = [(name, one) for name, one in namespace.items() if not name.startswith("__")]
    for name, one in named:
        if isinstance(one, Tensor) and id(one) not in held:
            yield name, one
    for name, several in named:
        if isinstance(several, (list, tuple)):
            places = [(f"{name}[{place}]", one) for place, one in enumerate(several)]
        elif isinstance(several, dict):
            places = [(f"{name}[{key!r}]", one) for key, one in several.items()]
        else:
            continue
        yield from ((place, one) for place, one in places if isinstance(one, Tensor) and id(one) not in held)
