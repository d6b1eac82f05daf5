"""One number of a parameter through every formula of an optimizer's step, with PyTorch's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor

from gradstep.derivatives.expressions import names_in
from gradstep.loop.optimizers import Optimizer

PARAMETER: Final = "p"
"""Name of the parameter in the formulas."""


@dataclass(frozen=True, slots=True)
class WorkedFormula:
    """A formula of a step with the numbers in it, for one number of a parameter."""

    target: str
    """Name of what is computed: `p` for the parameter."""

    expression: str
    """Python expression of `p`, `grad`, the options, and what was computed before."""

    values: Mapping[str, float]
    """Number that each name in the expression stands for."""

    result: float
    """Number that PyTorch computed; of what it does not keep, that of the formula in double precision."""


@dataclass(frozen=True, slots=True, eq=False)
class ParameterUpdate:
    """A step of a `torch.optim` optimizer for one parameter."""

    name: str
    before: Tensor
    grad: Tensor
    after: Tensor
    memory_before: Mapping[str, Tensor]
    """State tensors by PyTorch's names; empty before the first step."""

    memory_after: Mapping[str, Tensor]
    optimizer: Optimizer
    learning_rate: float

    @property
    def formulas(self) -> tuple[tuple[str, str], ...]:
        """Targets and expressions in the order in which they are computed."""
        row, values = self.optimizer.row, self.optimizer.values
        return tuple(row.lines(values, first=not self.memory_before))

    @property
    def options(self) -> dict[str, float]:
        """Learning rate and options that the formulas mention or that were chosen, by the formulas' names."""
        known: dict[str, Any] = {"lr": self.learning_rate}
        for name, value in self.optimizer.values.items():
            known |= (
                dict(zip(("beta1", "beta2"), value, strict=True))
                if isinstance(value, tuple)
                else {name: value}
            )
        used = {name for _, expression in self.formulas for name in names_in(expression)}
        used |= {name for name in self.optimizer.options if not isinstance(known.get(name), bool)}
        return {name: float(value) for name, value in known.items() if name in used}

    def worked(self, index: Sequence[int]) -> tuple[WorkedFormula, ...]:
        """Return the formulas with the numbers of one number of the parameter.

        Args:
            index: Index of the number in the parameter.
        """
        known = dict.fromkeys(self.memory_after, 0.0)
        known |= {name: _at(tensor, index) for name, tensor in self.memory_before.items()}
        known |= self.options
        known |= {PARAMETER: _at(self.before, index), "grad": _at(self.grad, index)}
        kept = {name: _at(tensor, index) for name, tensor in self.memory_after.items()}
        kept[PARAMETER] = _at(self.after, index)
        last = {target: place for place, (target, _) in enumerate(self.formulas)}
        made = list[WorkedFormula]()
        for place, (target, expression) in enumerate(self.formulas):
            used = {name: known[name] for name in names_in(expression) if name in known}
            is_kept = target in kept and last[target] == place
            known[target] = kept[target] if is_kept else _value(expression, known)
            made.append(WorkedFormula(target, expression, used, known[target]))
        return tuple(made)


def _value(expression: str, known: Mapping[str, float]) -> float:
    """Return the value of a formula; nan if it has none, as the root of a number below 0."""
    try:
        made = eval(expression, {"__builtins__": {}, "sqrt": math.sqrt, "maximum": max}, dict(known))
    except (ArithmeticError, ValueError):
        return math.nan
    return float(made)


def _at(tensor: Tensor, index: Sequence[int]) -> float:
    """Return a number of a tensor; of a counter, which is one for the whole parameter, its value."""
    return float(tensor[tuple(index)] if tensor.dim() else tensor)
