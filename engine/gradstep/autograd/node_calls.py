"""The calls of autograd nodes in a recorded pass."""

from __future__ import annotations

from collections.abc import Sequence
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

    parent: int | None = None
    """Index of the node whose hook or `backward` started the pass; None if there is none, or if unknown."""

    begin: int = 0
    """Number of calls that were noted before the pass."""


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

    hooked_out: NodeGrads | None = None
    """Copies of `grads_out` after the node's post hooks; None if it has none, or one of them raised."""

    hook_raised: bool = False
    """Whether one of the node's post hooks did not return."""

    @property
    def sent(self) -> NodeGrads | None:
        """Copies of the gradients that go on to other nodes; None while the node runs, and if it raised."""
        return self.grads_out if self.hooked_out is None else self.hooked_out


def parents_first(calls: Sequence[NodeCall], inner: Sequence[EnginePass]) -> list[NodeCall]:
    """Return the calls in order, each node that started a pass before the calls in that pass.

    A write stays after a pass that wrote to the same `.grad` before it.

    Args:
        calls: All calls, in the order in which they were noted.
        inner: Passes that nodes of other passes started, in the order in which they began.
    """
    if not inner:
        return list(calls)
    places = [(place, 1, 0) for place in range(len(calls))]
    for started in inner:
        within = set[int]()
        for place in range(started.begin, len(calls)):
            call = calls[place]
            if call.engine_pass.depth < started.depth:
                if call.node == started.parent and call.node not in within:
                    places[place] = min(places[place], (started.begin, 0, call.engine_pass.depth))
                break
            within.add(call.node)
    return [calls[place] for place in sorted(range(len(calls)), key=places.__getitem__)]
