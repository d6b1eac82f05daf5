"""Every key of the bench, pressed in the real app."""

from __future__ import annotations

import threading
from typing import Final

import pytest
from textual import events

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    Reset,
    RunEpochs,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.key import Purpose
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.timeline import TimelineScreen
from gradstep_tui.screens.dialogs.whole_step import LookScreen
from gradstep_tui.screens.help.key_table import HelpScreen
from tests.tui.bench import (
    Opened,
    bench,
    drawn,
    frame,
    headless,
    idle,
    opened,
    press,
    starting,
    state,
    text,
    type_ahead,
    until,
)

DOES: Final[dict[str, tuple[tuple[str, ...], tuple[Action, ...]]]] = {
    "next_line": (("space", "space"), (NextLine(), NextLine())),
    "step_node": (("f", "s", "s"), (Forward(), StepNode(), StepNode())),
    "step_node_back": (("f", "s", "s", "S"), (Forward(), StepNode(), StepNode(), StepNodeBack())),
    "forward": (("f",), (Forward(),)),
    "backward": (("f", "b"), (Forward(), Backward())),
    "update": (("f", "b", "u"), (Forward(), Backward(), Update())),
    "zero": (("f", "b", "z"), (Forward(), Backward(), Zero())),
    "epoch": (("e",), (RunEpochs(1),)),
    "set_to_none": (("=",), (ToggleSetToNone(),)),
    "zeroing": (("Z",), (ToggleZeroing(),)),
    "undo": (("f", "b", "left"), (Forward(), Backward(), Undo())),
    "redo": (("f", "left", "right"), (Forward(), Undo(), Redo())),
    "lower_rate": (("[",), (LowerLearningRate(),)),
    "raise_rate": (("]",), (RaiseLearningRate(),)),
    "reset": (("e", "]", "0", "enter"), (RunEpochs(1), RaiseLearningRate(), Reset())),
}
"""For each key that is an action of a built-in problem: keys that end with it, and what they mean."""

EDITS: Final[dict[str, tuple[tuple[str, ...], tuple[Action, ...]]]] = {
    "comment": (("down", "down", "#"), (ToggleStatement(Kind.BACKWARD),)),
    "move_up": (("up", "up", "K"), (MoveStatement(Kind.ZERO, -1),)),
    "move_down": (("down", "J", "J"), (MoveStatement(Kind.FORWARD, 1), MoveStatement(Kind.FORWARD, 1))),
}
"""The same for each key that edits the loop at the cursor."""

OPENS: Final = {
    "run",
    "type_rate",
    "optimizer",
    "batches",
    "look",
    "elements",
    "data",
    "ledger",
    "verdict",
    "timeline",
    "export",
    "twin",
    "check",
    "pictures",
    "graph",
    "predict",
    "printed",
    "problems",
    "reload",
    "stop",
    "help",
    "manual",
    "theme",
    "quit",
    "cursor_up",
    "cursor_down",
    "scroll_up",
    "scroll_down",
    "next_pane",
    "previous_pane",
    "zoom",
    "lesson",
    "lesson_hint",
    "lesson_place",
    "lesson_skip",
    "lessons",
}
"""The other keys; each has a test of its own below."""


def test_every_key_has_one_handler() -> None:
    assert BenchScreen.handlers.keys() == BY_ID.keys()


def test_no_key_is_forgotten_here() -> None:
    assert {key.id for key in KEYS if key.action is not None} == {*DOES, "outer"}
    assert {key.id for key in KEYS if key.edit is not None} == set(EDITS)
    assert {key.id for key in KEYS if key.action is None and key.edit is None} == OPENS


@pytest.mark.parametrize("key_id", DOES)
async def test_a_key_does_its_action_and_nothing_else(key_id: str) -> None:
    keys, actions = DOES[key_id]
    key = BY_ID[key_id]
    assert key.action is not None
    assert type(actions[-1]) is type(key.action())
    async with opened() as pilot:
        await press(pilot, *keys)
        await idle(pilot)
        assert state(frame(pilot)) == state(headless(actions))
        assert state(frame(pilot)) != state(headless(actions[:-1]))


