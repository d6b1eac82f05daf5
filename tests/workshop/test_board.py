"""The board: its content at any size, its keys, and its cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from textual import events
from textual.pilot import Pilot

from gradstep.actions import Backward, Forward, RunEpochs, StepNode, Update, Zero
from gradstep.loop.loop import Kind
from gradstep.start import Start
from gradstep_tui.drawing.ascii import to_ascii
from gradstep_tui.drawing.lines import Line
from gradstep_tui.workshop.bench.screens.board import KEYS
from gradstep_tui.workshop.bench.widgets.board_rows import SORTS, arranged, class_text, seen_text
from gradstep_tui.workshop.bench.widgets.board_table import BoardTable
from gradstep_tui.workshop.bench.widgets.board_text import done_text, next_text, phase_text
from gradstep_tui.workshop.wire.facts import Facts, Phase, PhaseKind, PyTorchRefusal
from gradstep_tui.workshop.wire.messages import ForgetKeys, Hand, Row
from gradstep_tui.workshop.wire.milestones import Milestone
from tests.tui.bench import press, text, until
from tests.workshop.classroom import Classroom, compare, own

NOW: Final = 1_000_000.0
HOST_KEY: Final = "SHA256:uDgFmWhYBGcJpV7zk0mNw1rTq6oXe5sHiL3aQ2bC9dE"
ERROR: Final = "Trying to backward through the graph a second time"

LONG: Final = "cleo-with-a-long-name-24"
SEEN: Final = tuple(Milestone)
STUCK: Final = Facts(
    phase=Phase(statement=Kind.ZERO),
    epoch=3,
    loss=9021.5,
    refusal=PyTorchRefusal("RuntimeError", ERROR),
    curve="765",
    seen=SEEN[:1],
)
IN_PASS: Final = Facts(phase=Phase(PhaseKind.IN_BACKWARD, number=12, total=31), loss=0.25, seen=SEEN[:1])
MILLION: Final = Facts(
    phase=Phase(statement=Kind.BACKWARD, number=2, total=3),
    epoch=1_234_567,
    loss="inf",
    curve="0000 777",
    seen=SEEN,
)
AHEAD: Final = Facts(phase=Phase(statement=Kind.UPDATE), epoch=12, loss=291.1, curve="753110", seen=SEEN[:2])

CLASS: Final = (
    Row("ann", True, "crops", AHEAD, NOW - 5, Backward()),
    Row("bob", True, "crops", STUCK, NOW - 200, Backward(), hand=NOW - 130),
    Row(LONG, True, "xor", IN_PASS, NOW - 42, StepNode(), watched=1),
    Row("dan", True, "dead-relu", MILLION, NOW - 4000, RunEpochs(1_000_000), allows=False),
    Row(
        "eve",
        True,
        "crops",
        Facts(epoch=100, loss=4.8427, curve="7000"),
        NOW - 61,
        RunEpochs(100),
        hand=NOW - 30,
        following=True,
    ),
    Row("finn", False, "crops", Facts(epoch=7, loss=512.25, curve="764"), NOW - 90_000, RunEpochs(1)),
    Row("gus", True, "crops", Facts(), NOW - 1),
)


def drawn(rows: Sequence[Row], size: tuple[int, int]) -> list[str]:
    table = a_table(rows)
    return ["".join(span.text for span in line).rstrip() for line in table.lines(*size)]


def a_table(rows: Sequence[Row]) -> BoardTable:
    table = BoardTable(KEYS, clock=lambda: NOW, host_key=HOST_KEY)
    table.learn(rows)
    return table


@pytest.mark.parametrize("size", [(80, 24), (110, 30), (160, 50)], ids=["80x24", "110x30", "160x50"])
def test_the_board_is_drawn_as_it_was_read_and_found_good(size: tuple[int, int]) -> None:
    compare(f"board-{size[0]}x{size[1]}", "\n".join(drawn(CLASS, size)))


def test_a_learner_who_is_gone_has_no_row_and_is_not_counted() -> None:
    table = a_table(CLASS)
    table.lines(160, 50)
    gone, online = table.chosen, table.online
    table.forget([gone, "nobody"])
    text = "\n".join("".join(span.text for span in line) for line in table.lines(160, 50))
    assert gone not in text.split()
    assert (table.row(gone), table.online) == (None, online - 1)
    table.forget([row.name for row in CLASS])
    assert "Nobody has joined yet." in "".join(span.text for line in table.lines(80, 24) for span in line)


def test_a_wide_board_cuts_nothing_and_a_small_one_has_the_chosen_learner_in_full() -> None:
    wide = "\n".join(drawn(CLASS, (160, 50)))
    for row in CLASS:
        for words in (row.name, row.problem, next_text(row.facts.phase), done_text(row)):
            assert words in wide or row.facts.refusal is not None, words
    table = a_table(CLASS)
    for row in CLASS:
        table.chosen = row.name
        small = "\n".join("".join(span.text for span in line) for line in table.lines(80, 24))
        assert row.name in small.splitlines()[-6]
        assert phase_text(row.facts.phase) in small
        assert f"last: {done_text(row)}" in small
        assert row.facts.refusal is None or ERROR[:40] in small
    assert all(len(line) <= 80 or "refused: " in line for line in drawn(CLASS, (80, 24)))


def test_nothing_on_the_board_is_told_by_colour_alone_and_ascii_has_all_of_it() -> None:
    plain = [to_ascii(line) for line in drawn(CLASS, (110, 30))]
    rows = {row.name[:3]: next(line for line in plain if row.name[:3] in line[6:9]) for row in CLASS}
    signs = {name: line[1:5] for name, line in rows.items()}
    wanted = {"bob": "!x  ", "eve": "!  f", "dan": "  - ", "cle": "  w ", "ann": "    "}
    assert {name: signs[name] for name in wanted} == wanted
    assert "away" in rows["fin"]
    assert not any("?" in line for line in plain[:-1])


def test_the_board_has_the_servers_key_whole_at_every_width() -> None:
    """Whoever logs in for the first time is asked whether the server has this key."""
    for width in (80, 110, 160):
        assert f"this server's key: {HOST_KEY}" in "\n".join(drawn(CLASS, (width, 24)))


def test_sorting_and_filtering_find_who_needs_help() -> None:
    names = {sort: [row.name[:4] for row in arranged(CLASS, sort, "")] for sort in SORTS}
    assert names["hands, then who waits"] == ["bob", "eve", "dan", "cleo", "ann", "gus", "finn"]
    assert names["name"] == sorted(names["name"])
    assert names["epochs"] == ["cleo", "gus", "bob", "ann", "eve", "dan", "finn"]
    assert names["loss"][:2] == ["dan", "bob"]
    for only, wanted in {
        "hand": {"bob", "eve"},
        "error": {"bob"},
        "XOR": {"cleo"},
        "away": {"finn"},
        "not watchable": {"dan"},
        "follows": {"eve"},
        "no accumulation": {"bob", "cleo", "eve", "finn", "gus"},
        "": {row.name[:4] for row in CLASS},
        "nobody is called so": set(),
    }.items():
        assert {row.name[:4] for row in arranged(CLASS, "name", only)} == wanted, only


def test_the_class_is_summed_up_in_words() -> None:
    assert class_text(CLASS, NOW) == "6 here, 1 away, 2 hands up, 2 idle for 2 min or more"
    assert seen_text(CLASS, 100).startswith("4 of 6 have seen single nodes, 2 accumulation")
    big = [Row(f"n{number}", True, "crops", Facts(seen=SEEN), NOW) for number in range(200)]
    assert len(seen_text(big, 79)) <= 79
    assert "200 divergence" in seen_text(big, 79)
    assert seen_text([], 79).startswith("0 of 0")


def test_two_hundred_learners_scroll_and_only_rows_that_changed_are_drawn_again() -> None:
    rows = [
        Row(f"learner-{number:03}", True, "crops", Facts(epoch=number, loss=1.5), NOW, Update())
        for number in range(200)
    ]
    table = a_table(rows)
    table.sort()
    before = table.lines(110, 30)
    assert (
        sum("learner-" in _text(line) for line in before) == 30 - 6 - 4
    )  # a row more: the details of the chosen learner
    for name in ("learner-007", "learner-150"):
        table.learn([Row(name, True, "crops", Facts(epoch=8, loss=1.25), NOW, Zero())])
    after = table.lines(110, 30)
    changed = [_text(new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert "learner-007" in changed[0]
    table.walk(100_000)
    assert any("learner-199" in _text(line) for line in table.lines(110, 30))
    table.only("no such")
    assert "hides all 200" in "\n".join(map(_text, table.lines(80, 24)))


def test_a_class_of_a_hundred_costs_the_server_and_the_board_little(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    seats = [room.enter(f"n{number}") for number in range(3)]
    heard = list[object]()
    room.hub.join(own(room.store, "ida", "instructor"), heard.append)
    many = [(f"learner-{number:03}", (lambda _: None)) for number in range(100)]
    for name, send in many:
        room.hub.join(own(room.store, name), send)
    seats[0].act(Forward(), StepNode())
    table = a_table([])
    costs = []
    for _ in range(5):
        room.hub._feeds.changed |= {name for name, _ in many}  # everybody has done something since
        began = time.process_time()
        room.hub.update_boards()
        table.learn(heard[-1].rows)  # type: ignore[attr-defined]
        table.lines(160, 50)
        costs.append(time.process_time() - began)
    assert min(costs) < 0.05 * 0.5, f"{min(costs):.4f} s every half a second"
    for seat in seats:
        seat.leave()
    room.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    classroom = Classroom(tmp_path)
    yield classroom
    classroom.close()


async def test_the_boards_keys_reach_the_class(room: Classroom) -> None:
    ann, bob = room.enter("ann"), room.enter("bob")
    ann.act(Forward(), Backward(), Update(), Backward())
    bob.begin(Start("xor"))
    room.hub._participants["ann"].at = room.hub._participants["bob"].at = (
        time.time() + 3600
    )  # the idle time stays `now`
    async with room.opened("ida", "instructor", (110, 30)) as pilot:
        room.hub.update_boards()
        await until(pilot, lambda: "refused: RuntimeError" in text(pilot))
        assert "ida" not in text(pilot)
        await press(pilot, "tab", "down")
        assert "sorted by name" in text(pilot)
        assert chosen(pilot) == "bob"
        await press(pilot, "at", *"look")
        await press(pilot, "enter")
        assert "sent to bob: look" in text(pilot)
        await until(pilot, lambda: bool(room.hub._participants["bob"].told))
        assert not room.hub._participants["ann"].told
        await press(pilot, "asterisk", *"x" * 301, "enter")
        assert "shorten it to 300" in text(pilot)
        await press(pilot, "escape", "asterisk", *"all", "enter")
        await until(
            pilot,
            lambda: (
                len(room.hub._participants["bob"].told) == 2 and len(room.hub._participants["ann"].told) == 1
            ),
        )
        await press(pilot, "slash", *"xyz", "enter")
        assert "hides all 2" in text(pilot)
        await press(pilot, "slash", "enter", "home", "exclamation_mark")
        assert "ann's hand is not up" in text(pilot)
        room.hub.heard("ann", Hand(True))
        room.hub.update_boards()
        await until(pilot, lambda: "1 hand up" in text(pilot))
        await press(pilot, "exclamation_mark")
        await until(pilot, lambda: not room.hub._participants["ann"].hand)
        await press(pilot, "f6")
        await until(pilot, lambda: "YOU PRESENT: 0 of 2 follow" in text(pilot))
        await press(pilot, "question_mark")
        await until(pilot, lambda: "signs before a name" in text(pilot) and "Lower the chosen" in text(pilot))
        await press(pilot, "escape", "f2")
        assert "PRESENTING, 0 follow" in text(pilot).splitlines()[0]
        await press(pilot, "e", "f6", "f2")
        await until(pilot, lambda: "you have stopped presenting" in text(pilot))
        assert room.hub._participants["ida"].actions == [RunEpochs(1)]


async def click(pilot: Pilot[None], words: str, times: int = 1) -> None:
    """Click the first place on the screen that has some words."""
    rows = text(pilot).splitlines()
    y = next(number for number, row in enumerate(rows) if words in row)
    await pilot.click(None, offset=(rows[y].index(words), y), times=times)
    await press(pilot)


async def test_the_boards_rows_and_the_keys_in_its_last_row_can_be_clicked(room: Classroom) -> None:
    ann, _ = room.enter("ann"), room.enter("bob")
    ann.act(Forward())
    async with room.opened("ida", "instructor", (110, 30)) as pilot:
        room.hub.update_boards()
        await until(pilot, lambda: " bob " in text(pilot))
        await click(pilot, "Tab sort")
        assert "sorted by name" in text(pilot)
        await press(pilot, "home")
        await click(pilot, "bob ")
        assert chosen(pilot) == "bob"
        await click(pilot, "last:")  # the details are no list
        assert chosen(pilot) == "bob"
        await click(pilot, "ann ")
        assert chosen(pilot) == "ann"
        await click(pilot, "@ tell")
        assert "Message to ann?" in text(pilot)
        await press(pilot, "escape")
        for kind, name in ((events.MouseScrollDown, "bob"), (events.MouseScrollUp, "ann")):
            pilot.app.post_message(kind(None, 40, 6, 0, 0, 0, False, False, False, 40, 6))
            await until(pilot, lambda name=name: chosen(pilot) == name)  # type: ignore[misc]
        await click(pilot, "ann ", times=2)
        await until(pilot, lambda: "WATCHING ANN" in text(pilot))


def chosen(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(BoardTable).chosen


def _text(line: Line) -> str:
    return "".join(span.text for span in line)


async def test_an_instructor_sees_and_forgets_a_learners_keys(tmp_path: Path) -> None:
    """The keys are known after a restart as well, if the learner has not logged in since."""
    before, key = Classroom(tmp_path), "SHA256:a-key-of-ann"
    own(before.store, "ann", keys=[key])
    before.enter("ann").leave()
    before.close()
    room = Classroom(tmp_path)
    bob = room.enter("bob")
    async with room.opened("ida", "instructor", (110, 30)) as pilot:
        room.hub.update_boards()
        await until(pilot, lambda: "ann" in text(pilot))
        await press(pilot, "tab", "home", "f8")
        assert key in text(pilot)
        await press(pilot, "escape", "down", "f8")
        assert "No SSH key logs in as bob" in text(pilot)
        bob.link.send(ForgetKeys("ann"))  # a learner may not
        bob.pump()
        assert room.store.names.keyed("ann", key) is not None
        await press(pilot, "escape", "home", "f8", "f8")
        assert "no SSH key logs in as ann any more" in text(pilot)
        await until(pilot, lambda: room.store.names.keyed("ann", key) is None)
        room.hub.update_boards()
        await until(pilot, lambda: not pilot.app.screen.query_one(BoardTable).row("ann").keys)  # type: ignore[union-attr]
        await press(pilot, "f8")
        assert "No SSH key logs in as ann: only the resume code does." in text(pilot)
    room.close()
