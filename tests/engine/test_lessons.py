"""Lessons are taken as a learner would: by what the session's state and history say."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gradstep.actions import Action, Answer, Backward, Forward, GoTo, NextLine, RunEpochs, StepNode, Undo
from gradstep.errors import BadInput
from gradstep.lessons.checking import check_lesson
from gradstep.lessons.conditions import KNOWN
from gradstep.lessons.course import (
    NO_EVENTS,
    Course,
    Status,
    StepProgress,
    back_to_lesson,
    begin_course,
    is_away,
    point_of,
    with_action,
    with_choice,
    with_view,
)
from gradstep.lessons.lesson_commands import View, command_from
from gradstep.lessons.lesson_error import LessonError
from gradstep.lessons.lesson_file import lesson_from
from gradstep.lessons.lesson_library import FOLDER, LADDER_OF, built_in_lesson, lesson_ids
from gradstep.lessons.lesson_parts import Predict
from gradstep.lessons.lesson_progress import LessonProgress
from gradstep.lessons.lesson_sessions import open_lesson
from gradstep.lessons.questions import for_lesson, judged_in_lesson, question_of
from gradstep.lessons.situation import situation_of
from gradstep.lessons.solutions import fast_forward, skip_step
from gradstep.opening import open_session
from gradstep.predictions.judging import Grade
from gradstep.session import Session
from gradstep.start import Start
from tests.engine.test_lesson_files import LESSON, PATH


@pytest.mark.parametrize("lesson_id", lesson_ids())
def test_a_built_in_lesson_is_in_order(lesson_id: str) -> None:
    lesson = built_in_lesson(lesson_id)
    assert [step.id for step in check_lesson(lesson)] == [step.id for step in lesson.steps]
    assert lesson.id == lesson_id
    assert lesson.front.ladder == LADDER_OF[lesson_id]
    assert lesson.front.idea


def test_every_file_of_a_lesson_is_in_a_ladder() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*lesson_ids()}
    assert len(lesson_ids()) == 24


class Taking:
    """A lesson under way, followed as a screen follows it."""

    def __init__(self, lesson_id: str) -> None:
        self.session: Session = open_lesson(built_in_lesson(lesson_id), open_session)
        self.course: Course = begin_course(built_in_lesson(lesson_id), self.session)

    def do(self, *actions: Action) -> Course:
        for action in actions:
            self.session.apply(action)
            self.course = with_action(self.course, self.session)
        return self.course

    def go_on(self) -> None:
        self.course = self.course.next_step()

    def answer(self, given: str) -> Course:
        step = self.course.step
        assert step is not None
        assert isinstance(step.part, Predict)
        return self.do(Answer(question_of(step.part, self.session.frame), given))


def test_a_task_is_done_whichever_way_it_was_done_and_not_if_it_was_undone() -> None:
    for action in (Forward(), NextLine()):
        assert not Taking("old-plus-new").do(action).is_open
    undone = Taking("old-plus-new")
    undone.do(RunEpochs(1))
    assert undone.course.is_open  # an epoch is not the forward pass that was asked for
    undone.do(Undo())
    assert undone.course.is_open


@pytest.mark.parametrize("word", dict(KNOWN)["did"][1])
def test_every_command_can_be_what_was_done(word: str) -> None:
    ready = [RunEpochs(1), Forward()]
    before: dict[str, list[Action]] = {"back": [*ready, StepNode()], "up": [], "comment": []}
    text = {
        "node": "node",
        "run": "run 3",
        "comment": "comment zero",
        "up": "up zero",
        "down": "down forward",
    }
    text |= {"rate": "rate 0.5", "optimizer": "optimizer Adam()", "batches": "batches micro(2)"}
    session = open_session(Start("line"))
    for action in before.get(word, ready):
        session.apply(action)
    place = point_of(session)
    command = command_from(text.get(word, word))
    assert not isinstance(command, View)
    session.apply(command)
    assert word in situation_of(session, place, NO_EVENTS).did


def test_what_is_done_stays_done_and_its_place_is_kept() -> None:
    taking = Taking("old-plus-new")
    taking.do(Forward())
    place = taking.course.place
    taking.do(Undo(), RunEpochs(3))
    assert taking.course.record.status is Status.DONE
    assert is_away(taking.course, taking.session)
    taking.do(back_to_lesson(taking.course))
    assert taking.course.place == place
    assert not is_away(taking.course, taking.session)
    assert str(taking.session.frame.next) == "backward"


@pytest.mark.parametrize(
    ("given", "grade", "slip"),
    [
        ("82.2", Grade.RIGHT, ""),
        ("26.5", Grade.SLIP, "new"),
        ("55.8", Grade.SLIP, "old"),
        ("7", Grade.UNKNOWN, ""),
    ],
)
def test_a_prediction_is_judged_by_what_pytorch_gave(given: str, grade: Grade, slip: str) -> None:
    taking = Taking("old-plus-new")
    taking.do(Forward())
    taking.go_on()
    record = taking.answer(given).record
    assert (record.first, record.slip, record.status) == (grade, slip, Status.DONE)
    assert not record.after_looking


def test_who_looked_ahead_is_marked_and_the_first_answer_counts() -> None:
    taking = Taking("old-plus-new")
    taking.do(Forward())
    taking.go_on()
    taking.do(Backward(), Undo())
    record = taking.answer("82.2").record
    assert record.after_looking
    taking.do(Undo())
    assert taking.answer("1").record.first is Grade.RIGHT


def test_an_answer_from_elsewhere_is_not_the_lessons() -> None:
    taking = Taking("old-plus-new")
    taking.do(Forward())
    taking.go_on()
    taking.do(RunEpochs(1), Forward())
    assert taking.answer("1").is_open


def test_a_wrong_choice_leaves_the_step_open_and_the_first_one_is_kept() -> None:
    taking = Taking("once-only")
    taking.answer("runs")
    taking.go_on()
    course = with_choice(taking.course, "Call zero_grad() first")
    assert course.is_open
    course = with_choice(course, "Run forward again")
    assert not course.is_open
    assert (course.record.first, course.record.slip, course.record.tries) == (
        Grade.SLIP,
        "Call zero_grad() first",
        2,
    )


def test_hints_come_one_by_one_and_each_after_something_was_tried() -> None:
    taking = Taking("old-plus-new")
    course = taking.course.with_hint()
    with pytest.raises(BadInput, match="try something first"):
        course.with_hint()
    for _ in range(2):
        course = with_view(course, taking.session, "graph").with_hint()
    assert course.hints == taking.course.lesson.steps[0].part.hints
    with pytest.raises(BadInput, match="all hints"):
        with_view(course, taking.session, "graph").with_hint()


def test_a_skipped_step_is_done_from_where_the_lesson_stands_and_marked() -> None:
    taking = Taking("old-plus-new")
    taking.do(RunEpochs(5))
    course = skip_step(taking.course, taking.session)
    assert course.record.status is Status.SKIPPED
    assert taking.session.frame.epoch == 1
    assert str(taking.session.frame.next) == "backward"


def test_a_lesson_goes_on_at_the_first_step_that_is_not_done() -> None:
    taken = Taking("old-plus-new")
    done = StepProgress(Status.DONE, Grade.SLIP, "new", 1)
    records = (StepProgress(Status.DONE), done, StepProgress(), StepProgress())
    course = fast_forward(taken.course, taken.session, records)
    assert course.at == 2
    assert course.records[1] == done
    grad = taken.session.frame.parameters[0].grad
    assert grad is not None
    assert round(float(grad[0, 1]), 2) == 82.23


def test_the_end_is_reached_and_stays() -> None:
    taking = Taking("once-only")
    for _ in taking.course.lesson.steps:
        taking.course = skip_step(taking.course, taking.session)
        taking.go_on()
    assert taking.course.over
    taking.go_on()
    taking.do(GoTo(0))
    assert taking.course.over


# What the check finds


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('did = "forward"', 'fact = "epoch", eq = 1', "15: this is done before anything is done"),
        ('did = "forward"', 'did = "update"', "17: the solution does not do the task"),
        ('did = "forward"', 'fact = "number", of = "v[0]", eq = 1', "15: done: 'v[0]' names no parameter"),
        ("[apples, rainfall]", "[apples]", "22: value: 'w.grad[apples]' needs 2 places in brackets"),
        ("[apples, rainfall]", "[apples, snow]", "22: value: 'snow' in 'w.grad[apples, snow]' is no place"),
        ('new = "Alone."', 'upstream = "Alone."', "26: the slip upstream cannot come up here"),
        ('"epoch"]', '"epoch", "backward"]', "6: start: 'backward' cannot be done here"),
        ('"epoch"]', '"epoch", "rate 1e30", "run 9", "run 9"]', "6: start: 'run 9' cannot be done here"),
    ],
)
def test_the_check_names_the_line_of_what_is_wrong(old: str, new: str, said: str) -> None:
    assert old in LESSON
    with pytest.raises(LessonError) as raised:
        list(check_lesson(lesson_from(LESSON.replace(old, new, 1), PATH)))
    assert f"mine.md:{said}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_ambiguous_question_is_refused() -> None:
    slips = LESSON.replace('new = "Alone."', 'old = "Before."\nnew = "Alone."')
    twice = slips.replace('"comment zero", "epoch"', '"comment zero", "forward", "backward"')
    with pytest.raises(
        LessonError, match=r"22: this question is ambiguous: the slip (old|new), .* are the same"
    ):
        list(check_lesson(lesson_from(twice, PATH)))


# Progress


def test_progress_is_kept_per_learner_and_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lessons.db"
    record = StepProgress(Status.DONE, Grade.SLIP, "new", 2, 1, after_looking=True)
    LessonProgress(path).keep("dead", "grad", record)
    LessonProgress(path).keep("dead", "grad", StepProgress(Status.SKIPPED), "ada")
    progress = LessonProgress(path)
    assert progress.of("dead") == {"grad": record}
    assert progress.of("dead", "ada") == {"grad": StepProgress(Status.SKIPPED)}
    progress.reset("cut")
    assert progress.of("dead")
    progress.reset()
    assert not LessonProgress(path).of("dead")
    assert LessonProgress(path).of("dead", "ada")
    assert not progress.trouble


def test_progress_that_cannot_be_written_lasts_as_long_as_the_program(tmp_path: Path) -> None:
    newer, broken = tmp_path / "newer.db", tmp_path / "broken.db"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    broken.write_bytes(b"no database" * 100)
    for path in (newer, broken, tmp_path / "newer.db" / "below.db"):
        before = path.read_bytes() if path.exists() else b""
        progress = LessonProgress(path)
        progress.keep("dead", "grad", StepProgress(Status.DONE))
        assert progress.of("dead") == {"grad": StepProgress(Status.DONE)}
        assert "is not saved" in progress.trouble
        assert (path.read_bytes() if path.exists() else b"") == before


@pytest.mark.parametrize("lesson_id", lesson_ids())
def test_every_wrong_idea_that_a_lesson_has_a_sentence_for_is_named(lesson_id: str) -> None:
    taking = Taking(lesson_id)
    for step in taking.course.lesson.steps:
        if isinstance(step.part, Predict):
            question = question_of(step.part, taking.session.frame)
            posed = for_lesson(taking.session.put(question).posed, step.part)
            place = taking.course.place
            for slip, reply in (*posed.slips, ("", posed.truth)):
                given = f"{reply:.3g}" if isinstance(reply, float) else str(reply)
                taking.session.apply(Answer(question, given))
                prediction = taking.session.frame.prediction
                assert prediction is not None
                judged = judged_in_lesson(prediction, step.part)
                assert (judged.slip or "", judged.grade) == (slip, Grade.SLIP if slip else Grade.RIGHT), given
                taking.session.apply(GoTo(place))
            assert set(step.part.slips) <= {slip for slip, _ in posed.slips}
        taking.course = skip_step(taking.course, taking.session)
        taking.go_on()
