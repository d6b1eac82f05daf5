"""Norms of each parameter's gradients, pass by pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from torch import Tensor

from gradstep.ledger.ledger import Forgotten, Ledger, Unrecorded, Write
from gradstep.tensors.summary import norm_of, summary_of

MOST: Final = 2_000
"""Limit on the newest ledger lines that are read for each parameter."""


@dataclass(frozen=True, slots=True)
class Size:
    """Gradient norms of one recorded backward pass; a norm is the root of the sum of squares."""

    epoch: int
    """Epoch in which the pass ran, counted from 1."""

    added: float
    """Norm of the gradient that the pass added."""

    held: float
    """Norm of `.grad` after the pass."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Gradient norms of one parameter."""

    parameter: str
    passes: tuple[Size, ...]
    """The recorded passes, oldest first."""

    unrecorded: int
    """Number of passes that were not recorded, as in runs of epochs, or are no longer kept."""


def gradient_sizes(names: Sequence[str], ledger: Ledger) -> tuple[Sizes, ...]:
    """Return the gradient norms of each parameter.

    Args:
        names: The parameters' names, in the order of the result.
        ledger: The session's ledger.
    """
    return tuple(_sizes(name, ledger) for name in names)


def _sizes(name: str, ledger: Ledger) -> Sizes:
    lines = list(islice(ledger.newest_first(name), MOST))
    unrecorded = sum(line.passes for line in lines if isinstance(line, Unrecorded | Forgotten))
    passes = [
        Size(line.epoch, _norm(line.part), _norm(line.after)) for line in lines if isinstance(line, Write)
    ]
    return Sizes(name, tuple(passes[::-1]), unrecorded)


def _norm(tensor: Tensor | None) -> float:
    if tensor is None:
        return 0.0
    return summary_of(tensor).norm if tensor.is_meta else norm_of(tensor)
