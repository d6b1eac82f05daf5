"""`gradstep learn` and `gradstep lesson`, and lessons in plain mode."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gradstep.lessons.conditions import COMPARED, HEADS
from gradstep.lessons.course import Status, StepProgress
from gradstep.lessons.facts import FACTS
from gradstep.lessons.lesson_commands import VIEWS
from gradstep.lessons.lesson_commands import WORDS as COMMANDS
from gradstep.lessons.lesson_library import LADDER_OF, built_in_lesson, lesson_ids
from gradstep.lessons.lesson_progress import LessonProgress
from gradstep.lessons.questions import WHOLE
from gradstep.lessons.situation import Milestone
from gradstep.opening import load_session, open_session
from gradstep.predictions.judging import Grade
from gradstep_tui.cli import main
from gradstep_tui.courses.course_fit import misfits
from gradstep_tui.courses.lesson_taking import LessonTaking
from gradstep_tui.manual.pages import page
from gradstep_tui.plain.conversation import Conversation
from tests.engine.test_lesson_files import LESSON


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "gradstep"


# The list


def test_lessons_are_listed_in_four_ladders_with_progress(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = LessonProgress()
    progress.keep("old-plus-new", "forward", StepProgress(Status.DONE))
    progress.keep("old-plus-new", "sum", StepProgress(Status.DONE, Grade.RIGHT))
    progress.keep("old-plus-new", "ledger", StepProgress(Status.SKIPPED))
    assert main(["learn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")][:4] == [
        "How gradients are computed",
        "What .grad adds up",
        "How weights move",
        "Loops that look right",
    ]
    assert [line.split()[0] for line in lines if line.startswith(" ")] == [*lesson_ids()]
    (taken,) = (line for line in lines if line.split()[0] == "old-plus-new")
    assert taken.endswith("[xx- ]   3 of 4 steps, 1 of 1 right at first, 1 skipped")


def test_what_was_done_is_forgotten_only_after_a_question(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for lesson in ("dead", "cut"):
        LessonProgress().keep(lesson, "any", StepProgress(Status.DONE))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["learn", "--reset"]) == 2
    assert "this forgets what you did in all lessons: run it in a terminal" in capsys.readouterr().err
    assert LessonProgress().of("dead")
    assert main(["learn", "dead", "--reset", "--yes"]) == 0
    assert not LessonProgress().of("dead")
    assert LessonProgress().of("cut")
    assert main(["learn", "--reset", "--yes"]) == 0
    assert not LessonProgress().of("cut")


def test_an_unknown_lesson_is_named_with_the_one_that_was_meant(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learn", "old-plus"]) == 2
    assert "no lesson is called 'old-plus'. Did you mean 'old-plus-new'?" in capsys.readouterr().err


# Files


def test_a_new_lesson_is_whole_in_order_and_never_replaces_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "My_lesson.md"
    assert main(["lesson", "new", str(path)]) == 0
    assert main(["lesson", "check", str(path)]) == 0
    out = capsys.readouterr().out
    assert "my-lesson is in order: 3 steps" in out
    assert "slope: the truth is -4.33; slips: negated 4.33" in out
    before = path.read_bytes()
    assert main(["lesson", "new", str(path)]) == 2
    assert path.read_bytes() == before
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Mine"', 'titel = "Mine"', "4: no field is called 'titel'"),
        ('"Run forward."', f'"{"word " * 60}"', "14: this text (ask) takes 4 rows: at most 2 fit"),
        ('"Run forward."', '"Run {forwards}."', "14: {forwards} is no key"),
        ('"one", "two"', f'"one", "two", "{"x" * 70}"', "because says nothing about the wrong answer"),
        ('"epoch"]', '"epoch", "backward"]', "6: start: 'backward' cannot be done here"),
        ('did = "forward"', 'did = "zero"', "17: the solution does not do the task"),
    ],
)
def test_the_check_of_a_bad_file_is_one_line_with_its_place(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.md"
    path.write_text(LESSON.replace(old, new, 1))
    assert main(["lesson", "check", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}:")
    assert said in line


@pytest.mark.parametrize("content", [None, b"x" * 10_000_000, b"+++\n\xff", b"+++\n+++\n", b""])
def test_a_file_that_is_no_lesson_is_refused_in_one_line(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.md"
    if content is not None:
        path.write_bytes(content)
    for what in ("check", "try"):
        assert main(["lesson", what, str(path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{path}:1:" in line or f"{path}:2:" in line


def test_all_texts_that_do_not_fit_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.md"
    long = "word " * 60
    path.write_text(LESSON.replace('"Look."', f'"{long}"').replace('"Mine"', f'"{long}"'))
    assert main(["lesson", "check", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 5
    assert not list(misfits(built_in_lesson("dead")))


def test_the_manual_has_every_word_of_the_format() -> None:
    text = page("writing-lessons")
    heads = (*HEADS, *COMPARED, *FACTS, *VIEWS, *Milestone, *WHOLE)
    assert [word for word in heads if f"`{word}`" not in text and f"{word} =" not in text] == []
    assert [word for word in COMMANDS if f"`{word}" not in text] == []
    lines = page("lessons").splitlines()
    assert [
        row.split("`")[1] for row in lines if row.startswith("| `") and row.split("`")[1] in LADDER_OF
    ] == [*lesson_ids()]


# Plain mode


class Talk:
    """A conversation with a lesson, whose answers are kept."""

    def __init__(self, lesson_id: str = "", progress: LessonProgress | None = None) -> None:
        taking = LessonTaking(built_in_lesson(lesson_id), progress) if lesson_id else None
        session = load_session("crops") if taking is None else taking.open(open_session)
        self.said = list[str]()
        self._talk = Conversation(session, self.said.append, taking=taking, progress=progress)
        self._talk.greet()

    def __call__(self, line: str) -> str:
        self.said.clear()
        self._talk.answer(line)
        return "\n".join(self.said)


def test_a_lesson_in_words_from_its_first_step_to_its_end(tmp_path: Path) -> None:
    progress = LessonProgress(tmp_path / "lessons.db")
    talk = Talk("old-plus-new", progress)
    assert "Lesson Old plus new, 1 of 4." in talk.said
    assert "run the forward pass with forward." in talk.said[-1]
    assert "lesson: Done. `w.grad[apples, rainfall]` is 55.76" in talk("f")
    assert talk("lesson").endswith("Type answer and your answer.")
    assert "'about 3' is no answer: use a number" in talk("answer about 3")
    assert "Hint: There are two numbers" in talk("hint")
    assert "try something first" in talk("hint")
    told = talk("answer 26.47")
    assert "lesson: That is this pass alone. Backward does not overwrite" in told
    assert "lesson: 55.76 + 26.47 = 82.23." in told
    talk("lesson")
    assert "lesson: Done." in talk("ledger w apples rainfall")
    assert "2) So that backward can run a second time" in talk("lesson")
    assert "no. Backward has just run" in talk("answer 2")
    assert "'7' is none of the answers: use a number from 1 to 3" in talk("answer 7")
    assert "lesson: Right." in talk("answer 1")
    assert "The lesson is over: done, 0 of 2 right at first." in talk("lesson")
    assert [record.status for record in progress.of("old-plus-new").values()] == [Status.DONE] * 4


def test_play_is_a_branch_and_the_lesson_is_found_again_in_words() -> None:
    talk = Talk("old-plus-new")
    talk("forward")
    talk("run 20")
    assert "epochs done: 21" in talk("status") or "epochs done 21" in talk("status")
    talk("to lesson")
    assert "next: backward" in talk("status")
    assert talk("to lesson") == "the lesson stands here"
    talk("run 3")
    talk("lesson")  # the next step begins where this one was done
    assert "next: backward" in talk("status")


def test_a_lesson_can_be_begun_and_skipped_through_in_words() -> None:
    talk = Talk()
    assert "no lesson is under way" in talk("lesson")
    assert "no lesson is under way" in talk("hint")
    assert "nothing is asked" in talk("answer 3")
    assert "Take one with lessons and its name" in talk("lessons")
    assert "Did you mean 'dead'" in talk("lessons ded")
    assert "Lesson Dead, 1 of 3." in talk("lessons dead")
    assert "Skipped. The answer: 0. 0, and not None" in talk("skip step")
    for _ in range(2):
        talk("lesson")
        talk("skip step")
    assert "3 skipped" in talk("lesson")
    talk("problem line")
    assert "no lesson is under way" in talk("lesson")


def test_a_question_besides_the_lesson_is_answered_first() -> None:
    talk = Talk("old-plus-new")
    talk("forward")
    talk("lesson")
    talk("predict")
    assert "lesson:" not in talk("answer 1")
