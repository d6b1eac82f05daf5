"""Builder of frames from the states of a session."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, TypeAlias, TypeVar, overload

from torch import Tensor

from gradstep.actions import RefusalKey
from gradstep.autograd.events import (
    Accumulation,
    Edge,
    Event,
    HookEvent,
    NodeEvent,
    PathsEvent,
    ReduceEvent,
    event_name,
)
from gradstep.autograd.trace import Trace
from gradstep.code_view.called_functions import FunctionCode, called_functions, code_file
from gradstep.code_view.code_places import CodePlace, place_of
from gradstep.code_view.script_text import ScriptText, script_text
from gradstep.derivatives import Explanation, explain
from gradstep.derivatives.optimizer_step import explain_update
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.equations.equation import Equation
from gradstep.equations.equations import equations_of
from gradstep.frame import Between, Frame, ParameterFrame, PassFrame, TraceRow
from gradstep.loop.loop import Kind, Loop, StatementKey
from gradstep.loop.script_loop import ScriptLoop
from gradstep.notices import LossSignal, Notice
from gradstep.predictions.exercise import Prediction
from gradstep.problem import Problem, ScriptProblem
from gradstep.reasons import Refusal
from gradstep.statement_steps.lesson import Lesson
from gradstep.statement_steps.statement_facts import About
from gradstep.tensors.bitwise import same_bits
from gradstep.training.snapshots import LastStatement, Memory
from gradstep.training.state import Passing, TrainingState

T = TypeVar("T")

LOSS: Final = "loss"
"""Variable of the built-in loop that holds the loss."""


Trained: TypeAlias = Problem | ScriptProblem
"""What is trained."""


def take_frame(
    problem: Trained,
    state: TrainingState,
    before: TrainingState | None,
    *,
    about: Callable[[], About],
    notice: Notice | None,
    signal: LossSignal | None,
    refusals: Mapping[RefusalKey, Refusal],
    position: int,
    future: int,
    file: str = "",
    prediction: Prediction | None = None,
) -> Frame:
    """Return the frame of a state, with the changes since an earlier state marked.

    Args:
        problem: Problem that is trained.
        state: TrainingState to show.
        before: TrainingState to compare with; None if there is none, so that nothing is marked as changed.
        about: Returns what the problem is.
        notice: Remark of the last action.
        signal: What the losses after it give reason to say.
        refusals: Refusals of the actions that cannot work in `state`.
        position: Number of actions that can be undone.
        future: Number of actions that can be redone.
        file: Path of the learner's file; empty for a built-in problem.
        prediction: The prediction that the last action answered; None for any other action.
    """
    forward = state.trainer.forward
    return Frame(
        problem=problem.name,
        learning_rate=state.learning_rate,
        epoch=state.epoch,
        loop=state.loop,
        next=_next(state),
        parameters=_parameters(problem, state, before),
        preds=None if forward is None else forward.preds,
        loss=state.loss,
        loss_changed=before is not None and forward is not None and forward is not before.trainer.forward,
        loss_before=_loss_before(state),
        stale=forward is not None and not _same(forward.parameters, state.trainer.parameters),
        losses=state.losses,
        ledger=state.ledger,
        backward=None if state.passing is None else _pass_frame(state.passing, problem.loss_variable),
        update=_update(problem, state),
        notice=notice,
        signal=signal,
        refusals=refusals,
        position=position,
        future=future,
        functions=_functions(problem, state.loop),
        script=_script(problem, state.loop, file),
        lesson=Lesson(problem, state, about),
        prediction=prediction,
    )


def _functions(problem: Trained, loop: Loop | ScriptLoop) -> tuple[FunctionCode, ...]:
    """Return the functions that a loop calls, from the script's file."""
    lines = tuple(text for statement in loop.statements for text in statement.lines)
    if isinstance(loop, ScriptLoop):
        return called_functions(loop.file, lines)
    assert isinstance(problem, Problem)
    files = dict.fromkeys([code_file(problem.model), code_file(problem.loss_fn)])
    return tuple(found for file in files for found in called_functions(file, lines))


