"""Immutable snapshot of everything that a screen shows of a session at one point.

Importing this module does not import torch, so that a screen can be drawn while torch is still loading.
Frames hold tensors, whose `==` returns a tensor, so a frame is equal only to itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gradstep.actions import refusal_key

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.actions import Action, RefusalKey
    from gradstep.autograd.events import Accumulation, Event
    from gradstep.autograd.graph import GraphNode
    from gradstep.code_view.called_functions import FunctionCode
    from gradstep.code_view.code_places import CodePlace
    from gradstep.code_view.script_text import ScriptText
    from gradstep.derivatives import Explanation
    from gradstep.equations.equation import Equation
    from gradstep.ledger.ledger import Ledger
    from gradstep.loop.loop import Loop, StatementKey
    from gradstep.loop.script_loop import ScriptLoop
    from gradstep.notices import LossSignal, Notice
    from gradstep.predictions.exercise import Prediction
    from gradstep.reasons import Refusal
    from gradstep.statement_steps.lesson import Lesson
    from gradstep.statement_steps.statement_facts import StatementStep
    from gradstep.training.loss_history import Losses


@dataclass(frozen=True, slots=True, eq=False)
class ParameterFrame:
    """One parameter and its gradient. The tensors are copies that nothing changes."""

    name: str
    """Name of the parameter in the script."""

    labels: tuple[tuple[str, ...], ...]
    """Names of the rows or columns along each dimension; empty for a dimension without names."""

    value: Tensor
    """Present value."""

    value_before: Tensor | None
    """Value before the last action; None if the action did not change it."""

    grad: Tensor | None
    """`.grad` at this point of the pass; None if `.grad` is None."""

    grad_changed: bool
    """Whether the last action changed `.grad`."""

    accumulation: Accumulation | None
    """`old + new = sum`, once the shown pass has written to `.grad`; None before that and after the pass."""

    memory: Mapping[str, Tensor] = field(default_factory=dict)
    """Optimizer state of the parameter, by PyTorch's names: `momentum_buffer`, `exp_avg`, `step`, ..."""

    memory_before: Mapping[str, Tensor] = field(default_factory=dict)
    """Optimizer state before the last action."""

    def memory_changed(self, name: str) -> bool:
        """Return whether the last action changed a part of the optimizer state.

        An unchanged part is the same tensor in `memory` and `memory_before`.
        """
        return self.memory.get(name) is not self.memory_before.get(name)


class Between(StrEnum):
    """What happens to a gradient between two nodes."""

    ADDS = "adds"
    """The engine adds the gradients of several paths."""

    SUMS = "sums"
    """The engine sums a gradient to the shape of a tensor that was broadcast."""

    CASTS = "casts"
    """The engine casts a gradient to the dtype of its tensor."""

    REPLACES = "replaces"
    """A hook replaces a gradient."""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One event of a backward pass, for a list of events."""

    name: str
    """`Mul` for `MulBackward0`, `-> w.grad` for `AccumulateGrad`; `engine` or `hook` between nodes."""

    shape: tuple[int, ...]
    """Shape of the gradient that the event made; () if it made none."""

    depth: int
    """Nesting of backward passes: 0, or more for an event of a pass inside the pass."""

    is_node: bool
    """Whether the event is an autograd node; False for work of the engine or of a hook between nodes."""

    source: str
    """Forward expression that made the node; empty if none is known."""

    parameter: str | None = None
    """Name of the parameter whose `.grad` an `AccumulateGrad` writes to; None for any other event."""

    between: Between | None = None
    """What PyTorch's engine or a hook does between nodes; None for a node."""

    into: str = ""
    """The script's words for the tensor whose gradient a node gets, or is made between nodes; or empty."""

    parts: int = 0
    """Number of gradients, or of elements for each of the result, that are added; 0 for a node."""


