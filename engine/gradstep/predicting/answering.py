"""The action `Answer`: the question's actions run for real, and the answer is judged by what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from gradstep.actions import Action, Answer
from gradstep.errors import BadInput, EngineError, Stopped
from gradstep.frame_builder import Trained
from gradstep.predicting.case import BranchRun
from gradstep.predicting.posing import check_question, pose
from gradstep.predictions.exercise import Prediction
from gradstep.predictions.judging import Posed, judge, read_reply
from gradstep.predictions.question import Asked
from gradstep.training.apply_action import Perform
from gradstep.training.epochs import Ended
from gradstep.training.machine import Machine, S
from gradstep.training.progress import Progress

Looked = Callable[[BranchRun, Posed], bool]
"""Returns whether the history has shown what a question asks for."""


@dataclass(slots=True)
class Answering(Generic[S]):
    """Applies actions to a machine, answers among them."""

    problem: Callable[[], Trained]
    machine: Machine[Any, S]
    perform: Perform[S]
    """Applies every other action."""

    looked: Looked = field(default=lambda ran, posed: False)

    def __call__(
        self,
        action: Action,
        start: S,
        stopped: Callable[[], bool] = lambda: False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> Ended:
        """Apply an action; for arguments and errors see `apply_action.perform`.

        What PyTorch refuses while an answer's actions run is the truth of that answer, and is not raised.

        Raises:
            BadInput: the question cannot be asked here, or the answer is none; nothing has changed.
            Stopped: a run of the question was stopped; nothing has changed.
        """
        if not isinstance(action, Answer):
            return self.perform(action, start, stopped, tell)
        check_question(action.question)
        read_reply(action.given, action.question.target.asked)
        before, ended = self.machine.state, Ended()
        try:
            error: EngineError | None = None
            try:
                for step in action.question.after:
                    ended = self.perform(step, start, stopped, tell)
                    if ended.stopped_after is not None:
                        raise Stopped
            except (BadInput, Stopped):
                raise
            except EngineError as raised:
                error = raised
            self._judge(
                action, BranchRun(self.problem(), before, self.machine.state, action.question.after, error)
            )
        except (BadInput, Stopped):
            self.machine.return_to(before)
            raise
        return Ended() if error is not None else ended

    def _judge(self, action: Answer, ran: BranchRun) -> None:
        """Keep the judged answer in the state, which is a new one, whatever ran."""
        target = action.question.target
        if ran.error is not None and target.asked is not Asked.OUTCOME:
            raise ran.error if isinstance(ran.error, BadInput) else BadInput(str(ran.error))
        posed = pose(ran, target)
        judged = judge(posed, action.given)
        prediction = Prediction(action.given, posed, judged, self.looked(ran, posed))
        self.machine.state = replace(self.machine.state, answered=prediction)