async def test_no_loop_stands_around_a_built_in_one() -> None:
    async with opened() as pilot:
        await press(pilot, "E")
        await idle(pilot)
        assert "E is for a loop over batches inside a loop over epochs" in text(pilot)
        assert frame(pilot).position == 0


# Looking back at the events of a pass


async def test_an_event_is_looked_at_again_also_after_the_update_and_nothing_is_undone() -> None:
    async with opened() as pilot:
        await press(pilot, *"fbu", "tab")
        before = state(frame(pilot))
        assert "looking back at 11: -> w.grad" in text(pilot)
        await press(pilot, *["up"] * 8)
        assert "looking back at 3: Mul: diff * diff" in text(pilot)
        assert "dL/d(diff * diff)" in text(pilot)
        assert "> 3 Mul" in text(pilot)
        assert ">      return torch.sum(diff * diff) / diff.numel()" in text(pilot)
        assert state(frame(pilot)) == before
        await press(pilot, "escape")
        assert "looking back" not in text(pilot)


async def test_in_a_pass_the_arrows_go_through_its_events_and_the_next_node_is_the_next_one() -> None:
    async with opened() as pilot:
        await press(pilot, *"fsss", "up", "up", "up", "up")
        assert "looking back at 1: Div" in text(pilot)
        await press(pilot, "down")
        assert "looking back at 2: Sum" in text(pilot)
        await press(pilot, "s")
        assert "looking back" not in text(pilot)
        assert "> 4 (+)" in text(pilot)


async def test_a_click_on_a_row_of_the_pass_shows_its_event() -> None:
    async with opened() as pilot:
        await press(pilot, *"fb")
        await pilot.click("#trace", offset=(8, 2))
        assert "looking back at" in text(pilot)


async def test_there_is_nothing_to_look_back_at_before_a_pass() -> None:
    async with opened() as pilot:
        await press(pilot, "tab", "up")
        assert "run a backward pass first" in text(pilot)


# The cursor in the loop


def under_cursor(pilot: Opened) -> str:
    """Give the loop pane's rows that the cursor is on, without what stands before them."""
    rows = text(pilot).splitlines()
    loop = rows[next(n for n, row in enumerate(rows) if row[1:].startswith(" loop")) + 1 : -2]
    return "\n".join(row[3:] for row in loop if row[2:3] == "|")


@pytest.mark.parametrize("key_id", EDITS)
async def test_an_editing_key_edits_the_statement_under_the_cursor_and_nothing_else(key_id: str) -> None:
    keys, actions = EDITS[key_id]
    edit = BY_ID[key_id].edit
    assert edit is not None
    assert edit(actions[-1].kind) == actions[-1]  # type: ignore[union-attr]
    async with opened() as pilot:
        await press(pilot, *keys)
        assert state(frame(pilot)) == state(headless(actions))
        assert state(frame(pilot)) != state(headless(actions[:-1]))
        await press(pilot, *["left"] * len(actions))
        assert state(frame(pilot)) == state(headless([]))


async def test_the_cursor_comes_to_the_next_line_goes_round_and_escape_puts_it_away() -> None:
    async with opened() as pilot:
        await press(pilot, "f")
        assert under_cursor(pilot) == ""
        seen = []
        for key in ("down", "down", "down", "down", "up"):
            await press(pilot, key)
            seen.append(under_cursor(pilot).split("\n")[0])
        assert seen == [
            "loss.backward()",
            "with torch.no_grad():",
            "w.grad.zero_()",
            "preds = model(inputs)",
            "w.grad.zero_()",
        ]
        await press(pilot, "escape")
        assert under_cursor(pilot) == ""
        assert "nothing to stop" not in text(pilot)
        assert state(frame(pilot)) == state(headless([Forward()]))


