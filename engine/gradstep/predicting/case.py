"""A question with the states before and after its actions: what truth and slips are taken from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any, TypeVar

import torch
from torch import Tensor

from gradstep.actions import StepNode, StepTo
from gradstep.errors import EngineError
from gradstep.frame_builder import Trained, shown_grads
from gradstep.ledger.ledger import Write
from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.run_actions import RunAction, RunEpochs, RunOuter
from gradstep.loop.script_loop import ScriptLoop
from gradstep.predicting.readings import number, place_in
from gradstep.predictions.judging import Doing
from gradstep.predictions.question import Question, Target
from gradstep.statement_steps.update_rule import follows_rule
from gradstep.training.apply_action import LINES
from gradstep.training.snapshots import LastStatement, Snapshot
from gradstep.training.state import TrainingState

T = TypeVar("T")

OF_KIND = {
    Kind.FORWARD: Doing.FORWARD,
    Kind.BACKWARD: Doing.BACKWARD,
    Kind.UPDATE: Doing.UPDATE,
    Kind.ZERO: Doing.ZERO,
}


@dataclass(frozen=True, eq=False)
class BranchRun:
    """Actions that ran on a branch, with the states around them."""

    problem: Trained
    before: TrainingState
    after: TrainingState
    """State after the actions, or as PyTorch's error left it."""

    actions: tuple[RunAction, ...]
    error: EngineError | None = None
    """What PyTorch or the learner's code raised; None if everything ran."""

    known: dict[Hashable, Any] = field(default_factory=dict)
    """Facts about whole tensors, which all questions share; `once` finds them."""

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return a fact, which is found when it is first needed."""
        if key not in self.known:
            self.known[key] = find()
        found: T = self.known[key]
        return found

    def is_zero(self, tensor: Tensor) -> bool:
        """Return whether every element of a tensor of one of the states is 0."""
        return self.once(("zero", id(tensor)), lambda: not tensor.is_meta and not bool(tensor.any()))

    def are_same(self, one: Tensor, other: Tensor) -> bool:
        """Return whether two tensors of the states are equal."""
        return self.once(("same", id(one), id(other)), lambda: torch.equal(one, other))

    def largest(self, tensor: Tensor) -> float:
        """Return the largest magnitude in a tensor of one of the states."""
        return self.once(("largest", id(tensor)), lambda: float(tensor.abs().max().item()))

    @cached_property
    def doing(self) -> Doing:
        """What ran last."""
        last, ended = self.actions[-1], self.after.last
        if isinstance(last, StepNode | StepTo):
            return Doing.NODE
        if isinstance(last, RunEpochs | RunOuter):
            return Doing.EPOCHS
        if self.error is None and isinstance(ended, LastStatement):
            return self._doing_of(ended.key)
        kind = LINES.get(type(last))
        if kind is not None:
            return OF_KIND[kind]
        key = self.after.loop.next
        return Doing.OTHER if key is None else self._doing_of(key)

    def _doing_of(self, key: Kind | int) -> Doing:
        if isinstance(key, Kind):
            return OF_KIND[key]
        loop = self.after.loop
        assert isinstance(loop, ScriptLoop)
        statement = loop.statement(key)
        kinds = (Kind.UPDATE, Kind.BACKWARD, Kind.ZERO, Kind.FORWARD)
        other = Doing.CLIP if Role.CLIP in statement.roles else Doing.OTHER
        return next((OF_KIND[kind] for kind in kinds if statement.does(kind)), other)

    @property
    def pre(self) -> Snapshot:
        """Copies of the tensors from right before the last statement."""
        last = self.after.last
        return last.before if isinstance(last, LastStatement) and self.error is None else self.before.trainer

    def ask(self, target: Target) -> Case:
        """Return the case of a question about what ran."""
        return Case(self, Question(target, self.actions))


@dataclass(frozen=True, eq=False)
class Case:
    """A question about actions that ran."""

    ran: BranchRun
    question: Question

    @property
    def target(self) -> Target:
        """What is asked for."""
        return self.question.target

    @property
    def place(self) -> int:
        """Position of the parameter that the question is about."""
        return place_in(self.ran.problem, self.target.name)

    @property
    def rate(self) -> float:
        """Learning rate of the last statement; nan if it is not known."""
        last = self.ran.after.last
        if isinstance(last, LastStatement) and self.ran.error is None:
            return last.learning_rate
        return self.ran.before.learning_rate

    @property
    def value(self) -> float | None:
        """The parameter's element before the last statement."""
        return self.at(self.ran.pre.parameters[self.place])

    @property
    def is_plain_step(self) -> bool:
        """Whether the last statement moved the parameter by learning rate times gradient, and no more."""
        pre, after, place = self.ran.pre, self.ran.after.trainer, self.place

        def find() -> bool:
            return follows_rule(pre.parameters[place], pre.grads[place], self.rate, after.parameters[place])

        return self.ran.once(("plain", place), find)

    @property
    def grad_tensor(self) -> Tensor | None:
        """The parameter's `.grad` before the last statement; None if there was none."""
        return self.ran.pre.grads[self.place]

    @property
    def old_grad(self) -> Tensor | None:
        """The parameter's `.grad` before the actions, as it was on screen; None if there was none."""
        return shown_grads(self.ran.problem, self.ran.before)[self.place]

    def at(self, tensor: Tensor | float | None) -> float | None:
        """Return the element of a tensor that the question is about; None if there is no number."""
        return number(tensor, self.target.index)

    @cached_property
    def writes(self) -> tuple[Write, ...]:
        """Writes to the parameter's `.grad` by passes that the actions ran, newest first."""
        known = self.last_write
        last = (0, 0) if known is None else (known.number, known.event)
        found = _writes(self.ran.after, self.target.name)
        return tuple(takewhile(lambda line: (line.number, line.event) > last, found))

    @property
    def last_write(self) -> Write | None:
        """Write to the parameter's `.grad` before the actions; None if there was none, or it is not known."""
        return next(_writes(self.ran.before, self.target.name), None)


def _writes(state: TrainingState, name: str) -> Iterator[Write]:
    """Yield the writes to the `.grad` of a parameter, newest first."""
    return (line for line in state.ledger.newest_first(name) if isinstance(line, Write))
