"""Asks about what comes next: the line or the node, on a fresh element each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradstep.errors import BadInput, Refused
from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.run_actions import NextLine, RunAction, StepNode
from gradstep.loop.script_loop import ScriptLoop
from gradstep.predicting.case import BranchRun
from gradstep.predicting.choosing import beside, targets
from gradstep.predicting.helping import can_be_worked_out
from gradstep.predicting.posing import pose
from gradstep.predicting.readings import reply_in, tensor_in
from gradstep.predictions.judging import Posed
from gradstep.predictions.question import CHOICES, Asked, Target
from gradstep.reasons import Reason, Refusal
from gradstep.training.state import TrainingState

NOISE = 1e-5
"""Part of a tensor's largest number below which an element is rounding noise, which nobody can predict."""


LEAST_MOVE = 1e-3
"""Part of a number below which its move has lost digits: it is the difference of two rounded numbers."""


def next_actions(state: TrainingState, *, node: bool = False) -> tuple[RunAction, ...]:
    """Return the actions that run what comes next: a node inside a pass, else a line.

    Lines of a script that change no number of the training run along, up to the next one that does.

    Args:
        state: Present state.
        node: Whether the first node of the coming pass is meant, not the whole line.

    Raises:
        Refused: nothing can run.
    """
    loop = state.loop
    if state.in_pass or node:
        return (StepNode(),)
    if loop.next is None:
        over = isinstance(loop, ScriptLoop) and loop.over
        raise Refused(Refusal(Reason.LOOP_OVER if over else Reason.ALL_COMMENTED_OUT))
    if not isinstance(loop, ScriptLoop):
        return (NextLine(),)
    ahead = loop.ahead() or loop.enabled
    for count, key in enumerate(ahead, 1):
        statement = loop.statement(key)
        if Role.CLIP in statement.roles or any(statement.does(kind) for kind in Kind):
            return (NextLine(),) * count
    return (NextLine(),) * len(ahead)


def askable(ran: BranchRun, turn: int, shown: Iterable[Target] = ()) -> Posed:
    """Return a question about what ran that a wrong answer tells from a right one.

    Args:
        ran: What ran.
        turn: Number of questions before this one.
        shown: What was asked for before: it is asked for again only if nothing else can be.

    Raises:
        Refused: there is no such question.
    """
    known, again, others = frozenset(shown), list[Target](), dict[int, Posed]()
    for target in targets(ran, turn):
        if target in known:
            again.append(target)
            continue
        for posed in _fit(ran, target):
            if can_be_worked_out(ran.ask(target)):
                return posed
            others.setdefault(2, posed)
    for target in again:
        for posed in _fit(ran, target):
            others.setdefault(1 if can_be_worked_out(ran.ask(target)) else 3, posed)
        if 1 in others:
            break
    if not others:
        raise Refused(Refusal(Reason.NOTHING_TO_ASK))
    return others[min(others)]


def example_beside(ran: BranchRun, posed: Posed, turn: int) -> Target | None:
    """Return another element of the same tensor, to be worked out as an example; None if there is none."""
    asked = posed.question.target
    if asked.asked in CHOICES:
        return None
    found = (other for target in beside(ran, asked, turn) for other in _fit(ran, target))
    return next((other.question.target for other in found), None)


def _fit(ran: BranchRun, target: Target) -> Iterator[Posed]:
    """Yield the question about a target, if it can be judged: with slips, and no two answers the same."""
    try:
        if ran.error is None and not _can_be_told(ran, target):
            return
        posed = pose(ran, target)
    except BadInput:
        return
    if posed.slips and not posed.is_ambiguous:
        yield posed


def _can_be_told(ran: BranchRun, target: Target) -> bool:
    """Return whether the truth is a number that can be predicted, and not what rounding has left over."""
    truth = reply_in(ran.problem, ran.before, ran.after, target)
    if not isinstance(truth, float) or not truth or target.asked in CHOICES:
        return True
    if target.asked is Asked.MOVE:
        start = ran.ask(target).value
        return start is not None and abs(truth) > abs(start) * LEAST_MOVE
    tensor = tensor_in(ran.problem, ran.after, target)
    return tensor is None or abs(truth) > NOISE * ran.largest(tensor)
