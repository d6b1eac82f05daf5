"""What an explanation of an event consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

OperandValue: TypeAlias = Tensor | bool | int | float | str | tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Operand:
    """A named value: a tensor, a number, a shape (a tuple); None where there is none, as for no `.grad`."""

    name: str
    value: OperandValue


@dataclass(frozen=True, slots=True)
class Product:
    """Two matrices and their product, which is a gradient or, with a factor such as `alpha`, leads to one."""

    left: Operand
    """Shape `(n, k)`."""

    right: Operand
    """Shape `(k, m)`, or `(k,)`."""

    result: Operand
    """Shape `(n, m)`, or `(n,)`; named like the result that it is, e.g. `grad of mat2`."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One event, explained."""

    title: str
    """Autograd's name of the node, or what the engine did between nodes."""

    source: str | None
    """The forward expression that made the node, e.g. `x @ w.t()`; None where it is not known."""

    formulas: tuple[tuple[str, str], ...]
    """For each input that needs a gradient, its name and the formula, which is a Python expression."""

    words: str
    """What happens, in plain words."""

    operands: tuple[Operand, ...]
    """The gradient that came in, `g`, then the values that the formulas mention."""

    results: tuple[Operand, ...]
    """The gradients that came out, as PyTorch made them."""

    where: tuple[tuple[str, str], ...] = ()
    """Expressions that the formulas refer to by name."""

    products: tuple[Product, ...] = ()
    """One for each formula that is a product of matrices."""

    @property
    def product(self) -> Product | None:
        """Give the first of `products`; None where no matrices are multiplied."""
        return self.products[0] if self.products else None