@pytest.mark.parametrize("up", ["K", "upper_k", "alt+up"])
@pytest.mark.parametrize("down", ["J", "upper_j", "alt+down"])
async def test_the_cursor_goes_with_the_statement_that_it_moves(up: str, down: str) -> None:
    async with opened() as pilot:
        await press(pilot, "up", "up", up, up)
        assert [one.kind for one in frame(pilot).loop.statements][1] == "zero"
        assert under_cursor(pilot) == "w.grad.zero_()\nb.grad.zero_()"
        await press(pilot, down, "#")
        assert under_cursor(pilot) == "# w.grad.zero_()\n# b.grad.zero_()"
        moves = [MoveStatement(Kind.ZERO, steps) for steps in (-1, -1, 1)]
        assert state(frame(pilot)) == state(headless([*moves, ToggleStatement(Kind.ZERO)]))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (("#",), "choose a line of the loop first"),
        (("K",), "choose a line of the loop first"),
        (("J",), "choose a line of the loop first"),
        (("down", "K"), "this line is already the first of the loop"),
        (("down", "up", "J"), "this line is already the last of the loop"),
        (("down", "f", "s", "#"), "a backward pass is under way"),
        (("down", "f", "s", "K"), "a backward pass is under way"),
    ],
)
async def test_an_edit_that_cannot_be_made_says_why_and_changes_nothing(
    keys: tuple[str, ...], reason: str
) -> None:
    async with opened() as pilot:
        await press(pilot, *keys[:-1])
        was = state(frame(pilot))
        await press(pilot, keys[-1])
        assert reason in text(pilot)
        assert state(frame(pilot)) == was


async def test_space_and_e_and_r_run_the_loop_as_it_then_stands() -> None:
    async with opened() as pilot:
        await press(pilot, "e", "up", "up", "K", "K", "K", "space", "space", "e", "r", *"20", "enter")
        await until(pilot, lambda: frame(pilot).epoch == 22)
        moves = [MoveStatement(Kind.ZERO, -1)] * 3
        edited = [RunEpochs(1), *moves, NextLine(), NextLine(), RunEpochs(1), RunEpochs(20)]
        assert state(frame(pilot)) == state(headless(edited))


@pytest.mark.parametrize("run", [("space", "space"), ("e",), ("r", *"50", "enter")])
async def test_a_loop_that_pytorch_refuses_shows_its_error_and_keeps_what_ran(run: tuple[str, ...]) -> None:
    async with opened() as pilot:
        await press(pilot, "down", "down", "J", *run)
        await idle(pilot)
        shown = " ".join(text(pilot).split())
        assert "Python raised an error" in shown
        assert "error: Run backward first: there is no gradient yet" in shown
        moved = MoveStatement(Kind.BACKWARD, 1)
        assert state(frame(pilot)) == state(headless([moved, Forward()]))


async def test_with_every_line_commented_out_the_hint_says_how_one_comes_back() -> None:
    async with opened() as pilot:
        await press(pilot, "down", "#", "down", "#", "down", "#", "down", "#")
        assert "arrows and # bring one back" in text(pilot)
        await press(pilot, "space")
        assert "every line of the loop is commented out" in text(pilot)
        await press(pilot, "down", "#")
        assert "next: forward" in text(pilot)


@pytest.mark.parametrize("name", ["S", "upper_s", "backspace"])
async def test_shift_s_and_backspace_go_one_node_back(name: str) -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "s", name)
        assert state(frame(pilot)) == state(headless(DOES["step_node_back"][1]))


async def test_space_goes_through_the_loop_and_inside_a_pass_it_runs_the_rest() -> None:
    async with opened() as pilot:
        await press(pilot, "space", "s", "space", "space", "space")
        assert frame(pilot).epoch == 1
        assert state(frame(pilot))[0] == state(headless([RunEpochs(1)]))[0]


async def test_an_arrow_back_takes_the_last_action_back_bit_for_bit() -> None:
    async with opened() as pilot:
        start = state(frame(pilot))
        await press(pilot, "e", "Z", "f", "s", "s", "b", "u", "]")
        there = state(frame(pilot))
        await press(pilot, *["left"] * 8)
        assert state(frame(pilot)) == start
        await press(pilot, *["right"] * 8)
        assert state(frame(pilot)) == there


# Keys that open something