def _script(problem: Trained, loop: Loop | ScriptLoop, file: str) -> ScriptText | None:
    """Return the file that a loop stands in, or else the learner's file, or the built-in problem's."""
    if isinstance(loop, ScriptLoop):
        return script_text(loop.file)
    assert isinstance(problem, Problem)
    found = (script_text(each) for each in (file, code_file(problem.model), code_file(problem.loss_fn)))
    return next((text for text in found if text is not None), None)


def _next(state: TrainingState) -> StatementKey | None:
    loop = state.loop
    if isinstance(loop, ScriptLoop):
        return loop.last if state.in_pass else loop.next
    return Kind.BACKWARD if state.in_pass else loop.next


def shown_values(state: TrainingState) -> tuple[Tensor, ...]:
    """Return the value of every parameter at this point of the pass, or its present one outside a pass."""
    passing = state.passing
    return (state if passing is None or passing.finished else passing.start).trainer.parameters


def shown_grads(problem: Trained, state: TrainingState) -> tuple[Tensor | None, ...]:
    """Return the `.grad` of every parameter at this point of the pass, or its present one outside a pass."""
    passing = state.passing
    if passing is None or passing.finished:
        return state.trainer.grads
    written = passing.accumulated()
    return tuple(
        written[name].after if name in written else grad
        for name, grad in zip(problem.parameters, passing.start.trainer.grads, strict=True)
    )


def _parameters(
    problem: Trained, state: TrainingState, before: TrainingState | None
) -> tuple[ParameterFrame, ...]:
    grads = shown_grads(problem, state)
    old_grads = grads if before is None else shown_grads(problem, before)
    values = shown_values(state)
    old_values = values if before is None else shown_values(before)
    passing = state.passing
    written = {} if passing is None or passing.over else passing.accumulated()
    memory = _memory(problem, state)
    old_memory = memory if before is None else _shared(_memory(problem, before), memory)
    return tuple(
        ParameterFrame(
            name=name,
            labels=problem.labels[name],
            value=value,
            value_before=None if same_bits(value, old_value) else old_value,
            grad=grad,
            grad_changed=not same_bits(grad, old_grad),
            accumulation=written.get(name),
            memory=now,
            memory_before=old,
        )
        for name, value, old_value, grad, old_grad, now, old in zip(
            problem.parameters,
            values,
            old_values,
            grads,
            old_grads,
            memory,
            old_memory,
            strict=True,
        )
    )


def _memory(problem: Trained, state: TrainingState) -> Memory:
    """Return the optimizer state of every parameter; an empty mapping for a parameter without any."""
    return state.trainer.memory or ({},) * len(problem.parameters)


def _shared(before: Memory, now: Memory) -> Memory:
    """Return `before`, with the tensor of `now` in place of each tensor that has the same bits."""
    return tuple(
        {name: new[name] if same_bits(value, new.get(name)) else value for name, value in old.items()}
        for old, new in zip(before, now, strict=True)
    )


def _loss_before(state: TrainingState) -> float | None:
    if state.loop.split is not None:
        return None  # the loss of one part cannot be compared with the loss of an epoch
    known = len(state.losses)
    before = state.losses[known - 2] if known >= 2 else math.nan
    return None if math.isnan(before) else before


def _update(problem: Trained, state: TrainingState) -> Explanation | None:
    last = state.last
    if not isinstance(last, LastStatement) or last.key is not Kind.UPDATE or last.before.optimizer.by_hand:
        return None
    return explain_update(tuple(problem.parameters), last, state.trainer)


def _pass_frame(passing: Passing, loss: str) -> PassFrame:
    return pass_frame(passing.trace, passing.cursor, passing.written_last, over=passing.over, loss=loss)


