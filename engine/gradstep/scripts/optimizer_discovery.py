"""How a script updates its parameters: its optimizer, where the trainer has that, and its learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.errors import BadInput
from gradstep.loop.conventions import RATES
from gradstep.loop.optimizer_table import ROWS
from gradstep.loop.optimizers import HAND, OPTIONS, PYTORCH_NAMES, Optimizer, checked_optimizer
from gradstep.scripts.execution import Namespace

DEFAULT_RATE: Final = 0.01

KINDS: Final = {getattr(torch.optim, name): name for name in PYTORCH_NAMES}
"""Names of the optimizers that can be taken over, by class; a subclass may do anything, so it cannot."""

SWITCHES: Final = ("decoupled_weight_decay", "fused", "differentiable", "capturable")
"""Switches that change what an optimizer computes; the trainer has them only for optimizers whose row of the
table names them."""


@dataclass(frozen=True, slots=True)
class ScriptUpdate:
    """What updates the parameters, and how fast."""

    optimizer: Optimizer
    rate: float
    notes: tuple[str, ...] = ()
    """What there is to say about it."""


def discover_update(namespace: Namespace, parameters: Mapping[str, Tensor]) -> ScriptUpdate:
    """Find how a script updates.

    Args:
        namespace: What it defines.
        parameters: What is trained, by name.
    """
    optimizers = _optimizers(namespace)
    rate, notes = _rate(namespace, optimizers)
    if not optimizers:
        return ScriptUpdate(HAND, rate, notes)
    try:
        chosen = _taken_over(optimizers, parameters)
    except BadInput as reason:
        kind = type(optimizers[0]).__name__
        left = f"the optimizer {kind} is left out, for {reason}: the loop updates by hand, as plain SGD does"
        return ScriptUpdate(HAND, rate, (*notes, left))
    if _has_stepped(optimizers[0]):
        left = f"what the optimizer {chosen.name} remembers from the script is left out"
        notes = (*notes, left)
    return ScriptUpdate(chosen, _number(optimizers[0].param_groups[0]["lr"]), notes)


def _optimizers(namespace: Namespace) -> list[torch.optim.Optimizer]:
    """Give each optimizer once, whatever names it has."""
    found = (one for one in namespace.values() if isinstance(one, torch.optim.Optimizer))
    return list({id(one): one for one in found}.values())


def _taken_over(optimizers: Sequence[torch.optim.Optimizer], parameters: Mapping[str, Tensor]) -> Optimizer:
    """Give the optimizer as the trainer knows it.

    Raises:
        BadInput: it does not know it; the message says why, as the end of a sentence.
    """
    if len(optimizers) > 1:
        raise BadInput(f"it is one of {len(optimizers)}")
    optimizer = optimizers[0]
    name = KINDS.get(type(optimizer))
    if name is None:
        raise BadInput(f"the trainer has {', '.join(OPTIONS)} only")
    if len(optimizer.param_groups) > 1:
        raise BadInput(f"it has {len(optimizer.param_groups)} groups of parameters")
    group = optimizer.param_groups[0]
    held = {id(one) for one in group["params"]}
    lacking = [key for key, one in parameters.items() if id(one) not in held]
    if lacking:
        raise BadInput(f"it does not update {', '.join(lacking)}")
    row = ROWS[name]
    odd = [
        switch
        for switch in SWITCHES
        if switch in group
        and switch not in row.options
        and bool(group[switch]) != row.fixed.get(switch, False)
    ]
    if odd:
        raise BadInput(f"the trainer has no {odd[0]}={bool(group[odd[0]])}")
    options: dict[str, Any] = {option: group[option] for option in row.options if option in group}
    return checked_optimizer(Optimizer(name, **options))


def _has_stepped(optimizer: torch.optim.Optimizer) -> bool:
    """Return whether an optimizer's state comes from a step; some have one from the start, with `step` 0."""
    return any(state and float(state.get("step", 1)) > 0 for state in optimizer.state.values())


def _rate(namespace: Namespace, optimizers: Sequence[torch.optim.Optimizer]) -> tuple[float, tuple[str, ...]]:
    """Give the learning rate, and what is to be said about it."""
    for name in RATES:
        value = namespace.get(name)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value), ()
    if optimizers:
        return _number(optimizers[0].param_groups[0]["lr"]), ()
    return DEFAULT_RATE, (
        f"the script names no learning rate ({', '.join(RATES[:2])}): it is {DEFAULT_RATE}",
    )


def _number(rate: Tensor | float) -> float:
    return float(rate.item() if isinstance(rate, Tensor) else rate)
