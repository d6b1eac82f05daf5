"""Questions of one session: about what comes next, or given by somebody else; and the answers so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gradstep.errors import Refused
from gradstep.history.navigator import Walk
from gradstep.loop.run_actions import RunAction
from gradstep.predicting.answering import Answering
from gradstep.predicting.asking import askable, example_beside, next_actions
from gradstep.predicting.branches import Branches
from gradstep.predicting.case import BranchRun
from gradstep.predicting.helping import exercise
from gradstep.predicting.looking import has_looked
from gradstep.predicting.posing import check_question, pose
from gradstep.predictions.exercise import Exercise, Prediction
from gradstep.predictions.judging import Posed
from gradstep.predictions.mastery import mastery, topic_of
from gradstep.predictions.question import Question, Target
from gradstep.reasons import Refusal
from gradstep.training.state import TrainingState

Stop = Callable[[], bool]
"""Returns True if the learner has stopped the work."""


class Predictor:
    """Asks questions of a session; nothing that it does changes the session."""

    def __init__(self, walk: Walk[Any], branches: Branches[Any], answering: Answering[Any]) -> None:
        """Take the session's history and what runs actions on a branch of it."""
        self._walk, self._branches = walk, branches
        self._asked = list[Target]()
        self._last: tuple[TrainingState, Exercise] | None = None
        answering.looked = self._has_looked

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """All answers, on all branches of the history, in the order in which they were given."""
        return tuple(point.prediction for point in self._walk.history.points if point.prediction is not None)

    def ask(self, state: TrainingState, *, node: bool = False, stopped: Stop = lambda: False) -> Exercise:
        """Return a question about what comes next, about another element each time.

        Args:
            state: Present state of the session.
            node: Whether to ask about the first node of the coming pass, not about the whole line.
            stopped: Polled while a run goes on; return True to stop it.

        Raises:
            Refused: Nothing can run, or nothing can be asked about what comes next.
        """
        actions = next_actions(state, node=node)
        self._check(actions)
        turn = len(self._asked) + len(self.predictions)
        with self._branches.run(actions, stopped) as ran:
            answered = [prediction.question.target for prediction in self.predictions]
            posed = askable(ran, turn, (*answered, *self._asked))
            self._asked.append(posed.question.target)
            made = self._exercise(ran, posed, turn)
        self._last = state, made
        return made

    def asked(self, state: TrainingState) -> Exercise | None:
        """Return the question that was asked last, if it was asked in this state; else None."""
        return self._last[1] if self._last is not None and self._last[0] is state else None

    def put(self, question: Question, stopped: Stop = lambda: False) -> Exercise:
        """Return a question that somebody else has written, with its truth in the present state.

        Raises:
            Refused: Its actions cannot be tried and taken back here.
            BadInput: The session has nothing that the question asks for.
        """
        check_question(question)
        self._check(question.after)
        with self._branches.run(question.after, stopped) as ran:
            return self._exercise(ran, pose(ran, question.target), len(self.predictions))

    def _exercise(self, ran: BranchRun, posed: Posed, turn: int) -> Exercise:
        known = mastery(self.predictions, topic_of(posed))
        made = exercise(ran, posed, known.help, example_beside(ran, posed, turn + 1))
        return replace(made, has_looked=self._has_looked(ran, posed), is_done=known.is_done)

    def _check(self, actions: tuple[RunAction, ...]) -> None:
        obstacle = self._branches.obstacle(actions)
        if obstacle is not None:
            raise Refused(Refusal(obstacle))

    def _has_looked(self, ran: BranchRun, posed: Posed) -> bool:
        return has_looked(self._walk.history, self._walk.travel.held, ran, posed)
