"""The timeline and the comparison, with real keys."""

from __future__ import annotations

from gradstep.actions import Forward, NextLine, RunEpochs, StepTo, ToggleZeroing
from gradstep_tui.screens.dialogs.comparison import ComparisonScreen
from gradstep_tui.screens.dialogs.timeline import TimelineScreen
from tests.tui.bench import Opened, bench, frame, headless, idle, opened, press, state, text, until


async def run(pilot: Opened, epochs: str) -> None:
    await press(pilot, "r", *epochs, "enter")
    await idle(pilot)


async def twin(pilot: Opened) -> None:
    await press(pilot, "c")
    await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))


def row(pilot: Opened, words: str) -> str:
    return next(line for line in text(pilot).splitlines() if words in line)


async def test_the_timeline_lists_every_point_and_marks_where_the_session_stands() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "u", "left", "t")
        shown = text(pilot)
        assert [word in shown for word in ("start", "forward", "backward", "update")] == [True] * 4
        assert ">•    2  backward" in row(pilot, "backward  ")
        assert "No branches" in shown
        await press(pilot, "escape")
        assert state(frame(pilot)) == state(headless([Forward(), NextLine()]))


async def test_enter_jumps_to_the_chosen_point() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "u", "z", "t", "up", "up", "up", "enter")
        assert state(frame(pilot)) == state(headless([Forward()]))
        assert (frame(pilot).position, frame(pilot).future) == (1, 3)
        await press(pilot, "t", "end", "enter")
        assert frame(pilot).position == 4
        await press(pilot, "t", "home", "enter")
        assert frame(pilot).position == 0


async def test_left_goes_into_a_run_of_epochs_and_space_goes_on_from_there() -> None:
    async with opened() as pilot:
        await run(pilot, "20")
        await press(pilot, "t", "left", "left", "left")
        assert "inside: epoch 17 of 20" in text(pilot)
        await press(pilot, "right", "enter")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(18)]))
        await press(pilot, "space", "t")
        assert "2 branches" in text(pilot)
        await press(pilot, "escape")
        assert state(frame(pilot)) == state(headless([RunEpochs(18), NextLine()]))


async def test_typed_digits_choose_the_epoch_inside_a_run() -> None:
    async with opened() as pilot:
        await run(pilot, "100")
        await press(pilot, "t", "3", "7")
        assert "inside: epoch 37 of 100" in text(pilot)
        await press(pilot, "5")  # 375 is not inside: a new number begins
        assert "inside: epoch 5 of 100" in text(pilot)
        await press(pilot, "enter")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(5)]))
        await press(pilot, "right")
        assert state(frame(pilot)) == state(headless([RunEpochs(100)]))


async def test_left_goes_into_a_backward_pass() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "t", "4", "enter")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([Forward(), StepTo(4)]))
        assert frame(pilot).in_pass


async def test_a_number_is_typed_digit_by_digit_where_the_events_begin_later() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "s", "s", "s", "s", "b", "t", "1")
        assert "inside: event 5 of 11" in text(pilot)  # the first that is inside: 1 to 4 were stepped through
        await press(pilot, "0")
        assert "inside: event 10 of 11" in text(pilot)


async def test_a_row_of_the_timeline_has_the_number_that_the_comparison_names() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "left", "left", "e", "t")
        assert ">•    3  one epoch" in row(pilot, "one epoch")
        await press(pilot, "tab")
        assert ">     1  forward" in row(pilot, "forward")
        await press(pilot, "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        assert "the session and point 1" in text(pilot)
        assert "difference " in text(pilot)


async def test_the_longest_name_of_an_action_keeps_the_columns_of_the_timeline() -> None:
    async with opened() as pilot:
        await press(pilot, "e", "up", "up", "up", "up", "#", "t")
        assert row(pilot, "comment out backward")[45:].index(" 1 ") == row(pilot, "start")[45:].index(" 0 ")
        assert "18746.5391" in row(pilot, "comment out backward")


async def test_tab_shows_the_other_branch_which_can_be_returned_to() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "b", "left", "Z", "t")
        assert "2 of 2" in row(pilot, "zeroing off")
        await press(pilot, "tab")
        assert "1 of 2" in row(pilot, "backward  ")
        assert "another branch" in text(pilot)
        await press(pilot, "enter")
        assert state(frame(pilot)) == state(headless([Forward(), NextLine()]))


