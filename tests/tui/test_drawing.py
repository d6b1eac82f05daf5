"""What each panel draws of a frame: plain functions, tested without an app."""

from __future__ import annotations

import math
import re
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import (
    Backward,
    Forward,
    MoveStatement,
    RunEpochs,
    StepNode,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.errors import EngineError
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from gradstep.training.loss_history import Losses
from gradstep.training.progress import Progress
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.drawing.chart import chart_lines
from gradstep_tui.drawing.lines import length
from gradstep_tui.drawing.number_grid import grid_lines, number_grids
from gradstep_tui.keys import KEYS
from gradstep_tui.text.tensors.numbers import SUM_DIGITS, brief, cell, decimals_of
from gradstep_tui.widgets.code.loop import loop_lines
from gradstep_tui.widgets.losses import loss_line
from gradstep_tui.widgets.notice import duration, hint_line, progress_line
from gradstep_tui.widgets.panel import title_rule
from gradstep_tui.widgets.parameter_table import table_lines
from gradstep_tui.widgets.parameters import parameter_lines
from gradstep_tui.widgets.status import status_line
from gradstep_tui.widgets.steps.step import PRODUCTS, complaint_lines, event_lines, event_title, whole_lines
from gradstep_tui.widgets.trace import trace_lines
from tests.session_strategies import PROBLEMS
from tests.tui.frames import EVENTS, frame_after, frames_after, keys_line, plain, walk

LEFT = {46: 7, 67: 15, 72: 19, 96: 29}
"""Widths of the left column, and rows for the step, in terminals of 80, 112, 120 and 160 columns."""

RIGHT = (34, 45, 48, 64)
"""Widths of the right one."""

WHOLE = (80, 93, 112, 120, 160)


def accumulating(events: int) -> tuple[StepNode | Forward | Backward, ...]:
    """Actions up to an event of a second pass that adds to the first one's gradients."""
    return (Forward(), Backward(), Forward(), *[StepNode()] * events)


# Nothing is wider than the room it is given


@pytest.mark.parametrize("width", WHOLE)
def test_lines_across_the_screen_fit_at_every_point_of_a_session(width: int) -> None:
    for frame in walk():
        assert length(status_line(frame, width)) <= width
        assert length(hint_line(frame)) <= width
        assert length(keys_line(frame, width)) <= width


@pytest.mark.parametrize("width", LEFT)
def test_the_left_column_fits_at_every_point_of_a_session(width: int) -> None:
    for frame in walk():
        rows = [*parameter_lines(frame, width, stacked=False), *parameter_lines(frame, width, stacked=True)]
        rows += [loss_line(frame, width), *chart_lines(frame.losses, width - 1, 1, "epoch")]
        for row in rows:
            assert length(row) <= width, plain([row])


@pytest.mark.parametrize("width", RIGHT)
def test_the_right_column_fits_at_every_point_of_a_session(width: int) -> None:
    for frame in walk():
        rows = loop_lines(frame, width=width)
        if width != RIGHT[0]:  # the curve is on the left there
            rows += [loss_line(frame, width), *chart_lines(frame.losses, width - 1, 8, "epoch")]
        rows += [] if frame.backward is None else trace_lines(frame.backward, width, 11)
        for row in rows:
            assert length(row) <= width, plain([row])


@given(st.sampled_from(WHOLE), st.text("ab ", max_size=200))
def test_a_title_rule_leaves_the_gap_between_columns_free(width: int, title: str) -> None:
    assert length(title_rule(title, width)) <= max(width - 1, len(title) + 3)


@pytest.mark.parametrize("made", [*PROBLEMS.values()], ids=[*PROBLEMS])
def test_other_problems_are_drawn_too(made: object) -> None:
    session = Session(made())  # type: ignore[operator]
    for action in (Forward(), *[StepNode()] * 40, RunEpochs(1), ToggleZeroing(), RunEpochs(1), Forward()):
        try:
            frame = session.apply(action)
        except EngineError:
            frame = session.frame
        for stacked in (False, True):
            assert plain(parameter_lines(frame, 46, stacked=stacked))
        if frame.backward is not None and frame.backward.done:
            assert all(
                length(row) <= 79 for row in event_lines(frame.backward, frame.backward.done - 1, 79, 5)
            )
            assert all(length(row) <= 34 for row in trace_lines(frame.backward, 34, 11))


# Parameters and gradients


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])(?:None|nan|-?inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)\*?", text)