async def test_r_asks_and_enter_takes_the_default_of_100() -> None:
    async with opened() as pilot:
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, AskScreen)
        assert "100" in text(pilot)
        await press(pilot, "enter")
        await until(pilot, lambda: frame(pilot).epoch > 0)
        assert state(frame(pilot)) == state(headless([RunEpochs(100)]))


async def test_r_takes_a_number() -> None:
    async with opened() as pilot:
        await press(pilot, "r", *"37", "enter")
        await until(pilot, lambda: frame(pilot).epoch > 0)
        assert state(frame(pilot)) == state(headless([RunEpochs(37)]))


async def test_l_takes_a_learning_rate() -> None:
    async with opened() as pilot:
        await press(pilot, "l", *"2.5e-6", "enter")
        assert frame(pilot).learning_rate == 2.5e-6
        assert "lr 2.5e-06" in text(pilot)


@pytest.mark.parametrize("key", ["r", "l"])
async def test_escape_leaves_a_question_and_changes_nothing(key: str) -> None:
    async with opened() as pilot:
        before = state(frame(pilot))
        await press(pilot, key, "5", "escape")
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == before


async def test_keys_typed_into_a_question_are_text() -> None:
    async with opened() as pilot:
        before = state(frame(pilot))
        await press(pilot, "r", *"qfsubeZR?")
        assert isinstance(pilot.app.screen, AskScreen)
        assert "qfsubeZR?" in text(pilot)
        assert state(frame(pilot)) == before


async def test_enter_shows_all_numbers_of_the_step_and_closes_again() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "s", "s", "enter")
        assert isinstance(pilot.app.screen, LookScreen)
        shown = text(pilot)
        for number in ("7.6542", "-159.2996", "-7.1302"):
            assert number in shown
        await press(pilot, "enter")
        assert pilot.app.screen is bench(pilot)


async def test_enter_shows_the_whole_of_what_ran_last_and_before_that_what_the_problem_is() -> None:
    async with opened() as pilot:
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, LookScreen)
        assert "regression, written out by hand" in " ".join(text(pilot).split())
        await press(pilot, "enter", "f", "enter")
        shown = " ".join(text(pilot).split())
        assert "69 96 70" in shown
        assert "divided by 10, the number of them, it is the loss" in shown.replace("│ │ ", "")
        await press(pilot, "enter", "b", "u", "enter")
        assert "0.339749" in text(pilot)
        assert "e.g. w[oranges, rainfall]" in text(pilot)


@pytest.mark.parametrize("close", ["escape", "q", "?", "enter"])
async def test_help_opens_and_closes(close: str) -> None:
    async with opened() as pilot:
        await press(pilot, "?")
        assert isinstance(pilot.app.screen, HelpScreen)
        await press(pilot, close)
        assert pilot.app.screen is bench(pilot)


async def test_escape_with_nothing_running_removes_the_notice_and_is_no_mistake() -> None:
    async with opened() as pilot:
        before = text(pilot)
        await press(pilot, "left")
        assert " hint: there is nothing to undo" in text(pilot)
        await press(pilot, "escape")
        assert text(pilot) == before


async def test_q_leaves() -> None:
    async with opened() as pilot:
        await press(pilot, "q")
        await until(pilot, lambda: not pilot.app.is_running)
        assert pilot.app.return_code == 0


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50)])
async def test_help_lists_every_key_with_what_it_does(size: tuple[int, int]) -> None:
    async with opened(size) as pilot:
        await press(pilot, "?")
        seen = list[str]()
        for _ in range(10):
            shown = [row[:-4] for row in text(pilot).splitlines() if row.startswith("│")]  # no scroll bar
            seen += [row for row in shown if row not in seen]
            await press(pilot, "pagedown")
            await pilot.wait_for_scheduled_animations()
        middle = size[0] // 2 if size[0] > 100 else None
        halves = [row[1:middle] for row in seen], [row[middle:] for row in seen if middle is not None]
        rows = [" ".join(row.split()) for half in halves for row in half]
        found = " ".join(filter(None, rows))
        for key in KEYS:
            assert f"{key.shown} {key.tooltip}" in found, key
        for sign in ("old + new = sum", "sum cast", "commented out", "ctrl+p"):
            assert sign in found
        headings = ("signs on the screen", "words", *(purpose.value for purpose in Purpose))
        places = [rows.index(heading) for heading in headings]
        assert places == sorted(places)
        for word in ("bench", "ledger", "twin", "verdict"):
            assert any(row.startswith(f"{word} ") for row in rows)


