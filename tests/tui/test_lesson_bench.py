"""A lesson beside the bench: it asks, sees what is done, and takes no key away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from gradstep.lessons.course import Course, Status
from gradstep.lessons.lesson_library import built_in_lesson, lesson_ids
from gradstep.lessons.lesson_progress import LessonProgress
from gradstep.opening import open_session
from gradstep_tui.app import GradstepApp
from gradstep_tui.courses.course_fit import misfits
from gradstep_tui.courses.lesson_taking import LessonTaking
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.arrangement import LESSON_BESIDE, LESSON_ROWS, Pane, arrangement
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.choosers.lesson_choice import LessonChoiceScreen
from gradstep_tui.screens.dialogs.choosers.lesson_chooser import LessonsScreen
from gradstep_tui.widgets.course.course_pane import CoursePanel
from tests.tui.bench import Opened, bench, frame, idle, opened, press, text, until


@asynccontextmanager
async def taking(
    lesson_id: str, size: tuple[int, int] = (80, 24), progress: LessonProgress | None = None
) -> AsyncIterator[Opened]:
    """Open the bench with a lesson."""
    lesson = LessonTaking(built_in_lesson(lesson_id), progress)
    app = GradstepApp(partial(lesson.open, open_session))
    app.taking, app.lesson_progress = lesson, progress
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: bench(pilot).course is not None)
        yield pilot


def course(pilot: Opened) -> Course:
    found = bench(pilot).course
    assert found is not None
    return found


def rows(pilot: Opened) -> list[str]:
    """Return the three rows of the lesson."""
    return text(pilot).splitlines()[1 : 1 + LESSON_ROWS]


@pytest.mark.parametrize("lesson_id", lesson_ids())
def test_the_texts_of_a_lesson_fit(lesson_id: str) -> None:
    assert not list(misfits(built_in_lesson(lesson_id)))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (110, 30), (130, 40), (200, 60)])
def test_a_lesson_has_room_and_overlaps_nothing(size: tuple[int, int]) -> None:
    regions = [*arrangement(*size, lesson=True).values()]
    assert len(regions) > 3
    lesson = arrangement(*size, lesson=True)[Pane.LESSON]
    assert (lesson.height == LESSON_ROWS) is (size[0] < LESSON_BESIDE)
    for place, region in enumerate(regions):
        assert not any(region.overlaps(other) for other in regions[place + 1 :])
        assert region.width > 0
        assert region.height > 1 or region.height == 1
    assert not set(arrangement(*size)) & {Pane.LESSON}


async def test_a_lesson_is_taken_from_its_first_text_to_its_end() -> None:
    async with taking("old-plus-new") as pilot:
        assert "Old plus new, 1 of 4: 1 reads on, 2 hint, 4 skip" in rows(pilot)[0]
        assert "The zeroing line is commented out here" in rows(pilot)[1]
        await press(pilot, "1")
        assert "run the forward pass with f" in rows(pilot)[1]
        await press(pilot, "f")
        assert "Done. `w.grad[apples, rainfall]` is 55.76" in rows(pilot)[1]
        assert "1 goes on" in rows(pilot)[0]
        await press(pilot, "1", "1")
        assert isinstance(pilot.app.screen, AskScreen)
        await press(pilot, *"26.47", "enter")
        await idle(pilot)
        assert "You said 26.47. PyTorch: 82.23. That is this pass alone." in rows(pilot)[1]
        assert not course(pilot).is_open
        await press(pilot, "1", "1")
        assert "55.76 + 26.47" not in "".join(rows(pilot))
        await press(pilot, "g", "escape")
        assert "Done." in rows(pilot)[1]
        await press(pilot, "1", "1", "1")
        assert isinstance(pilot.app.screen, LessonChoiceScreen)
        await press(pilot, "down", "enter")
        assert "a second time: no." in " ".join(rows(pilot))
        await press(pilot, "1", "enter")
        assert "Right." in rows(pilot)[1]
        await press(pilot, "1")
        assert "Old plus new, the end" in rows(pilot)[0]
        assert "0 of 2 right at first" in rows(pilot)[1]


async def test_anything_may_be_tried_and_one_key_comes_back() -> None:
    async with taking("old-plus-new") as pilot:
        await press(pilot, "f", "e", "e", "u")
        await idle(pilot)
        assert not course(pilot).is_open
        assert "3 back" in rows(pilot)[0]
        epochs = frame(pilot).epoch
        await press(pilot, "3")
        await idle(pilot)
        assert (frame(pilot).epoch, str(frame(pilot).next)) == (1, "backward")
        assert "3 back" not in rows(pilot)[0]
        await press(pilot, "e", "e")
        await idle(pilot)
        await press(pilot, "1", "1")  # the next step begins where this one was done
        await idle(pilot)
        assert frame(pilot).epoch == 1 < epochs


async def test_a_prediction_from_elsewhere_is_asked_where_the_lesson_stands() -> None:
    async with taking("old-plus-new") as pilot:
        await press(pilot, "f", "1")
        await press(pilot, "b", "u", "1")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        assert "it already: the answer is marked so." in text(pilot)
        await press(pilot, *"82.2", "enter")
        await idle(pilot)
        assert course(pilot).record.after_looking
        assert "Right: 82.2. You had looked before." in " ".join(rows(pilot))


async def test_what_is_no_answer_keeps_what_was_typed() -> None:
    async with taking("old-plus-new") as pilot:
        await press(pilot, "f", "1", "1", *"about 3", "enter")
        assert isinstance(pilot.app.screen, AskScreen)
        assert "'about 3' is no answer: use a number" in text(pilot)
        assert pilot.app.screen.field.value == "about 3"


async def test_hints_and_skipping() -> None:
    async with taking("old-plus-new") as pilot:
        await press(pilot, "2")
        assert "Hint: The loop shows the line that comes next." in rows(pilot)[1]
        await press(pilot, "2")
        assert "try something first" in text(pilot)
        await press(pilot, "4")
        await idle(pilot)
        assert course(pilot).record.status is Status.SKIPPED
        assert "Skipped." in rows(pilot)[1]
        assert str(frame(pilot).next) == "backward"


async def test_every_key_of_the_bench_stays_what_it_is() -> None:
    async with taking("old-plus-new") as pilot:
        assert {key.id for key in bench(pilot).keys} == {key.id for key in KEYS}
        await press(pilot, "space")
        assert str(frame(pilot).next) == "backward"
        await press(pilot, "n")
        assert "1 of 2 parameters" in text(pilot)


async def test_progress_is_kept_and_the_lesson_goes_on_there(tmp_path: Path) -> None:
    progress = LessonProgress(tmp_path / "lessons.db")
    async with taking("old-plus-new", progress=progress) as pilot:
        await press(pilot, "f")
        assert progress.of("old-plus-new")["forward"].status is Status.DONE
    async with taking("old-plus-new", progress=progress) as pilot:
        assert course(pilot).at == 1
        assert str(frame(pilot).next) == "backward"
        await press(pilot, "5")
        assert isinstance(pilot.app.screen, LessonsScreen)
        assert "[x   ]" in text(pilot)


async def test_a_lesson_begins_from_the_list_and_is_left_with_its_session() -> None:
    async with opened() as pilot:
        await press(pilot, "1")
        assert isinstance(pilot.app.screen, LessonsScreen)
        assert "What .grad adds up" in text(pilot)
        await press(pilot, *["down"] * 4, "enter")
        await until(pilot, lambda: bench(pilot).course is not None)
        assert course(pilot).lesson.id == "dead"
        assert frame(pilot).problem == "dead-relu"
        await press(pilot, "p", "enter", "enter")
        await until(pilot, lambda: bench(pilot).course is None)
        assert "Dead" not in rows(pilot)[0]
        await press(pilot, "2")
        assert "no lesson is under way: 5 lists them" in text(pilot)


async def test_a_session_that_would_be_lost_is_not_left_for_a_lesson_unasked() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "5", "enter")
        assert "begin another session?" in text(pilot)
        await press(pilot, "escape")
        assert frame(pilot).problem == "crops"
        assert bench(pilot).course is None


async def test_from_110_columns_on_a_lesson_has_a_pane() -> None:
    async with taking("old-plus-new", (110, 30)) as pilot:
        pane = bench(pilot).query_one(CoursePanel)
        assert (pane.size.width, pane.size.height) == (30, 27)
        shown = text(pilot)
        assert "commented out here" in shown
        assert "Build a new graph" in shown
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "1 reads on" in rows(pilot)[0]


async def test_a_lesson_in_ascii_and_small_terminals_shows_no_signs_of_its_own() -> None:
    async with taking("old-plus-new", (70, 20)) as pilot:
        assert "gradstep needs 80x24" in text(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Old plus new" in rows(pilot)[0]
        assert all(line.isascii() for line in rows(pilot)[1:])
