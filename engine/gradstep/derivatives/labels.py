"""Name of a parameter's gradient, for learners."""

from __future__ import annotations

from gradstep.autograd.events import NodeEvent


def grad_name(event: NodeEvent) -> str:
    """Return the name of the `.grad` that an `AccumulateGrad` node writes to, e.g. `w.grad`."""
    name = None if event.accumulation is None else event.accumulation.parameter
    return f"{name or 'leaf'}.grad"
