"""Asks for a prediction of what comes next, and runs it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import Answer
from gradstep.predictions.judging import Grade
from gradstep.predictions.question import CHOICES
from gradstep_tui.screens.dialogs.ledger import LedgerScreen
from gradstep_tui.screens.dialogs.predictions.prediction import Other, PredictionScreen
from gradstep_tui.text.predictions.outcome_texts import UNKNOWN, side_text

if TYPE_CHECKING:
    from gradstep.predictions.exercise import Exercise
    from gradstep.predictions.question import Question
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen

PATIENCE: Final = 0.5
"""Seconds that the key waits for its question, so that an answer typed meanwhile gets to the question."""


def ask_prediction(bench: KeyedScreen) -> None:
    """Ask about the line or node that comes next; with the answer it runs."""
    session = bench.idle_session()
    if session is None:
        return
    ask = session.ask
    bench.work(
        lambda stopped: ask(stopped=stopped),
        partial(_show, bench),
        title="question",
        at_once=PATIENCE,
    )


def _show(bench: KeyedScreen, exercise: Exercise) -> None:
    def answered(given: str | Other | None) -> None:
        if given is Other.QUESTION:
            ask_prediction(bench)
        elif isinstance(given, str):
            _commit(bench, exercise.question, given)

    if bench.frame is not None:
        bench.app.push_screen(PredictionScreen(exercise, bench.frame), answered)


def _commit(bench: KeyedScreen, question: Question, given: str) -> None:
    bench.perform(Answer(question, given))
    bench.when_idle(partial(_open_ledger, bench))


def _open_ledger(bench: KeyedScreen) -> None:
    """Open the ledger if no slip explains the answer that was just given."""
    frame = bench.frame
    prediction = None if frame is None else frame.prediction
    if frame is None or prediction is None or prediction.judged.grade is not Grade.UNKNOWN:
        return
    target = prediction.question.target
    if target.asked not in CHOICES:
        said = f"{side_text(prediction, frame)} {UNKNOWN}"
        bench.app.push_screen(LedgerScreen(frame, target.name, target.index, said))