def test_parameters_stand_under_the_names_of_their_inputs_and_targets() -> None:
    rows = plain(parameter_lines(frame_after(), 46, stacked=False))
    assert rows[0].split() == ["w", "temp", "rainfall", "humidity"]
    assert [row.split()[0] for row in rows[1:3]] == ["apples", "oranges"]
    for name in ("temp", "rainfall", "humidity"):
        end = rows[0].index(name) + len(name)
        assert all(row[end - 1] != " " and row[end] in " *" for row in rows[1:3])


def test_a_gradient_is_none_at_first_and_after_zeroing_it_is_0() -> None:
    assert [
        row.split() for row in plain(parameter_lines(frame_after(), 46, stacked=False)) if "grad" in row
    ] == [
        ["w.grad", "None"],
        ["b.grad", "None"],
    ]
    zeroed = plain(parameter_lines(frame_after(Forward(), Backward(), Zero()), 46, stacked=False))
    assert ["b.grad", "0*", "0*"] in [row.split() for row in zeroed]
    assert "zeroed" in zeroed[3]


def test_only_numbers_that_the_last_action_changed_have_a_star() -> None:
    def starred(*actions: object) -> set[str]:
        rows = plain(parameter_lines(frame_after(*actions), 46, stacked=False))  # type: ignore[arg-type]
        part, found = "", set()
        for row in rows:
            part = row.split()[0] if row[0] != " " or ".grad" in row else part
            if "*" in row:
                found.add(part)
        return found

    assert starred() == starred(Forward()) == set()
    assert starred(Forward(), Backward()) == {"w.grad", "b.grad"}
    assert starred(Forward(), Backward(), Update()) == {"w", "b"}
    assert starred(Forward(), Backward(), Update(), Zero()) == {"w.grad", "b.grad"}
    assert starred(Forward(), *[StepNode()] * 8) == {"b.grad"}
    assert starred(Forward(), *[StepNode()] * 9) == set()


@pytest.mark.parametrize("width", LEFT)
def test_an_accumulation_reads_old_plus_new_is_sum_element_by_element(width: int) -> None:
    frame = frame_after(*accumulating(EVENTS))
    for parameter in frame.parameters:
        written = parameter.accumulation
        assert written is not None
        assert written.before is not None
        assert written.after is not None
        assert torch.equal(written.before + written.part, written.after)
    rows = plain(parameter_lines(frame, width, stacked=True))
    start = next(n for n, row in enumerate(rows) if row.startswith("w.grad"))
    assert "old + new = sum" in rows[start]
    w = frame.parameters[0].accumulation
    assert w is not None
    assert w.before is not None
    assert w.after is not None
    decimals = decimals_of([n for t in (w.before, w.part, w.after) for n in t.flatten().tolist()], SUM_DIGITS)
    for target in range(2):
        old, new, total = rows[start + 1 + 3 * target : start + 4 + 3 * target]
        assert numbers(old) == [brief(number, decimals) for number in w.before[target].tolist()]
        assert new.startswith("   + new")
        assert numbers(new) == [brief(number, decimals) for number in w.part[target].tolist()]
        assert total.startswith("   = sum")
        assert numbers(total) == [f"{brief(number, decimals)}*" for number in w.after[target].tolist()]


@pytest.mark.parametrize("width", LEFT)
def test_large_numbers_with_stars_never_touch(width: int) -> None:
    for frame in frames_after((*accumulating(EVENTS), Update())):
        for stacked in (False, True):
            assert not any(
                re.search(r"\*\S", row) for row in plain(parameter_lines(frame, width, stacked=stacked))
            )


def test_a_heat_behind_a_number_has_its_sign_and_grows_with_its_size() -> None:
    [grid] = number_grids([torch.tensor([[4.0, -4.0, 1.0], [-0.1, 0.0, math.nan]])], 3)
    assert grid.heats == [[4, -4, 1], [-1, 0, 0]]
    spans = [span for row in grid_lines(["a", "b"], grid, [[True, False, False]] * 2) for span in row]
    assert [role for text, role in spans if "4" in text] == ["mark/+4", "/-4"]
    assert all("/" not in role for text, role in spans if "nan" in text or text.strip() == "0")


