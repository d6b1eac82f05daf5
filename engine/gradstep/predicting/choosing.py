"""Which questions can be asked about what ran: kinds of numbers in turn, and elements in a mixed order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod
from random import Random
from typing import Final, TypeVar

from torch import Tensor

from gradstep.equations.equation import Operator
from gradstep.frame_builder import shown_grads
from gradstep.loop.script_loop import ScriptLoop
from gradstep.predicting.case import BranchRun
from gradstep.predicting.readings import equations_at, place_in, tensor_in
from gradstep.predictions.judging import Doing
from gradstep.predictions.question import Asked, Target
from gradstep.tensors.element_index import index_at
from gradstep.training.snapshots import Graph

T = TypeVar("T")

MOST_ELEMENTS: Final = 12
"""Elements of one tensor that are tried."""

MOST_TRIES: Final = 36
"""Elements of all tensors that are tried for one kind of question."""

NOT_ASKED: Final = ("step",)
"""Parts of an optimizer's state that are no matter of gradients."""

KINDS: Final = {
    Doing.FORWARD: (Asked.DIRECTION, Asked.GRAD),
    Doing.BACKWARD: (Asked.GRAD, Asked.GRAD, Asked.VALUE, Asked.GRAD, Asked.MEMORY),
    Doing.UPDATE: (Asked.VALUE, Asked.MOVE, Asked.MEMORY, Asked.VALUE, Asked.GRAD),
    Doing.ZERO: (Asked.GRAD, Asked.VALUE, Asked.GRAD, Asked.MEMORY),
    Doing.CLIP: (Asked.GRAD,),
    Doing.EPOCHS: (Asked.GRAD,),
}
"""What is asked for in turn, by what runs."""


def targets(ran: BranchRun, turn: int) -> Iterator[Target]:
    """Yield what can be asked about what ran, the most fitting first.

    Args:
        ran: What ran.
        turn: Number of questions before this one, so that each time another kind and element comes first.
    """
    random = Random(turn)
    if ran.doing is Doing.NODE:
        yield from _of_event(ran, random)
        return
    if ran.error is not None or (_is_at_risk(ran) and not turn % 2):
        yield Target(Asked.OUTCOME)
        if ran.error is not None:
            return
    kinds = KINDS.get(ran.doing, ())
    first = turn % len(kinds) if kinds else 0
    for asked in dict.fromkeys((*kinds[first:], *kinds[:first])):
        yield from islice(_of_kind(ran, asked, random), MOST_TRIES)


def beside(ran: BranchRun, target: Target, turn: int) -> Iterator[Target]:
    """Yield other elements of the tensor that a question is about."""
    tensor = tensor_in(ran.problem, ran.after, target)
    if tensor is None and target.asked is Asked.GRAD:
        tensor = ran.after.trainer.parameters[place_in(ran.problem, target.name)]
    if tensor is not None:
        others = _elements(target, tensor, Random(turn))
        yield from (other for other in others if other.index != target.index)


def _is_at_risk(ran: BranchRun) -> bool:
    """Return whether PyTorch could refuse what ran, as far as a learner can tell."""
    before = ran.before.trainer
    if isinstance(ran.before.loop, ScriptLoop):
        return False
    if ran.doing is Doing.BACKWARD:
        return before.graph is not Graph.LIVE or bool(before.written)
    return ran.doing in (Doing.UPDATE, Doing.ZERO) and None in before.grads


def _of_kind(ran: BranchRun, asked: Asked, random: Random) -> Iterator[Target]:
    match asked:
        case Asked.DIRECTION:
            is_same_task = ran.before.loop.split is None and not isinstance(ran.before.loop, ScriptLoop)
            if is_same_task and ran.before.loss is not None and ran.after.loss is not None:
                yield Target(Asked.DIRECTION)
        case Asked.MEMORY:
            for name, parts in _shuffled(_memory(ran), random):
                for part in parts:
                    yield from _elements(Target(asked, name, part=part), parts[part], random)
        case Asked.GRAD:
            for name, grad in _shuffled(_grads(ran), random):
                yield from _elements(Target(asked, name), grad, random)
        case _:
            for name, value in _shuffled(_values(ran), random):
                yield from _elements(Target(asked, name), value, random)


def _values(ran: BranchRun) -> list[tuple[str, Tensor]]:
    return [*zip(ran.problem.parameters, ran.after.trainer.parameters, strict=True)]


def _grads(ran: BranchRun) -> list[tuple[str, Tensor]]:
    """Return each parameter with its `.grad`, or with itself if it has none, for the shape."""
    shown = shown_grads(ran.problem, ran.after)
    return [
        (name, value if grad is None else grad)
        for (name, value), grad in zip(_values(ran), shown, strict=True)
    ]


def _memory(ran: BranchRun) -> list[tuple[str, dict[str, Tensor]]]:
    memory = ran.after.trainer.memory
    names = ran.problem.parameters if memory else ()
    return [
        (
            name,
            {
                part: tensor
                for part, tensor in parts.items()
                if part not in NOT_ASKED and tensor.shape == value.shape
            },
        )
        for name, parts, value in zip(names, memory, ran.after.trainer.parameters, strict=bool(names))
    ]


def _of_event(ran: BranchRun, random: Random) -> Iterator[Target]:
    passing = ran.after.passing
    if passing is None or not passing.cursor:
        return
    written = passing.trace.events[passing.cursor - 1]
    write = getattr(written, "accumulation", None)
    if write is not None:
        if write.parameter and write.after is not None:
            yield from _elements(Target(Asked.GRAD, write.parameter), write.after, random)
        return
    found = list(enumerate(equations_at(ran.problem, ran.after, passing.cursor)))
    for result, equation in _shuffled(found, random):
        made = equation.downstream.value
        if equation.operator is not Operator.CAST and isinstance(made, Tensor):
            asked = Target(Asked.GRADIENT, equation.downstream.name, event=passing.cursor, result=result)
            yield from _elements(asked, made, random)


def _elements(target: Target, tensor: Tensor, random: Random) -> Iterator[Target]:
    if tensor.is_meta or tensor.is_complex() or not tensor.is_floating_point():
        return
    shape = tuple(tensor.shape)
    count = prod(shape)
    for place in random.sample(range(count), min(count, MOST_ELEMENTS)):
        yield Target(
            target.asked, target.name, index_at(shape, place), target.part, target.event, target.result
        )


def _shuffled(items: Sequence[T], random: Random) -> list[T]:
    return random.sample(items, len(items))
