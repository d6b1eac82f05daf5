"""An immutable picture of everything that a screen shows of a session at one point.

Importing this module does not import torch, so that a screen can draw `starting` while torch is on its way.
Frames hold tensors, whose `==` gives tensors: so a frame equals itself only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.autograd.events import Accumulation, Event
    from gradstep.autograd.graph import GraphNode
    from gradstep.derivatives import Explanation
    from gradstep.ledger.ledger import Ledger
    from gradstep.loop.loop import Kind, Loop
    from gradstep.training.loss_history import Losses


@dataclass(frozen=True, slots=True, eq=False)
class ParameterFrame:
    """One parameter and its gradient. The tensors are copies that nothing changes."""

    name: str
    labels: tuple[tuple[str, ...], ...]
    """Names along each dimension; empty where a dimension has none."""

    value: Tensor
    value_before: Tensor | None
    """The value before the last action; None where that did not change it."""

    grad: Tensor | None
    """`.grad` as it is at this point of the pass; None where it is None."""

    grad_changed: bool
    """Whether the last action changed `.grad`."""

    accumulation: Accumulation | None
    """`old + new = sum`, once the pass on screen has written here; None before, and once it is over."""

    memory: Mapping[str, Tensor] = field(default_factory=dict)
    """What the optimizer remembers of it, by PyTorch's names: `momentum_buffer`, `exp_avg`, `step`, ..."""

    memory_before: Mapping[str, Tensor] = field(default_factory=dict)
    """What it remembered before the last action."""

    def memory_changed(self, name: str) -> bool:
        """Whether the last action changed a part of it; a part without changes is the same tensor."""
        return self.memory.get(name) is not self.memory_before.get(name)


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One event of the pass, for the list."""

    name: str
    """`Mul` for `MulBackward0`; `engine`, `hook` for what is no node; `-> w.grad` for an `AccumulateGrad`."""

    brief: str
    """What it does, in at most about 16 characters."""

    shape: tuple[int, ...]
    """Shape of the gradient that it made."""

    depth: int
    """0; 1 and more for nodes of a pass inside the pass."""

    is_node: bool
    """Whether it is an autograd node; False for what the engine or a hook did between nodes."""

    source: str
    """The forward expression that made the node; empty where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class PassFrame:
    """A backward pass, and how far it has been stepped through."""

    rows: tuple[TraceRow, ...]
    done: int
    """How many events are behind: the current one is `rows[done - 1]`."""

    over: bool
    """Whether another statement has run since, so that stepping back needs an undo."""

    step: Explanation | None
    """What the current event did; None before the first."""

    summarized: int = 0
    """Of how many tensors there are summaries only, since the trace would have passed its limit."""

    events: tuple[Event, ...] = ()
    """What the rows stand for, one each: the recorded gradients, for whoever asserts them elsewhere."""

    nodes: tuple[GraphNode, ...] = ()
    """The graph that the pass goes through; the events name its nodes by their index."""

    @property
    def finished(self) -> bool:
        """Whether every event is behind."""
        return self.done == len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Everything that a screen shows of a session."""

    problem: str
    learning_rate: float
    epoch: int
    """Epochs run to their end."""

    loop: Loop
    next: Kind | None
    """The statement that runs next: inside a pass, the rest of it; None where all are commented out."""

    parameters: tuple[ParameterFrame, ...]
    preds: Tensor | None
    """The last forward pass's predictions; None before the first. A copy that nothing changes."""

    loss: float | None
    """The last forward pass's loss; None before the first."""

    loss_changed: bool
    """Whether the last action computed it."""

    loss_before: float | None
    """The loss one epoch earlier; None where that computed none."""

    stale: bool
    """Whether the parameters have changed since the loss was computed."""

    losses: Losses
    ledger: Ledger
    """Every write to a `.grad` up to this point; its lines are worked out when they are asked for."""

    backward: PassFrame | None
    """The last recorded backward pass; None before the first, and after a new forward."""

    update: Explanation | None
    """How the optimizer made the new values; None where its step is not what ran last."""

    notice: str
    """What the last action has to say; empty where it went as expected."""

    refusals: Mapping[str, str]
    """For each action that would be refused now, by `gradstep.actions.refusal_key`: why."""

    position: int
    """How many actions can be undone."""

    future: int
    """How many can be redone."""

    @property
    def in_pass(self) -> bool:
        """Whether a backward pass has been begun and not finished."""
        return self.backward is not None and not self.backward.finished

    @property
    def step(self) -> Explanation | None:
        """What there is to look at: an optimizer's step that has just run, else the pass's current event."""
        return self.update or (None if self.backward is None else self.backward.step)
