"""Lessons on a learner's bench in a class: a session of its own, on the server like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.bench import bench, frame, idle, press, text, until
from tests.workshop.classroom import Classroom


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    classroom = Classroom(tmp_path)
    yield classroom
    classroom.close()


async def test_a_learner_takes_a_lesson_and_its_session_is_kept(room: Classroom) -> None:
    async with room.opened("ann") as pilot:
        await press(pilot, "5", "enter")
        await until(pilot, lambda: bench(pilot).course is not None)
        await press(pilot, "enter", "escape")
        course = bench(pilot).course
        assert course is not None
        assert course.lesson.id == "local-times-upstream"
        assert not course.is_open
        assert "1 goes on" in text(pilot)
    again = room.enter("ann")
    assert again.session.frame.problem == "xor"
    assert again.session.frame.position == 2


async def test_a_lesson_on_a_scripts_own_loop_works_in_a_class_too(room: Classroom) -> None:
    async with room.opened("bob") as pilot:
        await press(pilot, "5", *["down"] * 3, "enter")
        await until(pilot, lambda: bench(pilot).course is not None)
        assert frame(pilot).problem == "detached"
        await press(pilot, "4")
        await idle(pilot)
        assert "Skipped. The answer: None." in text(pilot)
    again = room.enter("bob")
    assert again.session.frame.problem == "detached"
    assert again.session.frame.position == 5
