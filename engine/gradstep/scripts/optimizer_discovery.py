"""Finds a script's optimizer, if the trainer supports it, and its learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.errors import BadInput
from gradstep.loop.conventions import RATES
from gradstep.loop.optimizer_table import ROWS
from gradstep.loop.optimizers import HAND, PYTORCH_NAMES, Optimizer, checked_optimizer
from gradstep.scripts.execution import Namespace

DEFAULT_RATE: Final = 0.01

KINDS: Final = {getattr(torch.optim, name): name for name in PYTORCH_NAMES}
"""Names of the optimizers that can be taken over, by class; a subclass may do anything, so it cannot."""

SWITCHES: Final = ("decoupled_weight_decay", "fused", "differentiable", "capturable")
"""Switches that change what an optimizer computes; the trainer has them only for optimizers whose row of the
table names them."""

SEVERAL: Final = (
    "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: the script has "
    "{count} optimizers"
)
UNSUPPORTED: Final = (
    "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: the supported "
    "optimizers are {names}"
)
GROUPS: Final = (
    "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: it has {count} groups "
    "of parameters"
)
NOT_UPDATED: Final = (
    "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: it does not update "
    "{names}"
)
SWITCH: Final = (
    "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: {switch}={value} is "
    "not supported"
)
OPTION: Final = "the optimizer {kind} is left out and the loop updates by hand, as plain SGD does: {reason}"
HAS_STEPPED: Final = "the optimizer {kind} starts without the state from the script's own steps"
FROZEN: Final = "no optimizer of the script updates {names}, so they stay as they are"
NO_RATE: Final = "the script defines no learning rate ({first} or {second}), so the learning rate is {rate}"


@dataclass(frozen=True, slots=True)
class ScriptUpdate:
    """Optimizer and learning rate that a script uses."""

    optimizer: Optimizer
    rate: float
    notes: tuple[str, ...] = ()
    """Sentences for the learner about what was assumed or left out."""


def discover_update(namespace: Namespace, parameters: Mapping[str, Tensor]) -> ScriptUpdate:
    """Find a script's optimizer and learning rate.

    Args:
        namespace: Names that the script defined when it ran.
        parameters: Trained parameters, by name.
    """
    optimizers = _optimizers(namespace)
    rate, notes = _rate(namespace, optimizers)
    if not optimizers:
        return ScriptUpdate(HAND, rate, notes)
    try:
        chosen = _taken_over(optimizers, parameters)
    except BadInput as reason:
        return ScriptUpdate(HAND, rate, (*notes, str(reason)))
    if _has_stepped(optimizers[0]):
        notes = (*notes, HAS_STEPPED.format(kind=chosen.name))
    return ScriptUpdate(chosen, _number(optimizers[0].param_groups[0]["lr"]), notes)


def _optimizers(namespace: Namespace) -> list[torch.optim.Optimizer]:
    """Return each optimizer once, however many names it has."""
    found = (value for value in namespace.values() if isinstance(value, torch.optim.Optimizer))
    return list({id(optimizer): optimizer for optimizer in found}.values())


def not_held(namespace: Namespace, layers: Mapping[str, Tensor]) -> list[str]:
    """Return the names of layers' parameters that no optimizer updates; none if there is no optimizer.

    Args:
        namespace: Names that the script defined when it ran.
        layers: Parameters of the script's modules, by name.
    """
    groups = (group for optimizer in _optimizers(namespace) for group in optimizer.param_groups)
    held = {id(parameter) for group in groups for parameter in group["params"]}
    lacking = [name for name, parameter in layers.items() if id(parameter) not in held]
    return lacking if len(lacking) < len(layers) else []


def _taken_over(optimizers: Sequence[torch.optim.Optimizer], parameters: Mapping[str, Tensor]) -> Optimizer:
    """Return the trainer's equivalent of a script's optimizer.

    Raises:
        BadInput: The trainer has no equivalent; the message is a note for the learner.
    """
    optimizer = optimizers[0]
    kind = type(optimizer).__name__
    if len(optimizers) > 1:
        raise BadInput(SEVERAL.format(kind=kind, count=len(optimizers)))
    name = KINDS.get(type(optimizer))
    if name is None:
        raise BadInput(UNSUPPORTED.format(kind=kind, names=", ".join(PYTORCH_NAMES)))
    groups = optimizer.param_groups
    if len(groups) > 1:
        raise BadInput(GROUPS.format(kind=kind, count=len(groups)))
    held = {id(parameter) for parameter in groups[0]["params"]}
    lacking = [key for key, parameter in parameters.items() if id(parameter) not in held]
    if lacking:
        raise BadInput(NOT_UPDATED.format(kind=kind, names=", ".join(lacking)))
    row = ROWS[name]
    odd = [
        switch
        for switch in SWITCHES
        if switch in groups[0]
        and switch not in row.options
        and bool(groups[0][switch]) != row.fixed.get(switch, False)
    ]
    if odd:
        raise BadInput(SWITCH.format(kind=kind, switch=odd[0], value=bool(groups[0][odd[0]])))
    options: dict[str, Any] = {option: groups[0][option] for option in row.options if option in groups[0]}
    try:
        return checked_optimizer(Optimizer(name, **options))
    except BadInput as reason:
        raise BadInput(OPTION.format(kind=kind, reason=reason)) from None


def _has_stepped(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether an optimizer has taken a step; some have a state with `step` 0 from the start."""
    return any(state and float(state.get("step", 1)) > 0 for state in optimizer.state.values())


def _rate(namespace: Namespace, optimizers: Sequence[torch.optim.Optimizer]) -> tuple[float, tuple[str, ...]]:
    """Return the learning rate, and notes for the learner about it."""
    for name in RATES:
        value = namespace.get(name)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value), ()
    if optimizers:
        return _number(optimizers[0].param_groups[0]["lr"]), ()
    return DEFAULT_RATE, (NO_RATE.format(first=RATES[0], second=RATES[1], rate=DEFAULT_RATE),)


def _number(rate: Tensor | float) -> float:
    return float(rate.item() if isinstance(rate, Tensor) else rate)
