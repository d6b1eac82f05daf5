"""Names for learners: of a parameter's gradient, and ordinal numbers."""

from __future__ import annotations

from gradstep.autograd.events import NodeEvent


def grad_name(event: NodeEvent) -> str:
    """Return the name of the `.grad` that an `AccumulateGrad` node writes to, e.g. `w.grad`."""
    name = None if event.accumulation is None else event.accumulation.parameter
    return f"{name or 'leaf'}.grad"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `4th`, ..."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