async def test_help_has_two_columns_from_116_columns_on_and_is_filtered_there_too() -> None:
    async with opened((115, 50)) as pilot:
        await press(pilot, "?")
        assert "look" not in text(pilot).splitlines()[1]
        await pilot.resize_terminal(160, 50)
        await drawn(pilot)
        shown = text(pilot).splitlines()
        assert any("signs on the screen" in row and " look " in row for row in shown)
        assert all(key.tooltip in "\n".join(shown) for key in KEYS)  # nothing has to be scrolled to
        await press(pilot, *"learning rate")
        assert "keys with: learning rate" in text(pilot)
        assert "Lower the learning rate" in text(pilot)
        assert "Undo the last action" not in text(pilot)
        await pilot.resize_terminal(80, 24)
        await drawn(pilot)
        assert "Lower the learning rate" in text(pilot)


async def test_help_is_filtered_as_one_types() -> None:
    async with opened() as pilot:
        await press(pilot, "?", *"learning rate")
        shown = text(pilot)
        assert "keys with: learning rate" in shown
        assert "Lower the learning rate" in shown
        assert "change" in shown
        assert "Undo the last action" not in shown
        await press(pilot, *"q?")
        assert "No key, sign or word here has 'learning rateq?'" in text(pilot)
        await press(pilot, "backspace", "backspace", "escape")
        assert "the last action changed this number" in text(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)
        type_ahead(pilot, *"undo")
        await drawn(pilot)
        assert "Undo the last action" in text(pilot)
        await press(pilot, "enter")
        assert pilot.app.screen is bench(pilot)


async def test_e_and_r_in_the_middle_of_a_pass_finish_it_and_go_on() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "s", "e")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(1)]))
        await press(pilot, "f", "s", "s", "s", "r", *"20", "enter")
        await until(pilot, lambda: frame(pilot).epoch > 1)
        await idle(pilot)
        assert state(frame(pilot))[:3] == state(headless([RunEpochs(21)]))[:3]


# Keys that cannot work now


CANNOT: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "S": ((), "no backward pass is under way"),
    "f": (("f", "s"), "a backward pass is under way"),
    "u": (("f", "s"), "a backward pass is under way"),
    "left": ((), "nothing to undo"),
    "right": ((), "nothing to redo"),
}


@pytest.mark.parametrize("key", CANNOT)
async def test_a_dimmed_key_says_why_and_changes_nothing(key: str) -> None:
    before, reason = CANNOT[key]
    async with opened() as pilot:
        await press(pilot, *before)
        was = state(frame(pilot))
        await press(pilot, key)
        assert reason in text(pilot)
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == was


async def test_update_before_any_gradient_shows_pythons_own_words_and_the_lesson() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "u")
        shown = " ".join(text(pilot).split())
        assert "Python raised an error" in shown
        lesson, own = "Run backward first: there is no gradient yet", "TypeError: unsupported operand type(s)"
        assert f"error: {lesson}" in shown
        assert shown.index(lesson) < shown.index(f"{own} for *: 'NoneType' and 'float'")
        assert state(frame(pilot)) == state(headless([Forward()]))


async def test_backward_twice_shows_pytorchs_own_words_and_the_lesson_until_the_next_action() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b")
        after = state(frame(pilot))
        await press(pilot, "b")
        shown = " ".join(text(pilot).split())
        assert "RuntimeError" in shown
        assert "Trying to backward through the graph a second time" in shown
        assert "Run forward again for a new graph" in shown
        assert state(frame(pilot)) == after
        await press(pilot, "f")
        assert "PyTorch refused" not in text(pilot)


# Keys pressed too early