def test_at_80_columns_the_step_shows_the_accumulation_that_is_going_on() -> None:
    for events, name in ((8, "b"), (EVENTS, "w")):
        frame = frame_after(*accumulating(events))
        assert frame.backward is not None
        first, *others = plain(event_lines(frame.backward, frame.backward.done - 1, 79, 5))
        assert re.search(rf" before +new gradient +{re.escape(name)}\.grad$", first)
        numbers_ = next(row for row in others if " + " in row)
        assert " = " in numbers_
        assert any(row.startswith(f"e.g. {name}.grad[") for row in others)


def test_the_first_accumulation_starts_from_none() -> None:
    frame = frame_after(Forward(), *[StepNode()] * 8)
    assert frame.backward is not None
    rows = plain(event_lines(frame.backward, frame.backward.done - 1, 79, 5))
    assert any(row.split()[:2] == ["None", "->"] for row in rows)
    assert "b.grad, the new gradient" in rows[0]
    after = frame_after(Forward(), *[StepNode()] * EVENTS)
    assert "None + new = sum" in "\n".join(plain(parameter_lines(after, 46, stacked=False)))


# The pass


@pytest.mark.parametrize("height", [3, 5, 9, 11, 12])
def test_the_current_event_is_in_view_and_marked_and_no_other_one(height: int) -> None:
    for frame in frames_after((Forward(), *[StepNode()] * EVENTS))[2:]:
        assert frame.backward is not None
        rows = plain(trace_lines(frame.backward, 34, height))
        assert len(rows) == min(height, EVENTS)
        [current] = [row for row in rows if row.startswith(">")]
        assert current[1:3].strip() == str(frame.backward.done)


def test_the_list_names_every_event_in_order_with_the_shape_of_what_it_made() -> None:
    frame = frame_after(Forward(), StepNode())
    assert frame.backward is not None
    rows = plain(trace_lines(frame.backward, 34, EVENTS))
    assert [row[1:].split()[0] for row in rows] == [str(number) for number in range(1, EVENTS + 1)]
    assert [row.split()[-1] for row in rows] == [
        "()",
        "5x2",
        "5x2",
        "5x2",
        "5x2",
        "5x2",
        "2",
        "2",
        "3x2",
        "2x3",
        "2x3",
    ]
    assert sum("-> " in row for row in rows) == 2
    assert "(+)       2 paths into" in rows[3]
    assert "(sum)     5 rows into b" in rows[6]


def test_a_pass_that_is_over_has_no_current_event() -> None:
    frame = frame_after(Forward(), Backward(), Update())
    assert frame.backward is not None
    assert not any(row.startswith(">") for row in plain(trace_lines(frame.backward, 34, 11)))


# The step


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_each_step_is_an_equation_in_the_scripts_names_in_the_room_of_80x24(number: int) -> None:
    frame = frame_after(Forward(), *[StepNode()] * number)
    assert frame.backward is not None
    rows = plain(event_lines(frame.backward, frame.backward.done - 1, 79, 5))
    text = "\n".join(rows)
    assert len(rows) <= 5
    assert re.search(r"-?\d\.\d{4}|\bNone\b", text), text
    assert ".grad" in text if frame.backward.rows[number - 1].parameter else "dL/d" in text
    assert not re.search(r"\b(self|mat1|mat2|self_sym_sizes)\b", text)


def test_a_product_of_matrices_says_how_one_number_of_it_comes_about() -> None:
    frame = frame_after(Forward(), *[StepNode()] * 9)
    assert frame.backward is not None
    names, row, column, example = plain(event_lines(frame.backward, frame.backward.done - 1, 79, 5))
    assert names == "x.T @ dL/d(x @ w.t()) = dL/d(w.t())   3x5 @ 5x2 = 3x2"
    assert row.split() == [*["row", "1", "of", "3", "of", "x.T"], *["73", "91", "87", "102", "69"]]
    assert column.split()[-5:] == ["1.53085", "-1.42603", "3.52363", "5.5456", "-6.58276"]
    assert example == "e.g. 73 × 1.53085 + 91 × (-1.42603) + 87 × 3.52363 + … = 399.979"
    names, *others = plain(event_lines(frame.backward, frame.backward.done - 1, 79, 9))
    assert names.split() == ["x.T", "dL/d(x", "@", "w.t())", "dL/d(w.t())"]
    assert any(row.startswith("e.g. 73.0000 × 1.5308 + 91.0000 × (-1.4260)") for row in others)