async def test_c_compares_the_session_with_the_chosen_branch() -> None:
    async with opened() as pilot:
        await run(pilot, "9")
        await press(pilot, "left", "Z")
        await run(pilot, "9")
        await press(pilot, "t", "up", "tab", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        shown = text(pilot)
        assert "the session and point 1" in shown
        assert "First difference in epoch 3" in shown
        assert "epoch began with w[apples, temp]" in " ".join(shown.replace("│", " ").split())
        await press(pilot, "e", "space", "escape")
        assert state(frame(pilot)) == state(headless([ToggleZeroing(), RunEpochs(9)]))


async def test_a_session_with_zeroing_is_its_own_twin() -> None:
    async with opened() as pilot:
        await run(pilot, "5")
        await twin(pilot)
        assert "bit for bit" in text(pilot)
        await press(pilot, "c")
        assert state(frame(pilot)) == state(headless([RunEpochs(5)]))


async def test_the_twin_is_stepped_in_lock_step_and_says_what_never_zeroing_is() -> None:
    async with opened() as pilot:
        await press(pilot, "Z")
        await twin(pilot)
        assert "bit for bit" in text(pilot)
        for _ in range(3):
            await press(pilot, "e")
            await idle(pilot)
        shown = text(pilot)
        assert "epochs: 3" in shown
        assert "First difference in epoch 3" in shown
        assert "SGD with momentum 1" in shown
        await press(pilot, "left", "left")
        await idle(pilot)
        assert "epochs: 1" in text(pilot)
        await press(pilot, "escape")
        assert state(frame(pilot)) == state(headless([ToggleZeroing(), RunEpochs(1)]))


async def test_keys_pressed_while_the_twin_catches_up_are_done_in_turn() -> None:
    async with opened() as pilot:
        await press(pilot, "Z")
        await twin(pilot)
        await press(pilot, *"eeeee")
        await until(pilot, lambda: not bench(pilot).running and "epochs: 5" in text(pilot))
        assert frame(pilot).epoch == 5


async def test_the_timeline_waits_for_a_run_to_end() -> None:
    async with opened() as pilot:
        await press(pilot, "r", *"1000000", "enter", "t", "c")
        assert not isinstance(pilot.app.screen, TimelineScreen | ComparisonScreen)
        await press(pilot, "escape")
        await idle(pilot)


async def test_an_update_moved_to_the_front_is_not_taken_for_random_numbers() -> None:
    async with opened() as pilot:
        await press(pilot, "Z", "e", "up", "down", "down", "K", "K", "e")
        assert frame(pilot).epoch == 2
        await twin(pilot)
        shown = " ".join(text(pilot).replace("│", " ").split())
        assert "It began with the same weights: another order of the lines, or other random numbers." in shown


async def test_rows_of_the_timeline_name_the_nodes_the_statements_and_the_runs() -> None:
    async with opened() as pilot:
        await press(pilot, "f", *"sssssssss", "S", "space", "space")
        await run(pilot, "100")
        await press(pilot, "t")
        shown = text(pilot)
        for number, words in (
            (4, "Mul  diff * diff"),
            (5, "(+)  2 paths meet"),
            (8, "(sum)  5 into one"),
            (9, "-> b.grad"),
            (10, "Mm  x @ w.t()"),
            (11, "back to -> b.grad"),
            (12, "backward"),
            (13, "update"),
            (14, "run 100 epochs"),
        ):
            assert f"{number:>5}  {words}" in shown


async def test_a_bar_beside_each_point_is_as_long_as_its_loss_and_a_rise_is_marked() -> None:
    async with opened(rate=1e-3) as pilot:
        await press(pilot, "e", "e", "e", "t")
        bars = [line.rstrip("│ ").split()[-1] for line in text(pilot).splitlines() if "one epoch" in line]
        assert bars[-1] == "▲"
        assert [line.count("█") for line in text(pilot).splitlines() if "one epoch" in line][-1] == 8


async def test_an_undone_run_is_seen_to_be_on_another_branch() -> None:
    async with opened() as pilot:
        await run(pilot, "9")
        await press(pilot, "left", "Z", "e", "t")
        shown = " ".join(text(pilot).replace("│", " ").split())
        assert "Tab: another branch, which was undone: run 9 epochs" in shown
        assert "Numbers that are missing are points of other branches." in shown
        bars = row(pilot, "one epoch").count("█")
        assert "18746.5391 at the highest" in shown
        await press(pilot, "home", "tab")  # Tab goes to the nearest place at which branches part
        shown = " ".join(text(pilot).replace("│", " ").split())
        assert "Tab: another branch: zeroing off, then one epoch" in shown
        assert row(pilot, "run 9 epochs").count("█") < bars  # on the scale of the whole session
        assert "18746.5391 at the highest" in shown


async def test_at_its_own_point_the_session_is_compared_with_the_run_beside_it() -> None:
    async with opened() as pilot:
        await run(pilot, "9")
        await press(pilot, "t", "c")
        assert "there is no other run beside it" in " ".join(text(pilot).split())
        await press(pilot, "left", "Z")
        await run(pilot, "9")
        await press(pilot, "t", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        shown = " ".join(text(pilot).replace("│", " ").split())
        assert "epochs: 9 x zeroing off o zeroing on difference" in shown
        assert "Of each parameter, the number that differs most between the two." in shown
        assert "for the run with zeroing on." in shown


async def test_two_runs_are_named_by_their_learning_rates_or_else_by_their_points() -> None:
    async with opened() as pilot:
        await run(pilot, "9")
        await press(pilot, "left", "]")
        await run(pilot, "9")
        await press(pilot, "t", "c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ComparisonScreen))
        assert "x lr 2e-05" in text(pilot)
        assert "o lr 1e-05" in text(pilot)


async def test_no_sign_is_explained_that_is_not_in_the_picture() -> None:
    async with opened((120, 40)) as pilot:
        await run(pilot, "20")
        await twin(pilot)  # the same run: both curves lie on each other
        shown = text(pilot)
        assert "@ both runs" in shown
        assert "x session" not in shown
        assert "o twin" not in shown
        assert "▲" not in shown
