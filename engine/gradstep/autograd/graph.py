"""Autograd's graph, as a recorded pass found it."""

from __future__ import annotations

from dataclasses import dataclass

from gradstep.autograd.events import Edge


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node, whether the pass ran it or not."""

    name: str
    """Autograd's name, e.g. `MulBackward0`, or `AccumulateGrad`."""

    parameter: str | None
    """For an `AccumulateGrad`, the leaf's name; None where the caller gave it none, and for other nodes."""

    edges: tuple[Edge | None, ...]
    """Where its gradients go, as in `next_functions`; None where nobody needs one."""
