"""How large gradients were, pass by pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from torch import Tensor

from gradstep.ledger.ledger import Forgotten, Ledger, Unrecorded, Write
from gradstep.tensors.summary import summary_of

MOST: Final = 2_000
"""Lines of a parameter's ledger that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class Size:
    """One recorded pass. A size is the length of the gradient as a vector: the root of its sum of squares."""

    epoch: int
    """The epoch under way, counted from 1."""

    added: float
    """The size of what the pass added."""

    held: float
    """The size of `.grad` after it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """One parameter's recorded passes, oldest first."""

    parameter: str
    passes: tuple[Size, ...]
    unrecorded: int
    """Passes that were not recorded, in runs of epochs, or are no longer kept."""


def gradient_sizes(names: Sequence[str], ledger: Ledger) -> tuple[Sizes, ...]:
    """Give them for each parameter."""
    return tuple(_sizes(name, ledger) for name in names)


def _sizes(name: str, ledger: Ledger) -> Sizes:
    lines = list(islice(ledger.newest_first(name), MOST))
    unrecorded = sum(one.passes for one in lines if isinstance(one, Unrecorded | Forgotten))
    passes = [Size(one.epoch, _size(one.part), _size(one.after)) for one in lines if isinstance(one, Write)]
    return Sizes(name, tuple(passes[::-1]), unrecorded)


def _size(tensor: Tensor | None) -> float:
    if tensor is not None and tensor.is_meta:
        return summary_of(tensor).norm
    return 0.0 if tensor is None else math.sqrt(float(tensor.detach().abs().double().square().sum()))