@dataclass(frozen=True, slots=True, eq=False)
class PassFrame:
    """A backward pass and how far it has been stepped through."""

    rows: Sequence[TraceRow]
    """One row for each event of the pass, in order; a row is made when it is first looked at."""

    done: int
    """Number of events that have been stepped through: the current event is `rows[done - 1]`."""

    over: bool
    """Whether another statement has run since the pass, so that stepping back needs an undo."""

    steps: Sequence[Explanation]
    """Explanation of each event; made when it is first looked at."""

    equations: Sequence[tuple[Equation, ...]]
    """Equations of each event, one for each gradient that it made; made when they are first looked at."""

    places: Sequence[CodePlace | None]
    """Code around the expression that made each event's node; None if it has none or it is not known."""

    summarized: int = 0
    """Number of tensors kept only as summaries, because the trace would have exceeded its memory limit."""

    events: tuple[Event, ...] = ()
    """Recorded event of each row, with its gradients."""

    nodes: tuple[GraphNode, ...] = ()
    """Graph that the pass goes through; events refer to its nodes by index."""

    written: str | None = None
    """Name of the parameter whose `.grad` was written last up to here; None before the first write."""

    @property
    def step(self) -> Explanation | None:
        """Explanation of the current event; None before the first event."""
        return self.steps[self.done - 1] if self.done else None

    @property
    def finished(self) -> bool:
        """Whether every event has been stepped through."""
        return self.done == len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Everything that a screen shows of a session."""

    problem: str
    """Name of the problem that is trained."""

    learning_rate: float
    epoch: int
    """Number of epochs that have run to their end."""

    loop: Loop | ScriptLoop
    """Statements of one epoch, or of one round of a script's own loop, and how far it has come."""

    next: StatementKey | None
    """Key of the statement that runs next: inside a pass, the one that runs it; None if none can."""

    parameters: tuple[ParameterFrame, ...]
    preds: Tensor | None
    """Copy of the last forward pass's predictions; None before the first forward pass."""

    loss: float | None
    """Loss of the last forward pass; None before the first forward pass."""

    loss_changed: bool
    """Whether the last action computed `loss`."""

    loss_before: float | None
    """Loss one epoch earlier; None if that epoch computed none."""

    stale: bool
    """Whether the parameters have changed since the loss was computed."""

    losses: Losses
    """Loss of every epoch."""

    ledger: Ledger
    """Every write to a `.grad` up to this point, read lazily."""

    backward: PassFrame | None
    """Last recorded backward pass; None before the first one and after a new forward pass."""

    update: Explanation | None
    """Explanation of the optimizer's step; None unless that step ran last."""

    notice: Notice | None
    """Remark of the last action; None if it went as expected."""

    refusals: Mapping[RefusalKey, Refusal]
    """Refusal of every action that cannot work now, by `gradstep.actions.refusal_key`."""

    position: int
    """Number of actions that can be undone."""

    future: int
    """Number of actions that can be redone."""

    signal: LossSignal | None = None
    """What the losses after the last action give reason to say; None if there is nothing."""

    functions: tuple[FunctionCode, ...] = ()
    """Functions of the script that the loop calls, as far as its text says which; none for a recording."""

    script: ScriptText | None = None
    """Whole file of the loop, or of the problem if the loop stands in none; None if it is not known."""

    lesson: Lesson | None = None
    """What ran last, the samples and the problem, as facts; None for a recording, which has none."""

    prediction: Prediction | None = None
    """The prediction that the last action answered; None for any other action."""

    @property
    def in_pass(self) -> bool:
        """Whether a backward pass has begun and has not finished."""
        return self.backward is not None and not self.backward.finished

    def refusal(self, action: Action) -> Refusal | None:
        """Return the refusal of an action, or None if the action can work now."""
        return self.refusals.get(refusal_key(action))

    @property
    def step(self) -> Explanation | None:
        """Explanation to show: of the optimizer's step if it ran last, else of the pass's current event."""
        return self.update or (None if self.backward is None else self.backward.step)

    @property
    def statement(self) -> StatementStep | None:
        """What ran last, with its numbers; None before anything has run, and after a backward pass."""
        return None if self.lesson is None else self.lesson.statement
