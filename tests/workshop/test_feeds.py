"""Watching and following: real screens with real keys, connected to a real hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from gradstep.actions import Backward, Forward, RunEpochs, StepNode, ToggleZeroing, Update, Zero
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.drawing.lines import length
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.text.frames import phase
from gradstep_tui.widgets.status import status_line
from gradstep_tui.workshop.bench.screens.board import BoardScreen
from gradstep_tui.workshop.bench.screens.feed import FeedScreen
from gradstep_tui.workshop.bench.screens.resume import ResumeScreen
from gradstep_tui.workshop.bench.session.keys import FOR_INSTRUCTORS, FOR_LEARNERS, LOOKING, LOOKS
from gradstep_tui.workshop.bench.widgets.board_text import done_text
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import (
    ActionDone,
    ActionStarted,
    AllowWatching,
    Follow,
    Present,
    Tell,
)
from tests.saved_sessions import picture
from tests.tui.bench import press, state, text, until
from tests.workshop.classroom import Classroom, Headless, compare


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    classroom = Classroom(tmp_path)
    yield classroom
    classroom.close()


def feed(pilot: Pilot[None]) -> FeedScreen:
    found = pilot.app.bench.feed  # type: ignore[attr-defined]
    assert isinstance(found, FeedScreen)
    return found


def shows(pilot: Pilot[None], whose: Headless) -> bool:
    """Return whether the feed shows somebody's session, bit for bit."""
    screen = feed(pilot)
    if screen.frame is None or screen._session is None or screen.running:
        return False
    return bool(picture(screen._session) == picture(whose.session))


async def watching(pilot: Pilot[None], hub: Any, whose: Headless) -> None:
    """Open the chosen learner's bench from the board."""
    hub.update_boards()
    await until(pilot, lambda: whose.name in text(pilot))
    await press(pilot, "enter")
    await until(pilot, lambda: pilot.app.bench.feed is not None)  # type: ignore[attr-defined]
    await until(pilot, lambda: shows(pilot, whose))


async def test_a_watched_bench_is_drawn_live_and_looking_changes_nothing_in_it(room: Classroom) -> None:
    ann = room.enter("ann")
    ann.act(Forward(), StepNode(), StepNode())
    async with room.opened("teacher", "instructor", (110, 30)) as pilot:
        await watching(pilot, room.hub, ann)
        assert "WATCHING ANN" in text(pilot).splitlines()[0]
        assert "2 Sum" in text(pilot)
        compare("watched-110x30", text(pilot))
        ann.act(Backward(), Update(), Backward())
        await until(pilot, lambda: shows(pilot, ann) and feed(pilot).complaint is not None)
        assert "PyTorch refused" in text(pilot)
        before = picture(feed(pilot)._session)
        for key in ("enter", "g", "i", "a", "t", "c", "h", "f1", "?"):
            await press(pilot, key)
            await until(pilot, lambda: pilot.app.screen is not feed(pilot))
            await press(pilot, "escape")
            await until(pilot, lambda: pilot.app.screen is feed(pilot) and not feed(pilot).running)
        for key in ("f", "u", "e", "Z", "left", "space", "0", "v", "down", "#", "x", "p", "w"):
            await press(pilot, key)
            await until(pilot, lambda: not feed(pilot).running)
            if pilot.app.screen is not feed(pilot):
                await press(pilot, "escape")
        assert picture(feed(pilot)._session) == before
        await press(pilot, "t", "home", "enter")
        assert picture(feed(pilot)._session) == before
        assert "this is ann's bench" in text(pilot)


