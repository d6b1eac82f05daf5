"""Autograd's graph, as a recorded pass found it."""

from __future__ import annotations

from dataclasses import dataclass

from gradstep.autograd.events import Edge


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node of the graph, even if the pass did not run it."""

    name: str
    """Autograd's name, e.g. `MulBackward0`, or `AccumulateGrad`."""

    parameter: str | None
    """Name of the leaf of an `AccumulateGrad`; None if the leaf has no name, and for all other nodes."""

    edges: tuple[Edge | None, ...]
    """Receivers of the node's gradients, as in `next_functions`; None for a gradient that is not needed."""
