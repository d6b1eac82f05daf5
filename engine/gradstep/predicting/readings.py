"""Numbers of a session's states that questions ask for, as PyTorch holds them."""

from __future__ import annotations

import math
from typing import Final
from weakref import WeakKeyDictionary

from torch import Tensor

from gradstep.autograd.trace import Trace
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.equations.equation import Equation
from gradstep.equations.equations import equations_of
from gradstep.errors import BadInput
from gradstep.frame_builder import Trained, shown_grads, shown_values
from gradstep.loop.literals import shown
from gradstep.predictions.judging import Reply
from gradstep.predictions.question import Asked, Choice, Target
from gradstep.tensors.element_index import element_name
from gradstep.training.state import TrainingState

_EQUATIONS: Final[WeakKeyDictionary[Trace, dict[int, tuple[Equation, ...]]]] = WeakKeyDictionary()
"""Equations of events that were asked about, by the pass and the number of the event."""


def tensor_in(problem: Trained, state: TrainingState, target: Target) -> Tensor | None:
    """Return the tensor in a state of which a question asks for an element; None if there is none.

    Raises:
        BadInput: the question is about no tensor, or the session has no such parameter or event.
    """
    match target.asked:
        case Asked.VALUE | Asked.MOVE:
            return shown_values(state)[place_in(problem, target.name)]
        case Asked.GRAD:
            return shown_grads(problem, state)[place_in(problem, target.name)]
        case Asked.MEMORY:
            place, memory = place_in(problem, target.name), state.trainer.memory
            return memory[place].get(target.part) if memory else None
        case Asked.GRADIENT:
            made = equation_in(problem, state, target).downstream.value
            return made if isinstance(made, Tensor) else None
        case _:
            raise BadInput(f"{target.asked} is no tensor")


def equation_in(problem: Trained, state: TrainingState, target: Target) -> Equation:
    """Return the equation of the gradient that a question is about.

    Raises:
        BadInput: the event has not run, or makes no such gradient.
    """
    found = equations_at(problem, state, target.event)
    if not 0 <= target.result < len(found):
        raise BadInput(f"event {target.event!r} of the pass makes {len(found)} gradients")
    return found[target.result]


def equations_at(problem: Trained, state: TrainingState, event: int) -> tuple[Equation, ...]:
    """Return the equations of an event of the pass that a state is in, or has ended, counted from 1.

    Raises:
        BadInput: no such event has run.
    """
    passing = state.passing
    behind = 0 if passing is None else passing.cursor
    if passing is None or not 1 <= event <= behind:
        raise BadInput(f"there is no event {event!r}: {behind} events of a pass have run")
    known = _EQUATIONS.setdefault(passing.trace, {})
    if event not in known:
        trace = passing.trace
        known[event] = equations_of(trace.events[event - 1], trace, TensorNames(trace, problem.loss_variable))
    return known[event]


def place_in(problem: Trained, name: str) -> int:
    """Return the position of a parameter among those of the problem.

    Raises:
        BadInput: the problem has no such parameter.
    """
    names = tuple(problem.parameters)
    if name not in names:
        raise BadInput(f"there is no parameter {shown(name)}: there are {', '.join(names)}")
    return names.index(name)


def number(tensor: Tensor | float | None, index: tuple[int, ...]) -> float | None:
    """Return an element of a tensor as a number; None if there is no tensor, or if it has no numbers."""
    if tensor is None or isinstance(tensor, float):
        return tensor
    if tensor.is_meta or tensor.is_complex():
        return None
    return float(tensor[index].item()) if index else float(tensor.item())


def check_element(tensor: Tensor, name: str, index: tuple[int, ...]) -> None:
    """Check that a tensor has an element.

    Raises:
        BadInput: it has none at this index, or its numbers cannot be asked for.
    """
    fits = len(index) == tensor.dim() and all(
        0 <= at < size for at, size in zip(index, tensor.shape, strict=True)
    )
    if not fits:
        raise BadInput(f"there is no {element_name(name, index)}: the shape is {tuple(tensor.shape)}")
    if tensor.is_meta or tensor.is_complex():
        raise BadInput(f"{name} has no numbers that can be asked for")


def reply_in(problem: Trained, before: TrainingState, after: TrainingState, target: Target) -> Reply:
    """Return what a question asks for, if PyTorch raised nothing.

    Args:
        problem: What is trained.
        before: State before the question's actions.
        after: State after them.
        target: What is asked for.

    Raises:
        BadInput: the session has no such number.
    """
    match target.asked:
        case Asked.OUTCOME:
            return Choice.RUNS
        case Asked.LOSS:
            if after.loss is None:
                raise BadInput("there is no loss yet")
            return after.loss
        case Asked.DIRECTION:
            return _direction(before.loss, after.loss)
    tensor = tensor_in(problem, after, target)
    if tensor is None:
        if target.index or target.asked is Asked.GRAD:
            check_element(shown_values(after)[place_in(problem, target.name)], target.name, target.index)
        return None
    check_element(tensor, target.name or "the gradient", target.index)
    found = number(tensor, target.index)
    if target.asked is Asked.MOVE and found is not None:
        start = number(tensor_in(problem, before, target), target.index)
        return None if start is None else found - start
    return found


def _direction(before: float | None, after: float | None) -> Choice:
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        raise BadInput("there are no two losses to compare")
    return Choice.STAYS if before == after else Choice.FALLS if after < before else Choice.RISES
