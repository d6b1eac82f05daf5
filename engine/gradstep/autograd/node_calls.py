"""The calls of autograd nodes in a recorded pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from torch import Tensor

NodeGrads: TypeAlias = tuple[Tensor | None, ...]
"""Gradients that go into a node or come out of it; None for each that autograd leaves undefined."""


class Unknown(Enum):
    """Marker for a `.grad` that was changed before it could be copied."""

    UNKNOWN = auto()


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(eq=False, slots=True)
class EnginePass:
    """One run of autograd's engine: the recorded pass itself, or a pass that one of its nodes started."""

    depth: int
    """0 for the recorded pass, 1 for a pass that one of its nodes started (a checkpoint's), and so on."""

    roots: list[int]
    """Indices of the nodes that the pass starts from."""


@dataclass(slots=True)
class NodeCall:
    """One call of a node: the gradients that went in and, once it is over, those that came out."""

    node: int
    """Index of the node in `Recorder.nodes`."""

    engine_pass: EnginePass
    grads_in: NodeGrads
    """Copies of dL/d(output), one per output of the forward operation."""

    grads_out: NodeGrads | None = None
    """Copies of dL/d(input), as the engine hands them on; None while the node runs, and if it raised."""

    raw_out: NodeGrads | None = None
    """The node's own gradients if the engine then reduced them; None if they are `grads_out`."""

    grad_before: Tensor | None = None
    """For `AccumulateGrad`: the leaf's `.grad` before the write; None if there was none."""

    grad_after: Tensor | Unknown | None = None
    """For `AccumulateGrad`: the leaf's `.grad` after the write and its hooks; None if there is none."""