async def test_keys_pressed_before_the_session_is_there_are_kept_and_done_in_order() -> None:
    go = threading.Event()

    def make() -> Session:
        go.wait()
        return open_session(Start())

    async with starting(make=make) as pilot:
        assert "PyTorch is starting" in text(pilot)
        await press(pilot, "f", "s", "s", "b", "r", *"20", "enter")
        await press(pilot, "]", "down", "down", "#", "f")
        assert bench(pilot).frame is None
        go.set()
        await until(pilot, lambda: bench(pilot).frame is not None)
        await idle(pilot)
        actions = [
            Forward(),
            StepNode(),
            StepNode(),
            Backward(),
            RunEpochs(20),
            RaiseLearningRate(),
            ToggleStatement(Kind.BACKWARD),
            Forward(),
        ]
        assert state(frame(pilot)) == state(headless(actions))


@pytest.mark.parametrize(
    "keys", [("?",), ("l", "2", "escape"), ("enter",), ("escape",), ("left",), ("Z",), ("up",), ("#",)]
)
async def test_any_key_may_come_before_the_session(keys: tuple[str, ...]) -> None:
    go = threading.Event()

    def make() -> Session:
        go.wait()
        return open_session(Start())

    async with starting(make=make) as pilot:
        await press(pilot, *keys)
        go.set()
        await until(pilot, lambda: bench(pilot).frame is not None)


async def test_q_leaves_while_pytorch_is_starting() -> None:
    go = threading.Event()

    def make() -> Session:
        go.wait()
        return open_session(Start())

    async with starting(make=make) as pilot:
        await press(pilot, "q")
        go.set()
        await until(pilot, lambda: not pilot.app.is_running)


# Keys pressed faster than the screen follows, as over a slow link


async def test_keys_that_arrive_all_at_once_are_done_in_order() -> None:
    async with opened() as pilot:
        type_ahead(pilot, *"fsssb", "left", "left", *"sSez")
        await pilot.pause()
        actions = [Forward(), *[StepNode()] * 3, Backward(), Undo(), Undo(), StepNode(), StepNodeBack()]
        actions += [RunEpochs(1), Zero()]
        await until(pilot, lambda: state(frame(pilot)) == state(headless(actions)))


async def test_a_key_that_cannot_work_after_one_just_before_it_says_why() -> None:
    async with opened() as pilot:
        type_ahead(pilot, *"fbb")
        await until(pilot, lambda: "PyTorch refused" in text(pilot))


async def test_a_number_typed_before_the_question_is_drawn_is_taken() -> None:
    async with opened() as pilot:
        type_ahead(pilot, "r", *"41", "enter")
        await until(pilot, lambda: frame(pilot).epoch > 0)
        await idle(pilot)
        assert frame(pilot).epoch == 41


# The command palette


async def test_the_palette_has_every_key_of_the_bench() -> None:
    async with opened() as pilot:
        commands = {
            command.title: command.help for command in pilot.app.get_system_commands(pilot.app.screen)
        }
        for key in KEYS:
            assert commands[f"{key.label} ({key.shown})"] == key.tooltip


@pytest.mark.parametrize("key_id", ["forward", "zeroing", "epoch"])
async def test_an_action_chosen_in_the_palette_is_done(key_id: str) -> None:
    async with opened() as pilot:
        key = BY_ID[key_id]
        await press(pilot, "ctrl+p")
        await press(pilot, *f"{key.label} (")
        await until(pilot, lambda: key.tooltip.split(":")[0][:30] in text(pilot))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: pilot.app.screen is bench(pilot))
        assert state(frame(pilot)) == state(headless(DOES[key_id][1]))


@pytest.mark.parametrize("key", ["t", "x", "c", "r", "g", "question_mark"])
async def test_over_a_dialog_the_palette_does_nothing_to_the_session(key: str) -> None:
    async with opened() as pilot:
        await press(pilot, "e", key)
        await until(pilot, lambda: not isinstance(pilot.app.screen, BenchScreen))
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert offered == {"Theme", "Screenshot"}


