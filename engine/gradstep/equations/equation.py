"""An event of a backward pass as an equation, in the learner's own names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Operator(StrEnum):
    """How the gradient that arrives and the local derivative make the gradient that leaves."""

    TIMES = "times"
    """Element by element: `upstream * local`, with broadcasting."""

    MATMUL = "matmul"
    """Product of matrices: `upstream @ local`."""

    MATMUL_LEFT = "matmul left"
    """Product of matrices, the local derivative first: `local @ upstream`."""

    EXPAND = "expand"
    """The gradient is copied to every element that was summed: `upstream * local`, and the local is ones."""

    SAME = "same"
    """The gradient is passed on as it is: the local derivative is 1."""

    SUM = "sum"
    """The gradient is summed to the shape of the tensor that was broadcast."""

    CAST = "cast"
    """The gradient is cast to the dtype of the tensor that it belongs to."""

    ADD = "add"
    """Gradients that arrive by several paths are added."""

    MOVE = "move"
    """The gradient's elements get other places, as in a transpose, a reshape or a choice of rows."""

    RULE = "rule"
    """No single product: the gradient is computed by the formula as a whole."""

    REPLACE = "replace"
    """A hook replaced the gradient."""

    ACCUMULATE = "accumulate"
    """The gradient is added to a `.grad`: `old + new = sum`."""


@dataclass(frozen=True, slots=True)
class Term:
    """A tensor, or a number, in an equation."""

    name: str
    """The script's words for it: `diff` for a variable, `x @ w.t()` for an expression; empty if unknown."""

    value: Tensor | float | None
    """The numbers; None if autograd did not keep them, or a `.grad` that is None."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One gradient that an event makes: `upstream operator local = downstream`."""

    operator: Operator
    upstream: Term
    """Gradient of the loss by what `name` says, as it arrived."""

    downstream: Term
    """Gradient of the loss by what `name` says, as PyTorch made it."""

    local: Term | None = None
    """Local derivative; None if the operator needs none or the formula is no single product."""

    formula: str = ""
    """How the gradient is made, as Python in the script's names, with `g` for the gradient that arrives."""

    parts: tuple[Term, ...] = ()
    """All gradients that are added, if the operator adds gradients of several paths."""