def test_the_whole_of_a_step_has_its_title_its_words_its_formula_and_why() -> None:
    for number in range(1, EVENTS + 1):
        frame = frame_after(Forward(), *[StepNode()] * number)
        assert frame.backward is not None
        text = "\n".join(plain(whole_lines(frame.backward, number - 1, 95)))
        assert text.startswith(event_title(frame.backward, number - 1))
        step, told = frame.backward.steps[number - 1], " ".join(text.split())
        assert step.words in told
        assert str(step.reason) in told
        for equation in frame.backward.equations[number - 1]:
            if equation.operator in PRODUCTS:
                assert f"as PyTorch computes it: {equation.formula}, with g = dL/d" in told


def test_what_pytorch_refuses_is_shown_in_its_own_words_with_the_lesson() -> None:
    session = Session(problems.load("crops"))
    session.apply(Forward())
    session.apply(Backward())
    with pytest.raises(PyTorchError) as refused:
        session.apply(Backward())
    rows = plain(complaint_lines(refused.value, 45, 7))
    assert len(rows) <= 7
    text = " ".join(rows)
    assert "RuntimeError: Trying to backward" in text
    assert "Trying to backward through the graph a second time" in text
    assert refused.value.lesson in text


# The loop, the status, the keys


def test_the_next_line_of_the_loop_is_marked_and_a_commented_one_has_a_hash() -> None:
    for frame in walk():
        rows = plain(loop_lines(frame))
        marked = [row for row in rows if row.startswith(">")]
        assert len(marked) == (0 if frame.next is None else 1)
        for statement in frame.loop.statements:
            for text in statement.lines:
                [row] = [row for row in rows if row.endswith(text)]
                assert row.endswith(f"# {text}") is not statement.enabled


@pytest.mark.parametrize("kind", Kind)
def test_the_cursor_stands_before_each_line_of_its_statement_and_changes_nothing_else(kind: Kind) -> None:
    for frame in walk():
        rows, without = plain(loop_lines(frame, kind)), plain(loop_lines(frame))
        marked = [row for row in rows if row[2] == "|"]
        [statement] = [one for one in frame.loop.statements if one.kind is kind]
        assert [row[3:].removeprefix("# ") for row in marked] == list(statement.lines)
        assert [row.replace("|", " ") for row in rows] == without


def test_an_edit_that_cannot_be_made_at_the_cursor_is_dimmed() -> None:
    def dimmed(frame: Frame, cursor: Kind | None) -> set[str]:
        return {span.text for span in keys_line(frame, 300, cursor) if span.role == "dim"} & {*"#KJ"}

    start, inside = frame_after(), frame_after(Forward(), StepNode())
    assert dimmed(start, None) == {"#"}
    assert dimmed(inside, Kind.UPDATE) == set()
    assert dimmed(start, Kind.FORWARD) == {"K"}
    assert dimmed(start, Kind.UPDATE) == set()
    assert dimmed(start, Kind.ZERO) == {"J"}
    assert dimmed(frame_after(MoveStatement(Kind.ZERO, -1)), Kind.ZERO) == set()


def test_the_status_says_problem_rate_zeroing_epochs_and_what_is_next() -> None:
    on = " ".join(plain([status_line(frame_after(), 80)])[0].split())
    assert on == "crops SGD by hand, lr 1e-05 zeroing on epochs done 0 next: forward"
    off = plain([status_line(frame_after(ToggleZeroing(), RunEpochs(100), Forward(), StepNode()), 80)])[0]
    assert "zeroing OFF" in off
    assert "epochs done 100" in off
    assert f"in backward 1/{EVENTS}" in off


def test_a_key_that_cannot_work_now_is_dimmed_and_the_most_needed_ones_are_always_there() -> None:
    for frame in walk():
        for width in WHOLE:
            row = keys_line(frame, width)
            text = plain([row])[0]
            inside = ("s next node", "S back", "space rest of pass")
            needs = inside if frame.in_pass else ("space next", "s node", "r run", "← undo")
            needs = needs if frame.loss is None or math.isfinite(frame.loss) else ("← undo", "[ lr-")
            for needed in (*needs, "? help", "q quit"):
                assert needed in text
            for span in row:
                [*keys] = [key for key in KEYS if span.role in ("key", "dim") and key.shown == span.text]
                assert all((not key.can_work(frame, None)) == (span.role == "dim") for key in keys)