async def test_who_is_watched_sees_it_and_can_decline(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    async with room.opened("ann") as pilot:
        teacher.link.send(Follow("ann"))
        teacher.pump()
        await until(pilot, lambda: "WATCHED" in text(pilot))
        await press(pilot, "f4")
        await until(pilot, lambda: "PRIVATE" in text(pilot))
        await until(pilot, lambda: "WATCHED" not in text(pilot))
        assert not room.hub._participants["teacher"].looks_at
        teacher.link.send(Follow("ann"))
        teacher.pump()
        assert not room.hub._participants["teacher"].looks_at


async def test_who_watches_is_told_when_the_learner_declines_goes_away_or_begins_anew(
    room: Classroom,
) -> None:
    ann = room.enter("ann")
    async with room.opened("teacher", "instructor", (110, 30)) as pilot:
        await watching(pilot, room.hub, ann)
        ann.begin(Start("xor"))
        await until(pilot, lambda: shows(pilot, ann))
        assert "ann has begun xor" in text(pilot)
        ann.act(Forward())
        await until(pilot, lambda: shows(pilot, ann))
        ann.leave()
        await until(pilot, lambda: "WATCHING ANN (AWAY)" in text(pilot))
        assert "ann has logged out" in text(pilot)
        back = room.enter("ann")
        back.act(Backward())
        await until(pilot, lambda: shows(pilot, back) and "(AWAY)" not in text(pilot))
        await press(pilot, "g")
        back.link.send(AllowWatching(False))
        back.pump()
        await until(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        assert "ann does not want to be watched at the moment" in text(pilot)


async def test_long_runs_of_who_is_watched_are_done_again_and_leaving_stops_them(room: Classroom) -> None:
    ann = room.enter("ann")
    async with room.opened("teacher", "instructor") as pilot:
        await watching(pilot, room.hub, ann)
        ann.act(RunEpochs(300), ToggleZeroing(), RunEpochs(200), Forward())
        await until(pilot, lambda: shows(pilot, ann))
        room.hub.heard("ann", ActionStarted(RunEpochs(1_000_000)))
        await until(pilot, lambda: "ann is running: run 1,000,000 epochs" in text(pilot))
        assert done_text(room.hub._participants["ann"].row(0)) == "now run 1,000,000 epochs"
        room.hub.heard("ann", ActionDone(RunEpochs(1_000_000), Facts()))
        assert room.hub._participants["ann"].doing is None
        await until(pilot, lambda: feed(pilot).running)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, BoardScreen)
        await until(pilot, lambda: not room.hub._participants["teacher"].looks_at)


async def test_learners_see_what_is_presented_and_their_own_session_waits_as_it_was(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    teacher.act(Forward(), Backward())
    async with room.opened("ann") as pilot:
        bench = pilot.app.bench  # type: ignore[attr-defined]
        await press(pilot, "f", "s", "s")
        own = state(bench.frame)
        present(teacher, True)
        await until(pilot, lambda: bench.feed is not None)
        await until(pilot, lambda: shows(pilot, teacher))
        assert "TEACHER PRESENTS" in text(pilot).splitlines()[0]
        compare("followed-80x24", text(pilot))
        teacher.act(Update(), Zero(), RunEpochs(30))
        await until(pilot, lambda: shows(pilot, teacher))
        await press(pilot, "exclamation_mark", "f6")  # leaves the feed
        await until(pilot, lambda: pilot.app.screen is bench)
        assert state(bench.frame) == own
        assert "HAND" in text(pilot).splitlines()[0]
        assert "F6 goes back to the class" in text(pilot)
        await press(pilot, "s")
        own = state(bench.frame)
        teacher.act(ToggleZeroing(), Forward())
        assert not room.hub._participants["ann"].looks_at
        await press(pilot, "f6")  # returns to the feed
        await until(pilot, lambda: bench.feed is not None)
        await until(pilot, lambda: shows(pilot, teacher))
        assert room.hub._participants["ann"].row(0).following
        await press(pilot, "enter")  # a dialog over the feed
        teacher.leave()
        await until(pilot, lambda: pilot.app.screen is bench)
        assert state(bench.frame) == own
        assert "teacher has stopped presenting: this is your own bench" in text(pilot)
        back = room.enter("teacher", "instructor")
        present(back, True)
        await until(pilot, lambda: bench.feed is not None)
        await press(pilot, "f6")
        present(back, False)
        await until(pilot, lambda: "teacher has stopped presenting; you are on your own" in text(pilot))


async def test_a_dialog_and_a_run_under_way_are_still_there_when_the_class_is_left(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    async with room.opened("ann") as pilot:
        bench = pilot.app.bench  # type: ignore[attr-defined]
        await press(pilot, "r", "2")
        present(teacher, True)
        await until(pilot, lambda: bench.feed is not None)
        await until(pilot, lambda: shows(pilot, teacher))
        present(teacher, False)
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        assert pilot.app.screen.query_one(Input).value == "2"
        await press(pilot, "0", "0", "0", "enter")
        present(teacher, True)
        await until(pilot, lambda: bench.feed is not None)
        await until(pilot, lambda: shows(pilot, teacher))
        await until(pilot, lambda: bench._session.state.epoch == 2_000)
        await press(pilot, "f6")
        await until(pilot, lambda: bench.frame.epoch == 2_000 and not bench.running)
        assert pilot.app.screen is bench


async def test_what_a_work_under_way_opens_waits_until_the_class_is_left(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    async with room.opened("ann") as pilot:
        bench = pilot.app.bench  # type: ignore[attr-defined]
        await press(pilot, "e", "e")
        present(teacher, True)
        await until(pilot, lambda: bench.feed is not None)
        bench.action_press("twin")
        await until(pilot, lambda: bool(bench._held))
        assert pilot.app.screen is feed(pilot)
        await press(pilot, "f6")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "ComparisonScreen")


async def test_messages_are_shown_over_anything_and_can_be_read_again(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    words = "open the ledger with g, and look at what the second pass has added " * 4
    async with room.opened("ann") as pilot:
        await press(pilot, "r")
        teacher.link.send(Tell(f"\x1b]0;evil\x07{words}", "ann"))
        teacher.pump()
        await until(pilot, lambda: "teacher says" in text(pilot))
        assert text(pilot).count("ledger") >= 4  # the whole message, over the question
        assert isinstance(pilot.app.screen, AskScreen)
        await press(pilot, "5", "enter")
        await until(pilot, lambda: "epochs done 5" in text(pilot))
        assert "1 NEW" in text(pilot).splitlines()[0]
        present(teacher, True)
        await until(pilot, lambda: "TEACHER PRESENTS  1 NEW" in text(pilot))
        await press(pilot, "f3")
        await until(pilot, lambda: "teacher: ]0;evilopen the ledger" in text(pilot))
        assert "teacher says" not in text(pilot)
        await press(pilot, "escape")
        assert "NEW" not in text(pilot)


async def test_the_resume_code_is_confirmed_before_the_class_is_seen(room: Classroom) -> None:
    teacher = room.enter("teacher", "instructor")
    present(teacher, True)
    async with room.opened("ann", resume_code="k7mq-3f9d-xw2p") as pilot:
        bench = pilot.app.bench  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(pilot.app.screen, ResumeScreen))
        await press(pilot, "space", "f", "escape", "q")
        assert isinstance(pilot.app.screen, ResumeScreen)
        compare("resume-80x24", text(pilot))
        for words in ("k7mq-3f9d-xw2p", "ssh -p 2222 ann@host", "join code alone will not give you the name"):
            assert words in " ".join(text(pilot).replace("│", " ").split()), words
        await press(pilot, "enter")
        await until(pilot, lambda: bench.feed is not None)


def present(teacher: Headless, on: bool) -> None:
    teacher.link.send(Present(on))
    teacher.pump()


async def test_a_feed_that_cannot_be_shown_closes_and_says_why(room: Classroom) -> None:
    ann = room.enter("ann")
    async with room.opened("teacher", "instructor") as pilot:
        room.hub._participants["ann"].start = Start("/no/such/script.py")  # as a manipulated bench might send
        room.hub.update_boards()
        await until(pilot, lambda: "ann" in text(pilot))
        await press(pilot, "enter")
        await until(pilot, lambda: "ann's bench cannot be shown" in text(pilot))
        assert isinstance(pilot.app.screen, BoardScreen)
        room.hub._participants["ann"].start = Start()
        await watching(pilot, room.hub, ann)


async def test_the_class_keys_are_in_the_help_and_the_palette_and_take_none_of_the_benchs(
    room: Classroom,
) -> None:
    taken = {name for key in KEYS for name in key.keys.split(",")}
    for keys in (FOR_LEARNERS, FOR_INSTRUCTORS):
        names = [name for key in keys for name in key.keys.split(",")]
        assert len(names) == len(set(names))
        assert not taken & set(names)
    assert {key.id for key in LOOKS} == set(LOOKING)
    async with room.opened("ann", size=(160, 60)) as pilot:
        commands = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        await press(pilot, "?")
        for key in FOR_LEARNERS:
            assert re.search(rf" {re.escape(key.shown)} +{re.escape(key.tooltip)}", text(pilot))
            assert f"{key.label} ({key.shown})" in commands
        assert "Screenshot" not in commands
        await press(pilot, "escape")
        for key in FOR_LEARNERS:
            pilot.app.bench.action_press(key.id)  # type: ignore[attr-defined]
        await until(pilot, lambda: "The instructor has not sent a message yet." in text(pilot))


@pytest.mark.parametrize("problem", ["crops", "classify", "dead-relu"])
def test_at_80_columns_a_status_with_badges_keeps_its_phase(problem: str) -> None:
    session = open_session(Start(problem))
    session.apply(RunEpochs(5))
    session.apply(Forward())
    session.apply(StepNode())
    for badge in ("HAND  WATCHED  2 NEW", "PRIVATE  HAND", f"WATCHING {'X' * 24}"):
        status = status_line(session.frame, 80, badge=badge)
        assert length(status) <= 80
        assert "".join(span.text for span in status).rstrip().endswith(phase(session.frame))
        assert any(badge in span.text for span in status)
