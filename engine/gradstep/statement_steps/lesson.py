"""What a frame tells of a state besides its numbers: the statement that ran last, the samples, the problem.

It is worked out when it is first looked at, so that a run of epochs pays nothing for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, lru_cache

from torch import Tensor

from gradstep.loop.batches import Split
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ScriptLoop
from gradstep.problem import Problem, ScriptProblem
from gradstep.statement_steps.loss_forms import loss_sum
from gradstep.statement_steps.script_samples import samples_in
from gradstep.statement_steps.statement_facts import (
    About,
    Cleared,
    EpochsStep,
    ForwardStep,
    Moved,
    OwnStep,
    Samples,
    StatementStep,
    UpdateStep,
    ZeroStep,
)
from gradstep.statement_steps.update_rule import follows_rule
from gradstep.tensors.bitwise import same_bits
from gradstep.training.snapshots import Batch, ForwardPass, Grads, LastEpochs, LastStatement
from gradstep.training.state import TrainingState


class Lesson:
    """Facts about a state, each made when it is first looked at."""

    def __init__(
        self, problem: Problem | ScriptProblem, state: TrainingState, about: Callable[[], About]
    ) -> None:
        """Make the facts of a state.

        Args:
            problem: What is trained.
            state: The state, which nothing changes.
            about: Returns what the problem is.
        """
        self._problem, self._state, self._about = problem, state, about

    @property
    def about(self) -> About:
        """What the problem is."""
        return self._about()

    @cached_property
    def statement(self) -> StatementStep | None:
        """What ran last; None before anything has run, and if it was a backward pass."""
        last = self._state.last
        match last:
            case None:
                return None
            case LastEpochs():
                return self._epochs(last)
            case LastStatement(key=Kind.FORWARD):
                return self._forward()
            case LastStatement(key=Kind.UPDATE):
                return UpdateStep(last.learning_rate, self._moved(last))
            case LastStatement(key=Kind.ZERO):
                return ZeroStep(self._cleared(last.before.grads))
            case LastStatement(key=int(key)):
                return self._own(last, key)
            case _:
                return None

    @cached_property
    def samples(self) -> Samples | None:
        """Samples of the last forward pass, or all samples before the first; None if they are not known."""
        problem, forward = self._problem, self._state.trainer.forward
        if isinstance(problem, ScriptProblem):
            if forward is None:
                return None
            found = samples_in(self._state.variables, forward.loss.item())
            return None if found is None else replace(found, stale=self._is_stale(forward))
        split = None if isinstance(self._state.loop, ScriptLoop) else self._state.loop.split
        samples = _samples(problem, forward, split)
        return replace(samples, stale=forward is not None and self._is_stale(forward))

    def _is_stale(self, forward: ForwardPass) -> bool:
        """Return whether the parameters have changed since a forward pass."""
        return not all(map(same_bits, forward.parameters, self._state.trainer.parameters))

    def _forward(self) -> ForwardStep | None:
        samples, forward = self.samples, self._state.trainer.forward
        if samples is None or forward is None:
            return None
        lines = self._problem.words.forward if isinstance(self._problem, Problem) else ()
        lines = lines if forward.batch is None else forward.batch.lines
        return ForwardStep(samples, forward.loss.item(), (_right_side(lines[0]), _right_side(lines[1])))

    def _own(self, last: LastStatement, key: int) -> StatementStep | None:
        """Return what a statement of a script did, by what changed; None if it ran a pass and no more."""
        state = self._state
        before, after = last.before, state.trainer
        moved = tuple(part for part in self._moved(last) if part.has_moved)
        if moved:
            return UpdateStep(last.learning_rate, moved)
        if state.passing is not None and not state.passing.over:
            return None
        zeroes = isinstance(state.loop, ScriptLoop) and state.loop.statement(key).does(Kind.ZERO)
        if zeroes or not all(map(same_bits, before.grads, after.grads)):
            return ZeroStep(self._cleared(before.grads))
        loss = after.forward.loss.item() if after.forward is not before.forward and after.forward else None
        return OwnStep(
            assigned=tuple(state.variables[name] for name in last.assigned if name in state.variables),
            used=tuple(state.variables[name] for name in last.used if name in state.variables),
            samples=None if loss is None else self.samples,
            loss=loss,
        )

    def _moved(self, last: LastStatement | LastEpochs) -> tuple[Moved, ...]:
        before, after = last.before, self._state.trainer
        rate = last.learning_rate if isinstance(last, LastStatement) else math.nan
        plain = not any(after.memory)
        return tuple(
            Moved(
                name=name,
                labels=self._problem.labels[name],
                before=old,
                after=new,
                grad=grad,
                by_rule=plain and follows_rule(old, grad, rate, new),
                has_moved=old is not new and not same_bits(old, new),
            )
            for name, old, new, grad in zip(
                self._problem.parameters, before.parameters, after.parameters, before.grads, strict=True
            )
        )

    def _cleared(self, before: Grads) -> tuple[Cleared, ...]:
        return tuple(
            Cleared(name, self._problem.labels[name], old, new)
            for name, old, new in zip(
                self._problem.parameters, before, self._state.trainer.grads, strict=True
            )
        )

    def _epochs(self, last: LastEpochs) -> EpochsStep:
        losses, forward = self._state.losses, last.before.forward
        after = last.first + last.epochs - 1
        before = last.first - 1 if last.first else last.first
        whole = forward is not None and forward.batch is None
        begun = forward.loss.item() if whole and forward is not None else math.nan
        return EpochsStep(
            epochs=last.epochs,
            first=last.first,
            updates=last.updates,
            loss_before=_known(
                begun if whole else losses[before] if before < min(after, len(losses)) else math.nan
            ),
            loss_after=_known(losses[after]) if 0 <= after < len(losses) else None,
            parameters=self._moved(last),
        )


@lru_cache(maxsize=4)
def _samples(problem: Problem, forward: ForwardPass | None, split: Split | None) -> Samples:
    """Return the samples of a forward pass; those of the last ones are kept, as most actions run none."""
    batch = None if forward is None else forward.batch
    inputs, targets = _of_batch(problem.inputs, batch), _of_batch(problem.targets, batch)
    words = problem.words
    preds = None if forward is None else forward.preds
    loss = None
    if forward is not None and preds is not None:
        all_samples, parts = (0, 1) if split is None or batch is None else (split.samples, split.parts)
        loss = loss_sum(preds, targets, forward.loss.item(), samples=all_samples, parts=parts)
    return Samples(
        inputs=inputs,
        targets=targets,
        preds=preds,
        names=(words.inputs, words.targets, "preds"),
        input_names=problem.input_names,
        target_names=problem.target_names,
        numbers=None if batch is None else batch.indices,
        loss=loss,
    )


def _of_batch(tensor: Tensor, batch: Batch | None) -> Tensor:
    return tensor.detach() if batch is None else tensor.detach()[batch.indices]


def _right_side(line: str) -> str:
    return line.partition(" = ")[2]


def _known(loss: float) -> float | None:
    return None if math.isnan(loss) else loss