async def test_two_pieces_of_work_never_have_the_session_at_once() -> None:
    async with opened() as pilot:
        began, go_on = threading.Event(), threading.Event()

        def first(_: object) -> None:
            began.set()
            go_on.wait(60)

        bench(pilot).work(first)
        await until(pilot, began.is_set)
        bench(pilot).work(lambda _: pytest.fail("the first one is still at it"))
        assert bench(pilot).running
        assert "press Esc to stop" in bench(pilot).notice.text
        go_on.set()
        await until(pilot, lambda: not bench(pilot).running)


async def test_the_palette_offers_nothing_that_squeezes_the_bench() -> None:
    async with opened() as pilot:
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert offered - {f"{key.label} ({key.shown})" for key in KEYS} == {"Screenshot"}


# The verdict


async def test_v_says_what_the_loop_does_and_changes_nothing() -> None:
    async with opened() as pilot:
        await press(pilot, "v")
        assert "the loop is equivalent" in text(pilot)
        await press(pilot, "Z", "v")
        assert "the loop accumulates: in epoch 2 w[0, 0] is 0.3277, reference 0.3317" in text(pilot)
        assert state(frame(pilot)) == state(headless([ToggleZeroing()]))


async def test_v_shows_what_pytorch_refuses_in_its_own_words() -> None:
    async with opened() as pilot:
        await press(pilot, "down", "down", "J", "v")
        assert "the loop updates before the gradient exists: epoch 1 ends with TypeError" in text(pilot)
        assert "unsupported operand" in text(pilot)


# Dialogs


@pytest.mark.parametrize("opening", ["g", "?", "r", "l", "enter"])
async def test_a_dialog_closes_once_however_often_it_is_told_to(opening: str) -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", opening)
        dialog = pilot.app.screen
        assert dialog is not bench(pilot)
        for _ in range(3):  # as keys do that were all there before the first one was done
            dialog.dismiss(None)
        await drawn(pilot)
        assert pilot.app.is_running
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == state(headless([Forward(), Backward()]))


async def test_a_key_or_a_paste_that_arrives_when_the_screens_are_gone_is_dropped() -> None:
    async with opened() as pilot:
        app = pilot.app
    assert not app.screen_stack
    await app.on_event(events.Key("f", "f"))
    await app.on_event(events.Key("enter", None))
    await app.on_event(events.Paste("12"))


@pytest.mark.parametrize("key", ["F", "U", "P", "Q", "X"])
async def test_a_capital_that_is_no_key_names_the_key_in_small_letters(key: str) -> None:
    async with opened() as pilot:
        before = state(frame(pilot))
        await press(pilot, key)
        label = next(each.label for each in KEYS if each.sign == key.lower())
        assert f"{key} does nothing: is Caps Lock on? {key.lower()} is the key for: {label}" in text(pilot)
        assert state(frame(pilot)) == before


@pytest.mark.parametrize("key", ["space", "e", "s", "f", "b", "u", "z"])
async def test_the_cursor_goes_away_when_something_runs_and_stays_for_edits(key: str) -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "b", "down")
        assert bench(pilot).cursor is not None
        for edit in ("#", "#", "J", "K"):
            await press(pilot, edit)
            assert bench(pilot).cursor is not None
        assert "space next" not in text(pilot).splitlines()[-1]
        await press(pilot, key)
        await idle(pilot)
        assert bench(pilot).cursor is None


async def test_in_another_pane_nothing_claims_that_the_arrows_move_a_line() -> None:
    async with opened() as pilot:
        await press(pilot, "down")
        assert "↑ line up" in text(pilot)
        assert "K J move" in text(pilot)
        await press(pilot, "tab")
        assert "line up" not in text(pilot).splitlines()[-1]
        assert "K J move" not in text(pilot)


async def test_what_opens_something_of_the_session_waits_for_it_as_actions_do() -> None:
    go = threading.Event()

    def make() -> Session:
        go.wait()
        return open_session(Start())

    async with starting(make=make) as pilot:
        await press(pilot, "f", "t")
        go.set()
        await until(pilot, lambda: "forward" in text(pilot) and isinstance(pilot.app.screen, TimelineScreen))