def pass_frame(trace: Trace, cursor: int, written: str | None, *, over: bool, loss: str = LOSS) -> PassFrame:
    """Return the frame of a recorded pass.

    Args:
        trace: The pass.
        cursor: Number of its events that have been stepped through.
        written: Name of the parameter whose `.grad` was written last up to there; None before the first.
        over: Whether another statement has run since the pass.
        loss: The script's variable for what the pass goes back from; empty if it is not known.
    """
    told = _told(trace, loss)
    return PassFrame(
        told.rows,
        cursor,
        over,
        told.steps,
        told.equations,
        told.places,
        trace.summarized,
        trace.events,
        trace.nodes,
        written,
    )


class _PerEvent(Sequence[T]):
    """One thing for each event of a pass, made when it is first looked at: a list shows a few of 100,000."""

    def __init__(self, trace: Trace, make: Callable[[Event, Trace], T]) -> None:
        self._trace, self._make = trace, make
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self._trace)

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[T, ...]: ...
    def __getitem__(self, number: int | slice) -> T | tuple[T, ...]:
        if isinstance(number, slice):
            return tuple(self[at] for at in range(*number.indices(len(self))))
        event = self._trace.events[number]
        place = number % len(self)
        if place not in self._made:
            self._made[place] = self._make(event, self._trace)
        return self._made[place]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Sequence) and tuple(self) == tuple(other))

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of each event of a pass."""

    rows: Sequence[TraceRow]
    steps: Sequence[Explanation]
    equations: Sequence[tuple[Equation, ...]]
    places: Sequence[CodePlace | None]


@lru_cache(maxsize=16)
def _told(trace: Trace, loss: str) -> _Told:
    def equations(event: Event, trace: Trace) -> tuple[Equation, ...]:
        return equations_of(event, trace, names())

    def row(event: Event, trace: Trace) -> TraceRow:
        return _row(event, trace, names())

    def explanation(event: Event, trace: Trace) -> Explanation:
        return explain(event, trace, names())

    @cache
    def names() -> TensorNames:
        return TensorNames(trace, loss)

    return _Told(
        _PerEvent(trace, row),
        _PerEvent(trace, explanation),
        _PerEvent(trace, equations),
        _PerEvent(trace, _place),
    )


def _place(event: Event, _: Trace) -> CodePlace | None:
    return place_of(event.source) if isinstance(event, NodeEvent) and event.source is not None else None


def _row(event: Event, trace: Trace, names: TensorNames) -> TraceRow:
    made = _made(event)
    source = names.place_of(event) if isinstance(event, NodeEvent) else ""
    return TraceRow(
        event_name(event),
        () if made is None else tuple(made.shape),
        event.depth,
        isinstance(event, NodeEvent),
        source,
        event.accumulation.parameter if isinstance(event, NodeEvent) and event.accumulation else None,
        *_between(event, trace, names),
    )


def _between(event: Event, trace: Trace, names: TensorNames) -> tuple[Between | None, str, int]:
    """Return what an event between nodes does, to the gradient of which tensor, and how many go into it.

    For a node, the tensor is the one that its forward operation made.
    """
    match event:
        case PathsEvent(node=node, slot=slot, parts=parts):
            return Between.ADDS, names.words_for_edge(Edge(node, slot)), len(parts)
        case ReduceEvent(before=before, after=after):
            made = trace.event_of(event.node)
            into = "" if made is None else names.words_for_input(made, event.output)
            if before.shape == after.shape:
                return Between.CASTS, into, 1
            return Between.SUMS, into, before.numel() // max(after.numel(), 1)
        case HookEvent(node=node, slot=slot):
            return Between.REPLACES, names.words_for_edge(Edge(node, slot)), 1
        case NodeEvent():
            return None, names.words_for_result(event), 0


def _made(event: Event) -> Tensor | None:
    match event:
        case NodeEvent(accumulation=Accumulation(after=after)):
            return after
        case NodeEvent(grads_out=grads):
            return next((grad for grad in grads or () if grad is not None), None)
        case PathsEvent(total=made) | ReduceEvent(after=made) | HookEvent(after=made):
            return made
    return None


def _same(tensors: tuple[Tensor | None, ...], others: tuple[Tensor | None, ...]) -> bool:
    return all(same_bits(tensor, other) for tensor, other in zip(tensors, others, strict=True))
