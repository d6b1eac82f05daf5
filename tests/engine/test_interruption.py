"""Interruption: the learner's code can be stopped wherever it is, and the session is as before the action."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gradstep import problems
from gradstep.actions import Action, Backward, Forward, NextLine, RunEpochs, StepNode, Undo, Update, Zero
from gradstep.learner_code.interruption import Interrupted, Interrupter, interruptible
from gradstep.problem import Problem
from gradstep.session import Session


class Trap:
    """Code that runs for ever once it is set."""

    def __init__(self) -> None:
        self.set = False
        self.entered = threading.Event()

    def __call__(self, *_: Any) -> None:
        if self.set and not self.entered.is_set():
            self.entered.set()
        while self.set:
            pass

    def stubborn(self) -> None:
        """Run for ever, and catch whatever comes the first two times."""
        for _ in range(2):
            try:
                self()
            except BaseException:
                continue
        self()


class _Trapped(torch.autograd.Function):
    trap: Trap

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        _Trapped.trap()
        return grad


def _in_model(problem: Problem, trap: Trap) -> Problem:
    def model(x: Tensor) -> Tensor:
        trap()
        return problem.model(x)

    return replace(problem, model=model)


def _stubborn_model(problem: Problem, trap: Trap) -> Problem:
    def model(x: Tensor) -> Tensor:
        trap.stubborn()
        return problem.model(x)

    return replace(problem, model=model)


def _in_loss(problem: Problem, trap: Trap) -> Problem:
    def loss_fn(preds: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            trap()
        return problem.loss_fn(preds, targets)

    return replace(problem, loss_fn=loss_fn)


def _in_backward(problem: Problem, trap: Trap) -> Problem:
    _Trapped.trap = trap
    return replace(problem, model=lambda x: _Trapped.apply(problem.model(x)))


def _in_hook(problem: Problem, trap: Trap) -> Problem:
    def model(x: Tensor) -> Tensor:
        preds = problem.model(x)
        preds.register_hook(trap)
        return preds

    return replace(problem, model=model)


FORWARD = (_in_model, _stubborn_model, _in_loss)
BACKWARD = (_in_backward, _in_hook)
CASES = [
    *((where, (), Forward()) for where in FORWARD),
    *((where, (Forward(), Backward(), Undo()), Forward()) for where in FORWARD),
    *((where, (Forward(), Backward(), Undo(), Forward()), Undo()) for where in FORWARD),
    *((where, (Forward(),), action) for where in BACKWARD for action in (StepNode(), Backward(), NextLine())),
    *((where, (), RunEpochs(1)) for where in (*FORWARD, *BACKWARD)),
    *((where, (RunEpochs(2),), RunEpochs(1_000_000)) for where in (*FORWARD, *BACKWARD)),
]


def _seen(session: Session) -> tuple[Any, ...]:
    """Return all that training depends on, bit for bit, and the place in the history."""
    kept = session.state.trainer
    numbers = [
        None if one is None else one.detach().numpy().tobytes() for one in (*kept.parameters, *kept.grads)
    ]
    live = [one.detach().numpy().tobytes() for one in session.problem.parameters.values()]
    frame = session.frame
    return numbers, live, frame.position, frame.future, frame.epoch, frame.loop, frame.loss, len(frame.losses)


def _interrupted(session: Session, work: Callable[[], object], trap: Trap) -> BaseException | None:
    """Do some work in a thread, interrupt it when it is in the trap, and return what it raised."""
    interrupter, raised = Interrupter(), list[BaseException]()

    def run() -> None:
        with interrupter.attached():
            try:
                work()
            except BaseException as error:
                raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert trap.entered.wait(10)
    for _ in range(300):
        interrupter.interrupt()
        thread.join(0.01)
        if not thread.is_alive():
            break
    assert not thread.is_alive()
    return raised[0] if raised else None


@pytest.mark.parametrize(("where", "before", "action"), CASES)
def test_an_interrupted_action_leaves_the_session_as_it_was_before_and_able_to_go_on(
    where: Callable[[Problem, Trap], Problem], before: tuple[Action, ...], action: Action
) -> None:
    trap, plain = Trap(), Session(problems.load("crops"))
    session = Session(where(problems.load("crops"), trap))
    for done in before:
        session.apply(done)
        plain.apply(done)
    known, told = _seen(session), list[Action]()
    session.watch = lambda action, state, error: told.append(action)
    trap.set = True
    raised = _interrupted(session, lambda: session.apply(action), trap)
    assert isinstance(raised, Interrupted)
    assert not told
    assert _seen(session) == known
    trap.set = False
    again = RunEpochs(3) if isinstance(action, RunEpochs) else action
    rest = (Backward(),) if isinstance(action, StepNode) else ()
    for done in (again, *rest, Forward(), StepNode(), Backward(), Update(), Zero()):
        assert _outcome(session, done) == _outcome(plain, done)


def _outcome(session: Session, action: Action) -> tuple[Any, ...]:
    session.apply(action)
    kept = session.state.trainer
    return (
        [None if one is None else one.detach().numpy().tobytes() for one in (*kept.parameters, *kept.grads)],
        session.frame.loss,
        session.frame.position,
    )


@pytest.mark.parametrize(
    "work",
    [
        Session.verdict,
        Session.check_gradient,
        lambda session: session.check_batches(2),
        Session.twin,
        lambda session: session.pictures().surface(),
        lambda session: session.pictures().fit(),
    ],
)
def test_an_interrupted_question_leaves_the_session_as_it_was(work: Callable[[Session], object]) -> None:
    trap = Trap()
    session = Session(_in_model(problems.load("crops"), trap))
    for done in (RunEpochs(2), Forward()):
        session.apply(done)
    known = _seen(session)
    trap.set = True
    assert isinstance(_interrupted(session, lambda: work(session), trap), Interrupted)
    assert _seen(session) == known
    trap.set = False
    session.apply(Backward())


def test_an_interruption_arrives_inside_the_learners_code_or_not_at_all() -> None:
    interrupter, ended, strays, caught = Interrupter(), threading.Event(), list[BaseException](), [0]

    def mine() -> Iterator[int]:
        yield from range(3)

    def run() -> None:
        with interrupter.attached():
            try:
                for _ in range(20_000):
                    try:
                        interruptible(lambda: sum(mine()))
                    except Interrupted:
                        caught[0] += 1
                    for _ in range(3):  # our own code, which must never see it
                        len([*mine()])
            except BaseException as error:
                strays.append(error)
            finally:
                ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not ended.is_set():
        interrupter.interrupt()
    thread.join()
    assert not strays
    assert not interrupter.interrupt()


PROFILED = """
import sys, threading
from gradstep.learner_code.interruption import Interrupted, Interrupter, interruptible

interrupter, entered = Interrupter(), threading.Event()

def forever():
    entered.set()
    while True:
        pass

def run():
    with interrupter.attached():
        try:
            interruptible(forever)
        except Interrupted:
            pass

thread = threading.Thread(target=run)
thread.start()
entered.wait()
interrupter.interrupt()
thread.join()
sys.setprofile(lambda *_: None)
(lambda: None)()
"""


def test_after_an_interruption_functions_can_be_profiled_and_traced() -> None:
    """Python 3.11 would begin such a function for ever, if an exception had been sent and not arrived."""
    subprocess.run([sys.executable, "-c", PROFILED], check=True, timeout=60)
