"""Finds inputs, targets, model, loss function and parameters among the names that a script defines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from torch import Tensor, nn

from gradstep.loop.conventions import CONVENTIONS, Names
from gradstep.scripts.elimination import begins_like, guessed, present
from gradstep.scripts.execution import Namespace
from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.scripts.source import ScriptSource

NEEDS: Final[Mapping[str, str]] = {
    "inputs": "the script has no inputs, a tensor with one of the names {names}",
    "targets": "the script has no targets, a tensor with one of the names {names}",
    "model": "the script has no model, a function or an nn.Module with one of the names {names}",
    "loss": "the script has no loss function, with one of the names {names}",
    "parameter": "the script has no parameter, a tensor with requires_grad=True or an nn.Module",
}
"""Sentence about each part of a problem that is missing; `names` are the conventional names."""

MUST_BE: Final[Mapping[str, str]] = {
    "inputs": "It must be a tensor.",
    "targets": "It must be a tensor.",
    "model": "It must be a function or an nn.Module.",
    "loss": "It must be a function or an nn.Module.",
}
"""Sentence about what each part of a problem must be."""

SMALL: Final = 1_000_000
"""Numbers of a tensor of the script's own that are copied for a check at most."""

LISTED: Final = 4
"""Conventional names that an error message lists at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """Parts of a problem, found in a script."""

    names: Mapping[str, str]
    """Names in the script, by the keys "inputs", "targets", "model" and "loss"."""

    values: Mapping[str, Any]
    """Objects that have these names, by the same keys."""

    parameters: Mapping[str, Tensor]
    """All leaves that require grad, by unambiguous names."""

    modules: Mapping[str, nn.Module]
    """Modules with parameters that require grad, by their names in the script."""

    frozen: Mapping[str, Tensor] = field(default_factory=dict)
    """Parameters of modules that no optimizer updates, by name; they require no grad."""

    constants: tuple[Tensor, ...] = ()
    """Floating-point tensors that training leaves as they are: frozen parameters, buffers, single tensors."""

    notes: tuple[str, ...] = ()
    """Sentences for the learner about what was guessed."""


def find(source: ScriptSource, namespace: Namespace, given: Names) -> Found:
    """Find the parts of a problem by the names that were given, else by convention.

    Args:
        source: Text of the script, for messages.
        namespace: Names that the script defined when it ran.
        given: Names that the learner chose; None for each part to be found by convention.

    Raises:
        ScriptError: A part is missing or has the wrong type, or the script does not define a given name.
    """
    found: dict[str, str] = {}
    missing = list[str]()
    for part in CONVENTIONS:
        name = _named(source, namespace, part, getattr(given, part)) or _by_convention(namespace, part)
        if name is None:
            missing.append(part)
        else:
            found[part] = name
    guesses = guessed(namespace, found) if missing else {}
    missing = [part for part in missing if part not in guesses]
    found |= guesses
    modules = {
        name: module
        for name, module in _modules(namespace).items()
        if any(parameter.requires_grad for parameter in module.parameters())
    }
    parameters = _parameters(namespace, modules, found.get("model", ""))
    if not parameters:
        missing.append("parameter")
    if missing:
        raise _lacks(source, namespace, missing)
    values = {part: namespace[name] for part, name in found.items()}
    return Found(
        found, values, parameters, modules, constants=_constants(namespace), notes=_guess_notes(guesses)
    )


def _lacks(source: ScriptSource, namespace: Namespace, missing: Sequence[str]) -> ScriptError:
    hints = list[str]()
    for part in ("inputs", "targets"):
        near = [name for name in CONVENTIONS[part] if name in namespace and _no_tensor(namespace[name])]
        if near and part in missing:
            kind = type(namespace[near[0]]).__name__
            hints.append(f"{near[0]} has the type {kind}: convert it with torch.tensor({near[0]}).")
    classes = [name for name in CONVENTIONS["model"] if inspect.isclass(namespace.get(name))]
    classes += [name for name, value in namespace.items() if _is_module_class(value, namespace)]
    made = {type(value) for value in namespace.values()}
    classes = [name for name in classes if namespace[name] not in made]
    if classes and "model" in missing:
        hints.append(f"{classes[0]} is a class: create an instance, model = {classes[0]}().")
    hints.append(present(namespace, described))
    sentence = " ".join(hints)
    remedy = None if len(hints) > 1 else Remedy.NAME_PARTS
    words = "; ".join(
        NEEDS[part].format(names=", ".join(CONVENTIONS.get(part, ())[:LISTED])) for part in missing
    )
    return ScriptError(source.path, words, sentence, remedy)


def _guess_notes(guesses: Mapping[str, str]) -> tuple[str, ...]:
    unsure = {part: name for part, name in guesses.items() if not begins_like(part, name)}
    return tuple(
        f"{name} is taken for the {'loss function' if part == 'loss' else part}: --{part} names another"
        for part, name in unsure.items()
    )


def _constants(namespace: Namespace) -> tuple[Tensor, ...]:
    """Return the floating-point tensors that are fixed: those of modules, and small ones of the script."""
    found = dict[int, Tensor]()
    for value in namespace.values():
        if isinstance(value, nn.Module):
            several = [one for _, one in (*value.named_parameters(), *value.named_buffers())]
        else:
            several = [value] if isinstance(value, Tensor) and value.numel() <= SMALL else []
        found |= {id(one): one for one in several if one.is_floating_point() and not one.requires_grad}
    return tuple(found.values())


def described(tensor: Tensor) -> str:
    """Return shape and dtype of a tensor, e.g. `5x3 float32`."""
    return f"{shape_text(tensor)} {str(tensor.dtype).removeprefix('torch.')}"


def shape_text(tensor: Tensor) -> str:
    """Return the shape of a tensor, e.g. `5x3`."""
    return "x".join(map(str, tensor.shape)) if tensor.dim() else "one number"


def _named(source: ScriptSource, namespace: Namespace, part: str, name: str | None) -> str | None:
    """Return the given name after checking it, or None if no name was given."""
    if name is None:
        return None
    own = [defined for defined in namespace if not defined.startswith("__")]
    if name not in own:
        close = get_close_matches(name, own, n=1, cutoff=0.0)
        near = f"Did you mean {close[0]}?" if close else "The script defines nothing."
        raise ScriptError(
            source.path, f"{name} was named as the {part}, and the script defines no {name}", near
        )
    if not FITS[part](namespace[name]):
        kind = type(namespace[name]).__name__
        raise ScriptError(
            source.path, f"{name} was named as the {part}, and has the type {kind}", MUST_BE[part]
        )
    return name


def _by_convention(namespace: Namespace, part: str) -> str | None:
    fits = FITS[part]
    for name in CONVENTIONS[part]:
        if name in namespace and fits(namespace[name]):
            return name
    own = {name: value for name, value in namespace.items() if not name.startswith("_") and fits(value)}
    if part == "model":
        only = [name for name, value in own.items() if isinstance(value, nn.Module) and not _is_loss(value)]
    elif part == "loss":
        only = [name for name, value in own.items() if "loss" in name.lower() or _is_loss(value)]
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
    """Return the script's modules by name, each once, without submodules of another module."""
    named = {
        name: value
        for name, value in namespace.items()
        if isinstance(value, nn.Module) and not name.startswith("_")
    }
    inner = {id(part) for module in named.values() for part in module.modules() if part is not module}
    kept: dict[str, nn.Module] = {}
    for name, module in named.items():
        if id(module) not in inner and not any(module is other for other in kept.values()):
            kept[name] = module
    return kept


