"""The runs of nodes in a pass, as a recorder sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from torch import Tensor

from gradstep.autograd.gradient_copies import NodeGrads


class Unknown(Enum):
    """A `.grad` that was changed before anybody looked at it."""

    UNKNOWN = auto()


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(eq=False, slots=True)
class Passage:
    """One run of the engine: the recorded pass itself, or one that a node of it started."""

    depth: int
    roots: list[int]


@dataclass(slots=True)
class Visit:
    """One node's run: what went in, and, once it is over, what came out."""

    node: int
    passage: Passage
    grads_in: NodeGrads
    grads_out: NodeGrads | None = None
    """None while the node runs, and where it raised."""

    raw_out: NodeGrads | None = None
    """The node's own gradients where the engine then reduced them; None where they are `grads_out`."""

    grad_before: Tensor | None = None
    grad_after: Tensor | Unknown | None = None
