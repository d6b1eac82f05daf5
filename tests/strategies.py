"""What hypothesis draws: random programs that build an autograd graph, the same one at every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from hypothesis import strategies as st
from torch import Tensor

SHAPES: Final = ((), (1,), (2,), (3,), (2, 3), (3, 2), (1, 3), (3, 1), (2, 2), (1, 1))


class Doubled(torch.autograd.Function):
    """A learner's own operation, with a backward of its own that changes its gradient in place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        grad = grad.clone() if torch.is_grad_enabled() else grad
        return grad.mul_(2)


def _written_into(x: Tensor, y: Tensor) -> Tensor:
    made = x.clone()
    if made.dim():
        made[0].mul_(2)
    made.view(-1)[0] = y.sum()
    return made


ONE: Final[tuple[Callable[[Tensor], Tensor], ...]] = (
    torch.tanh,
    torch.sigmoid,
    torch.relu,
    torch.exp,
    torch.neg,
    torch.sum,
    torch.mean,
    torch.clone,
    torch.abs,
    lambda x: x * 1.5,
    lambda x: x + 1,
    lambda x: 1 - x,
    lambda x: x * x,
    lambda x: x**2,
    lambda x: x.reshape(-1),
    lambda x: x.t() if x.dim() == 2 else x.unsqueeze(0),
    lambda x: x.squeeze(),
    lambda x: x.expand(2, *x.shape),
    lambda x: x[0] if x.dim() else x.view(1),
    lambda x: x.sum(-1) if x.dim() else x + x,
    lambda x: x.mean(0, keepdim=True) if x.dim() else x - x,
    lambda x: x.flip(0) if x.dim() else x,
    lambda x: x.double().float(),
    lambda x: x.clone().mul_(3).add_(1),
    lambda x: x.contiguous().as_strided((1,), (1,)),
    Doubled.apply,
)
TWO: Final[tuple[Callable[[Tensor, Tensor], Tensor], ...]] = (
    torch.add,
    torch.sub,
    torch.mul,
    torch.maximum,
    lambda x, y: x / (y * y + 1),
    lambda x, y: x.clone().add_(y.mean()),
    lambda x, y: x.clone().mul_(y.sum()),
    lambda x, y: torch.where(x > 0, x, y),
    _written_into,
)
ANY_TWO: Final[tuple[Callable[[Tensor, Tensor], Tensor], ...]] = (
    lambda x, y: torch.cat([x.reshape(-1), y.reshape(-1)]),
    lambda x, y: torch.outer(x.reshape(-1), y.reshape(-1)),
    lambda x, y: x.reshape(-1, 1) @ y.reshape(1, -1),
)
MANY: Final[tuple[Callable[[Tensor], tuple[Tensor, ...]], ...]] = (
    lambda x: x.unbind(0) if x.dim() else (x,),
    lambda x: torch.chunk(x, 2) if x.dim() else (x,),
    lambda x: torch.split(x, 1, -1) if x.dim() else (x,),
    lambda x: tuple(torch.max(x, 0)[:1]),
    lambda x: torch.var_mean(x, correction=0),
)
MOST_NUMBERS: Final = 60
"""A value with more is not built upon, so that programs stay small."""


@dataclass(frozen=True)
class Leaf:
    """One parameter: its shape, and the gradient that it has before the pass."""

    shape: tuple[int, ...]
    grad: str
    """`none`, `rows` (contiguous) or `columns` (the other order in memory)."""

    def make(self) -> Tensor:
        """Draw the leaf from torch's random generator."""
        leaf = torch.randn(self.shape, requires_grad=True)
        if self.grad == "rows":
            leaf.grad = torch.randn(self.shape)
        if self.grad == "columns":
            leaf.grad = torch.randn(self.shape[::-1]).permute(tuple(reversed(range(len(self.shape)))))
        return leaf


@dataclass(frozen=True)
class Graph:
    """A program: each line applies one operation to earlier values; the loss is the mean of some of them."""

    seed: int
    leaves: tuple[Leaf, ...]
    lines: tuple[tuple[int, int, int, int], ...]
    """Kind of operation, which one of the kind, and two operands (all taken modulo what there is)."""
    ends: tuple[int, ...]

    def build(self) -> tuple[Tensor, list[Tensor]]:
        """Run the program: give its loss and its leaves, new ones at every call, with the same numbers."""
        torch.default_generator.manual_seed(self.seed)
        leaves = [leaf.make() for leaf in self.leaves]
        values = list(leaves)
        for kind, which, first, second in self.lines:
            x, y = values[first % len(values)], values[second % len(values)]
            if x.numel() * y.numel() <= MOST_NUMBERS:
                values.extend(_applied(kind, which, x, y))
        ends = [values[end % len(values)] for end in self.ends]
        loss = leaves[0].sum()
        for end in ends:
            loss = loss + end.mean()
        return loss, leaves


def _applied(kind: int, which: int, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    if kind == 0:
        return (ONE[which % len(ONE)](x),)
    if kind == 1 and _broadcast(x, y):
        return (TWO[which % len(TWO)](x, y),)
    if kind == 3:
        return tuple(MANY[which % len(MANY)](x))
    return (ANY_TWO[which % len(ANY_TWO)](x, y),)


def _broadcast(x: Tensor, y: Tensor) -> bool:
    try:
        torch.broadcast_shapes(x.shape, y.shape)
    except RuntimeError:
        return False
    return True


def graphs() -> st.SearchStrategy[Graph]:
    """Programs of up to four leaves and a dozen lines."""
    leaf = st.builds(Leaf, st.sampled_from(SHAPES), st.sampled_from(("none", "rows", "columns")))
    number = st.integers(0, 50)
    return st.builds(
        Graph,
        st.integers(0, 1000),
        st.lists(leaf, min_size=1, max_size=4).map(tuple),
        st.lists(st.tuples(st.integers(0, 3), number, number, number), max_size=12).map(tuple),
        st.lists(number, min_size=1, max_size=4).map(tuple),
    )