def _parameters(namespace: Namespace, modules: Mapping[str, nn.Module], model: str) -> dict[str, Tensor]:
    """Return every leaf that requires grad once: the script's tensors, then those of its modules."""
    found: dict[str, Tensor] = {}
    held = {id(parameter) for module in modules.values() for parameter in module.parameters()}
    candidates = list(_own_leaves(namespace, held))
    for name, module in modules.items():
        prefix = "" if name == model or len(modules) == 1 else name
        candidates += module.named_parameters(prefix)
    seen = set[int]()
    for name, leaf in candidates:
        if leaf.requires_grad and leaf.is_leaf and id(leaf) not in seen:
            seen.add(id(leaf))
            # The script uses the same name for another object.
            taken = name in found or (id(leaf) in held and name in namespace)
            found[f"{model}.{name}" if taken else name] = leaf
    return found


def _own_leaves(namespace: Namespace, held: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Yield the script's tensors: named ones first, then those in lists and dictionaries."""
    named = [(name, value) for name, value in namespace.items() if not name.startswith("__")]
    for name, value in named:
        if isinstance(value, Tensor) and id(value) not in held:
            yield name, value
    for name, several in named:
        if isinstance(several, (list, tuple)):
            elements = [(f"{name}[{index}]", element) for index, element in enumerate(several)]
        elif isinstance(several, dict):
            elements = [(f"{name}[{key!r}]", element) for key, element in several.items()]
        else:
            continue
        yield from (
            (place, element)
            for place, element in elements
            if isinstance(element, Tensor) and id(element) not in held
        )
