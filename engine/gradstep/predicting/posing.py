"""Makes a question that can be put to a learner: its truth from PyTorch, and what wrong ideas come to."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gradstep.errors import BadInput
from gradstep.loop.literals import shown
from gradstep.predicting.case import BranchRun, Case
from gradstep.predicting.grad_slips import Found, grad_slips
from gradstep.predicting.node_slips import node_slips
from gradstep.predicting.readings import reply_in
from gradstep.predicting.value_slips import memory_slips, value_slips
from gradstep.predictions.judging import Posed, Reply, Slip
from gradstep.predictions.question import Asked, Choice, Question, Target
from gradstep.training.pytorch_errors import PyTorchError

LONGEST_AFTER = 64
"""Largest number of actions in a question."""


def pose(ran: BranchRun, target: Target) -> Posed:
    """Return a question about what ran, with its truth and its slips.

    Raises:
        BadInput: the session has nothing that the question asks for.
    """
    case = ran.ask(target)
    if target.asked is not Asked.OUTCOME and ran.error is not None:
        raise BadInput(f"there is nothing to ask for: {ran.error}")
    truth = Choice.RAISES if ran.error is not None else reply_in(ran.problem, ran.before, ran.after, target)
    return Posed(
        case.question,
        truth,
        tuple(slip for slip in _slips(case, truth) if _is_finite(slip[1])),
        ran.doing,
        *_words(ran),
    )


def check_question(question: Question) -> None:
    """Check what can be checked of a question before its actions run.

    Raises:
        BadInput: it has no actions, or too many, or a value of a wrong type.
    """
    if not isinstance(question, Question) or not isinstance(question.target, Target):
        raise BadInput(f"{shown(question)} is not a question")
    if not 1 <= len(question.after) <= LONGEST_AFTER:
        raise BadInput(f"a question has 1 to {LONGEST_AFTER} actions, not {len(question.after)}")


def _words(ran: BranchRun) -> tuple[str, str]:
    """Return what was raised, and the sentence that explains it."""
    match ran.error:
        case None:
            return "", ""
        case PyTorchError():
            return ran.error.summary, ran.error.lesson
        case _:
            return str(ran.error), ""


def _slips(case: Case, truth: Reply) -> Found:
    match case.target.asked:
        case Asked.VALUE | Asked.MOVE:
            return value_slips(case, truth)
        case Asked.GRAD:
            return grad_slips(case, truth)
        case Asked.MEMORY:
            return memory_slips(case, truth)
        case Asked.GRADIENT:
            return node_slips(case, truth)
        case Asked.LOSS:
            return _of_loss(case)
        case Asked.DIRECTION:
            return _of_direction(truth)
        case Asked.OUTCOME:
            other = Choice.RAISES if truth is Choice.RUNS else Choice.RUNS
            return iter([(Slip.RAISES if other is Choice.RAISES else Slip.RUNS, other)])


def _of_loss(case: Case) -> Found:
    before = case.ran.before.loss
    if before is not None:
        yield Slip.UNCHANGED, before
    yield Slip.ZERO, 0.0


def _of_direction(truth: Reply) -> Iterator[tuple[Slip, Reply]]:
    if truth is not Choice.FALLS:
        yield Slip.ALWAYS_FALLS, Choice.FALLS
    if truth is not Choice.RISES:
        yield Slip.WRONG_WAY, Choice.RISES
    if truth is not Choice.STAYS:
        yield Slip.UNCHANGED, Choice.STAYS


def _is_finite(reply: Reply) -> bool:
    return not isinstance(reply, float) or math.isfinite(reply)
