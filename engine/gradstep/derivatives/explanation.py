"""Explanations as data: what a screen needs to show how an event of a backward pass made its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from gradstep.derivatives.sentence import Sentence
from gradstep.derivatives.worked_update import ParameterUpdate

OperandValue: TypeAlias = Tensor | bool | int | float | str | tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Operand:
    """A named value: a tensor, a number or a shape (a tuple); None for a `.grad` that is None."""

    name: str
    value: OperandValue


@dataclass(frozen=True, slots=True)
class Explanation:
    """Explanation of one event, or of an optimizer's step."""

    title: str
    """Autograd's name of the node, or a few words for what the engine did between nodes."""

    source: str | None
    """Forward expression that made the node, e.g. `x @ w.t()`; None if unknown."""

    formulas: tuple[tuple[str, str], ...]
    """Name and formula, a Python expression, of the gradient of each input that needs one."""

    sentences: tuple[Sentence, ...]
    """What happens, in the script's names."""

    operands: tuple[Operand, ...]
    """Incoming gradient `g`, then the other values that the formulas mention."""

    results: tuple[Operand, ...]
    """Outgoing gradients, as PyTorch computed them."""

    where: tuple[tuple[str, str], ...] = ()
    """Names and expressions that the formulas refer to; for an optimizer's step, all its formulas."""

    updates: tuple[ParameterUpdate, ...] = ()
    """For an optimizer's step of which the formulas are known, what it did to each parameter."""

    reason: Sentence | None = None
    """A paragraph on why it happens; None if there is none."""

    @property
    def words(self) -> str:
        """Return what happens: one or several sentences."""
        return " ".join(map(str, self.sentences))
