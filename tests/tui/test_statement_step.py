"""What a statement did, drawn as tables: true numbers that fit, at any width."""

from __future__ import annotations

import pytest

from gradstep import problems
from gradstep.actions import Action, Backward, Forward, RunEpochs, SetBatches, SetOptimizer, Update, Zero
from gradstep.frame import Frame
from gradstep.loop.batches import batches_from
from gradstep.loop.optimizers import optimizer_from
from gradstep.opening import load_session
from gradstep_tui.drawing.lines import length
from gradstep_tui.text.tensors.digits import column_texts, number_text, telling_digits
from gradstep_tui.widgets.lessons.statement_step import statement_lines, statement_title


def after(name: str, *actions: Action) -> Frame:
    session = load_session(name)
    for action in actions:
        session.apply(action)
    return session.frame


def drawn(frame: Frame, width: int = 78, height: int = 7) -> str:
    return "\n".join("".join(span.text for span in row) for row in statement_lines(frame, width, height))


ONE_EPOCH = (Forward(), Backward(), Update(), Zero())


@pytest.mark.parametrize("name", problems.names())
@pytest.mark.parametrize(("width", "height"), [(78, 7), (68, 18), (82, 20), (40, 5), (30, 3)])
def test_no_line_is_wider_or_lower_than_the_pane(name: str, width: int, height: int) -> None:
    session = load_session(name)
    for action in (None, *ONE_EPOCH, RunEpochs(3)):
        frame = session.frame if action is None else session.apply(action)
        rows = statement_lines(frame, width, height)
        assert len(rows) <= height
        if width > 60:
            assert all(length(row) <= width for row in rows)
        assert bool(rows) is not isinstance(action, Backward)


def test_before_anything_ran_the_pane_says_what_this_is_and_what_to_press() -> None:
    told = drawn(after("crops"))
    assert statement_title(after("crops")) == "what this is"
    assert "Yields of apples and oranges" in told
    assert "Five regions" in told
    assert "space runs" in told


def test_in_a_low_pane_the_keys_to_press_are_kept() -> None:
    told = drawn(after("crops"), 78, 5)
    assert "Yields of apples and oranges from the weather." in told
    assert "(tons per hectare)" in told
    assert "space runs the next line, e an epoch, s one backward node; ? lists all keys." in told
    assert told.splitlines()[-1].endswith("lists all keys.")
    assert "space runs" in drawn(after("crops"), 78, 3)


def test_forward_shows_how_the_loss_comes_about() -> None:
    told = drawn(after("crops", Forward()), 78, 8)
    assert "preds = model(inputs)   loss = mse(preds, targets)" in told
    row = " ".join(told.splitlines()[2].split())
    assert row == "73 67 43 -> 63.65 -89.30 - 56 70 = 7.654 -159.30 -> 58.6 25376"
    assert "sum 187465.4 / 10 = 18746.54 = loss" in told


def test_forward_with_room_has_the_columns_names_and_a_sentence() -> None:
    told = drawn(after("crops", Forward()), 110, 20)
    assert "temp  rainfall  humidity" in told
    assert "apples  oranges" in told
    assert "divided by 10, the number of them, it is the loss, 18746.54." in told.replace("\n", " ").replace(
        "  ", " "
    )


def test_cross_entropy_shows_the_probability_of_the_truth() -> None:
    told = drawn(after("classify", Forward()))
    assert "-log(p)" in told
    assert "0.394369    0.93047" in told or "0.394369 -> 0.93047" in told


def test_rows_that_do_not_fit_are_counted() -> None:
    assert "2 more rows: d" in drawn(after("line", Forward()), 78, 6)


def test_an_update_is_shown_element_by_element_and_one_number_in_full() -> None:
    told = drawn(after("crops", *ONE_EPOCH[:3]))
    assert "- 1e-05 ×" in told
    assert "e.g. w[oranges, rainfall]: -0.171987 - 1e-05 × (-16901.9) = -0.002968" in told


def test_an_update_that_follows_another_rule_is_shown_as_before_and_after_only() -> None:
    frame = after("crops", SetOptimizer(optimizer_from("Adam()")), *ONE_EPOCH[:3])
    assert statement_title(frame) == "update: before and after"
    assert "×" not in drawn(frame)
    assert "->" in drawn(frame)


def test_an_update_says_which_parameters_it_passed_over() -> None:
    frame = after("crops", SetOptimizer(optimizer_from("SGD()")), Forward(), Update())
    assert "Not updated, because .grad is None: w, b." in drawn(frame)


def test_zeroing_shows_gradients_before_and_after_and_what_backward_will_add_to() -> None:
    told = drawn(after("crops", *ONE_EPOCH))
    assert "-> 0  0  0" in told
    assert "The next backward adds to these zeros" in told


def test_epochs_are_told_in_sum() -> None:
    told = drawn(after("crops", RunEpochs(100)))
    assert "100 epochs, 100 updates: loss 18746.5 -> " in told
    assert "average change" in told


def test_a_part_of_the_samples_shows_its_own_rows() -> None:
    told = drawn(after("crops", SetBatches(batches_from("mini(2)")), Forward()))
    assert "preds = model(inputs[i])" in told
    assert "102" not in told


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([63.65424, -89.2996], ["63.6542", "-89.2996"]),
        ([56.0, 70.0], ["56", "70"]),
        ([7.5, 0.25], ["7.50", "0.25"]),
        ([25376.4, 0.0005], ["25376.4", "0.00050"]),
        ([1e-7, 2e12], ["1.000e-07", "2.000e+12"]),
        ([float("nan"), float("inf"), 0.0, 0.5], ["nan", "inf", "0", "0.5"]),
        ([None, "…", 3, 1.25], ["None", "…", "3", "1.25"]),
    ],
)
def test_a_column_has_as_few_digits_as_tell_its_numbers(
    numbers: list[float | str | None], texts: list[str]
) -> None:
    assert column_texts(numbers) == texts


def test_numbers_that_hardly_differ_get_digits_until_they_look_different() -> None:
    pair = (0.339748621, 0.339748522)
    digits = telling_digits([pair])
    assert number_text(pair[0], digits) != number_text(pair[1], digits)
    assert telling_digits([(1.0, 1.0)]) == 6


def test_a_run_shows_the_losses_of_its_epochs_the_first_and_the_last_among_them() -> None:
    session = load_session("crops")
    for action in (RunEpochs(5), RunEpochs(100)):
        frame = session.apply(action)
    rows = drawn(frame, 78, 20).splitlines()
    table = [row.split() for row in rows[rows.index(next(row for row in rows if "row above" in row)) + 1 :]]
    assert [int(row[0]) for row in (table[0], table[-1])] == [6, 105]
    for number, loss, *_ in table:
        assert float(loss) == pytest.approx(frame.losses[int(number) - 1], abs=1e-4)
    assert "row above" not in drawn(frame, 78, 8)
    assert "row above" not in drawn(session.apply(RunEpochs(1)), 78, 20)


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ((), "A training loop repeats four steps."),
        ((Forward(),), "notes every operation in a graph"),
        ((Forward(), Backward(), Update()), "each number moves against its gradient"),
        ((Forward(), Backward(), Update(), Zero()), "never overwrites it"),
    ],
)
def test_where_there_is_room_each_statement_says_why_a_loop_has_it(
    actions: tuple[Action, ...], words: str
) -> None:
    frame = after("crops", *actions)
    assert words in " ".join(drawn(frame, 80, 30).split())
    assert words not in " ".join(drawn(frame, 78, 5).split())
