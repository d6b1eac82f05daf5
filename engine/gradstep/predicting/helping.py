"""Numbers that are shown with a question: what is known anyway, and what is given as help."""

from __future__ import annotations

import math

from gradstep.autograd.events import event_name
from gradstep.equations.equation import Operator
from gradstep.loop.loop import StatementKey
from gradstep.predicting.case import BranchRun, Case
from gradstep.predicting.makers import factors_at, makers_of
from gradstep.predicting.posing import pose
from gradstep.predicting.readings import equation_in
from gradstep.predictions.exercise import Exercise, Factor, Help, Part, Worked, Working
from gradstep.predictions.judging import Doing, Posed
from gradstep.predictions.question import Asked, Target
from gradstep.training.snapshots import LastStatement

OF_OPERATOR = {
    Operator.TIMES: Working.MULTIPLIED,
    Operator.EXPAND: Working.COPIED,
    Operator.SAME: Working.COPIED,
    Operator.MOVE: Working.COPIED,
    Operator.MATMUL: Working.SUMMED,
    Operator.MATMUL_LEFT: Working.SUMMED,
    Operator.SUM: Working.PATHS,
    Operator.ADD: Working.PATHS,
}


def exercise(ran: BranchRun, posed: Posed, help_left: Help, example: Target | None) -> Exercise:
    """Return a question with its numbers and its help.

    Args:
        ran: What the question is about.
        posed: The question.
        help_left: How much help is given.
        example: Another element, which is worked out; None if there is none.
    """
    case = ran.ask(posed.question.target)
    given = () if help_left is Help.ALONE else _given(case)
    worked = None
    if help_left is Help.WORKED and example is not None:
        other = ran.ask(example)
        worked = Worked(example, (*_known(other), *_given(other)), pose(ran, example).truth)
    last = ran.after.last
    is_statement = ran.doing is not Doing.NODE and ran.error is None and isinstance(last, LastStatement)
    return Exercise(
        posed=posed,
        working=working_of(case),
        help=help_left,
        known=_known(case),
        given=given,
        worked=worked,
        statement=last.key if is_statement and isinstance(last, LastStatement) else _next(ran),
        event=_event(ran),
    )


def _next(ran: BranchRun) -> StatementKey | None:
    return None if ran.doing is Doing.NODE else ran.after.loop.next


def _event(ran: BranchRun) -> str:
    passing = ran.after.passing
    if ran.doing is not Doing.NODE or passing is None or not passing.cursor:
        return ""
    return event_name(passing.trace.events[passing.cursor - 1])


def working_of(case: Case) -> Working:
    """Return how what is asked for comes about."""
    asked, doing = case.target.asked, case.ran.doing
    match asked:
        case Asked.GRADIENT:
            equation = equation_in(case.ran.problem, case.ran.after, case.target)
            return OF_OPERATOR.get(equation.operator, Working.OTHER)
        case Asked.GRAD if case.writes:
            return Working.ADDED
        case Asked.GRAD if doing is Doing.ZERO:
            return Working.CLEARED
        case Asked.VALUE | Asked.MOVE if doing is Doing.UPDATE:
            return Working.STEPPED if case.is_plain_step else Working.ALGORITHM
        case Asked.MEMORY if doing is Doing.UPDATE:
            return Working.ALGORITHM
        case Asked.VALUE | Asked.GRAD | Asked.MEMORY if doing not in (Doing.CLIP, Doing.EPOCHS, Doing.OTHER):
            return Working.KEPT
        case _:
            return Working.OTHER


def _known(case: Case) -> tuple[Factor, ...]:
    """Return what stands on screen before the actions run."""
    asked, pre = case.target.asked, case.ran.pre
    found = list[Factor]()
    match asked:
        case Asked.GRAD:
            found.append(Factor(Part.PRESENT, (case.at(case.old_grad),)))
        case Asked.VALUE | Asked.MOVE:
            found.append(Factor(Part.PRESENT, (case.value,)))
        case Asked.MEMORY:
            memory = pre.memory[case.place].get(case.target.part) if pre.memory else None
            found.append(Factor(Part.PRESENT, (case.at(memory),)))
        case Asked.DIRECTION | Asked.LOSS if case.ran.before.loss is not None:
            found.append(Factor(Part.LOSS, (case.ran.before.loss,)))
        case Asked.GRADIENT:
            return _arriving(case)
    if asked in (Asked.VALUE, Asked.MOVE, Asked.MEMORY) and case.ran.doing is Doing.UPDATE:
        found.append(Factor(Part.GRADIENT, (case.at(case.grad_tensor),)))
        if not math.isnan(case.rate):
            found.append(Factor(Part.RATE, (case.rate,)))
        if asked is not Asked.MEMORY and pre.memory:
            found += [
                Factor(Part.MEMORY, (number,), name)
                for name, tensor in pre.memory[case.place].items()
                if not tensor.dim() or tensor.shape == pre.parameters[case.place].shape
                if (number := case.at(tensor if tensor.dim() else tensor.item())) is not None
            ]
    return tuple(found)


def _arriving(case: Case) -> tuple[Factor, ...]:
    """Return the gradients that arrive at an event, which the events before have shown."""
    return tuple(factor for factor in _of_equation(case) if factor.part is not Part.LOCAL)


def _given(case: Case) -> tuple[Factor, ...]:
    """Return what makes what is asked for, as far as it does not stand on screen."""
    match case.target.asked:
        case Asked.GRAD if case.writes:
            return _brought(case)
        case Asked.VALUE if working_of(case) is Working.STEPPED:
            grad = case.at(case.grad_tensor)
            if grad is not None and not math.isnan(case.rate):
                return (Factor(Part.STEP, (case.rate * grad,)),)
        case Asked.GRADIENT:
            return tuple(factor for factor in _of_equation(case) if factor.part is Part.LOCAL)
    return ()


def _brought(case: Case) -> tuple[Factor, ...]:
    """Return what a pass adds to a `.grad`; if that is all that will be there, what it is made of."""
    write = case.writes[0]
    part = case.at(write.part)
    if part is None:
        return ()
    return (Factor(Part.BROUGHT, (part,)),) if case.at(write.before) else makers_of(case, write)


def _of_equation(case: Case) -> tuple[Factor, ...]:
    return factors_at(equation_in(case.ran.problem, case.ran.after, case.target), case.target.index)


def can_be_worked_out(case: Case) -> bool:
    """Return whether there are numbers from which a learner can work out what is asked for."""
    return bool(_given(case)) or working_of(case) is not Working.ADDED