def test_a_wide_terminal_shows_every_key_but_those_that_are_seldom_needed() -> None:
    text = plain([keys_line(frame_after(), 600)])[0]
    words = {"predict": "ask"}
    missing = {key.id for key in KEYS if f"{key.shown} {words.get(key.id, key.label)}" not in text}
    assert missing == {"stop", "move_up", "move_down", "outer"}


def test_the_hint_names_the_key_that_makes_sense_next() -> None:
    assert "space computes the predictions" in plain([hint_line(frame_after())])[0]
    assert "s goes through it" in plain([hint_line(frame_after(Forward()))])[0]
    assert "rest of the pass" in plain([hint_line(frame_after(Forward(), StepNode()))])[0]


# The loss and a run


def test_the_loss_says_none_yet_changed_and_from_before_the_update() -> None:
    assert "no loss yet" in plain([loss_line(frame_after(), 46)])[0]
    assert plain([loss_line(frame_after(Forward()), 46)])[0].split() == ["18746.5391*"]
    after = plain([loss_line(frame_after(Forward(), Backward(), Update()), 46)])[0]
    assert after.split()[0] == "18746.5391"
    assert "before the update" in after


def test_the_change_of_the_loss_has_a_word_and_a_percentage() -> None:
    before, after = (frame_after(*[RunEpochs(1)] * n, Forward()).loss for n in (0, 1))
    assert before is not None
    assert after is not None
    text = plain([loss_line(frame_after(RunEpochs(1), Forward()), 46)])[0]
    assert f" down {cell(before - after)} ({100 * (before - after) / before:.1f}%)" in text


def test_a_rising_loss_says_up_and_has_the_colour_of_a_warning() -> None:
    falls = loss_line(frame_after(RunEpochs(1), Forward()), 60)
    assert " down " in plain([falls])[0]
    assert all(role != "warn" for _, role in falls)
    steep = Session(problems.load("crops"), 1e-3)
    steep.apply(RunEpochs(1))
    rises = loss_line(steep.apply(Forward()), 60)
    assert " up " in plain([rises])[0]
    assert [role for _, role in rises if role == "mark"] == []
    assert any(role == "warn" for _, role in rises)


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_a_loss_that_is_no_number_is_never_drawn_as_a_success(loss: float) -> None:
    drawn = loss_line(replace(frame_after(RunEpochs(1), Forward()), loss=loss), 60)
    assert "diverged" in plain([drawn])[0]
    assert {role for _, role in drawn} == {"warn"}


def test_progress_says_done_rate_time_left_and_how_to_stop() -> None:
    buffer = frame_after(RunEpochs(50)).losses
    text = plain([progress_line(Progress(200, 0, buffer, time.monotonic() - 10))])[0]
    assert "[###.........]" in text
    assert "50 of 200 epochs" in text
    assert "5/s" in text
    assert re.search(r"(29|30) s left", text)
    assert "Esc stops" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.4, "9 s"), (119.0, "119 s"), (600.0, "10 min"), (86400.0, "24 h")]
)
def test_the_time_left_is_in_a_unit_that_a_person_would_use(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.integers(1, 1_000_000), st.floats(1e-2, 1e4))
def test_progress_fits_at_80_columns(count: int, seconds: float) -> None:
    for done in {1, count // 2, count}:
        progress = Progress(count, 0, Losses(array("d", bytes(8 * done)), done), time.monotonic() - seconds)
        assert length(progress_line(progress)) <= 80


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 3)
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))

torch.manual_seed(0)
net = Net()
X, y = torch.randn(4, 2), torch.randn(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    loss = ((net(X) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_parameters_of_modules_can_be_told_apart_where_their_names_do_not_fit(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(NET)
    session = open_session(Start(str(script)))
    frame = session.apply(StepNode())
    rows = plain(table_lines(frame, 46, 7))
    assert rows[0].split()[0] == "net."
    assert [row.split()[0] for row in rows[1:5]] == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert frame.backward is not None
    listed = "\n".join(plain(trace_lines(frame.backward, 34, 20)))
    for name in ("out.bias", "out.weight", "hidden.bias", "hidden.weight"):
        assert f"{name}.grad" in listed
