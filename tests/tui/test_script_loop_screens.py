"""A script's own loop on the bench and in plain mode: its code, its rounds, its words, drawn from frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.actions import (
    Backward,
    MoveStatement,
    NextLine,
    RunEpochs,
    RunOuter,
    ToggleStatement,
    Update,
)
from gradstep.errors import BadInput
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import LoopHead
from gradstep.notices import RunDiverged, RunStopped
from gradstep.reasons import Reason, Refusal
from gradstep_tui.drawing.lines import length
from gradstep_tui.drawing.script_code import script_lines, script_title
from gradstep_tui.plain.answers.changes import answer_texts
from gradstep_tui.plain.answers.refusals import refusal_text as plain_refusal_text
from gradstep_tui.plain.answers.state import hint_text, loop_texts, status_texts, summary_text
from gradstep_tui.plain.commands import key_from
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.notices import frame_remark, notice_text
from gradstep_tui.text.refusals import refusal_text
from gradstep_tui.text.statements import round_text, zeroes
from gradstep_tui.widgets.notice import hint_line
from gradstep_tui.widgets.status import status_line
from gradstep_tui.workshop.bench.widgets.board_text import next_text
from gradstep_tui.workshop.wire.facts import PhaseKind, next_phase
from tests.tui.bench import bench, drawn, opened, press, text
from tests.tui.frames import frame_after, keys_line, plain
from tests.tui.script_frames import ALONE, EPOCHS, NESTED, PLAIN, frame_around, loop_of
from tests.tui.test_screens import compare

NARROW, WIDE = 33, 47
"""Widths of the pane at 80x24 and at 120x40."""

ROWS = 10
"""Rows of the pane at 80x24."""


def pane(loop: object, width: int = NARROW, height: int = ROWS, cursor: int | None = None) -> list[str]:
    return plain(script_lines(loop, loop.next, cursor, width, height))  # type: ignore[arg-type, attr-defined]


# The code pane


@given(st.integers(33, 120), st.integers(4, 20), st.integers(0, 24), st.integers(0, 5))
def test_the_next_statement_and_a_line_around_it_are_always_in_view(
    width: int, height: int, place: int, deep: int
) -> None:
    more = {3: "\n+ b", 10: "\n+ b\n+ c", 17: "\n+ b" * 30}
    body = [(f"a{number} = 1{more.get(number, '')}", []) for number in range(25)]
    heads = tuple(LoopHead(f"for i{depth} in x:", depth + 1, "", 1) for depth in range(deep + 1))
    loop = loop_of(body, heads, last=place - 1 if place else None)
    rows = script_lines(loop, loop.next, None, width, height)
    assert len(rows) <= height
    assert all(length(row) <= width for row in rows)
    texts = plain(rows)
    [at] = [number for number, row in enumerate(texts) if row.startswith(">")]
    assert f"a{place} = " in texts[at]
    assert place == 0 or any(f"a{place - 1} = " in row for row in texts)
    assert place == 24 or any(f"a{place + 1} = " in row for row in texts)


def test_code_stands_as_in_the_file_with_its_lines_heads_and_what_each_statement_does() -> None:
    rows = pane(loop_of(last=1), 63, 16)
    assert [row.split()[0].removeprefix(">") for row in rows] == ["31", *map(str, range(33, 45))]
    assert [row[6:].split("  ")[0] for row in rows[:2]] == ["for epoch in range(20):", ""]
    assert rows[2].endswith("draw")
    assert [row[4] for row in rows] == [*"   zffb u    "]
    assert rows[0].endswith("epoch 2")
    assert rows[1].endswith("round 14")
    assert [row for row in rows if row.startswith(">")] == [rows[4]]


def test_a_narrow_pane_leaves_line_numbers_out_before_it_cuts_code_for_them() -> None:
    short = loop_of([("loss.backward()", [Role.BACKWARD])], ALONE)
    assert pane(short)[1].startswith(">25 b  loss.backward()")
    assert not any("34" in row for row in pane(loop_of()))
    assert any(row.endswith("…") for row in pane(loop_of()))


def test_statements_of_several_lines_are_folded_only_if_there_is_no_room() -> None:
    assert not any("..." in row for row in pane(loop_of(), WIDE, 16))
    folded = pane(loop_of(last=4))
    assert any(row.strip().startswith("if step % 100 == 0: ...") for row in folded)
    inside = pane(loop_of(last=7))
    assert any("print" in row for row in inside)


def test_lines_of_a_compound_statement_are_dim_and_those_of_a_long_call_are_not() -> None:
    loop = loop_of([("with torch.no_grad():\n    w -= w.grad", []), ("loss = f(\n    x,\n)", [])], ALONE)
    roles = [
        {span.role for span in row if span.text.strip() and span.text.strip()[0] not in "0123456789>"}
        for row in script_lines(loop, None, None, 80, 20)
    ]
    assert roles[2] == {"dim"}
    assert roles[4] == {""}


def test_a_statement_that_is_commented_out_has_a_sign_and_one_under_the_cursor_too() -> None:
    rows = pane(loop_of(last=3).toggled(1), cursor=6)
    assert any("# optimizer.zero_grad()" in row for row in rows)
    assert [row[2] for row in rows if "optimizer.step()" in row] == ["|"]


def test_a_statement_that_was_not_seen_to_run_has_no_letter_and_no_word() -> None:
    rows = pane(loop_of(known=False), 63, 16)
    assert {row[4] for row in rows} == {" "}
    assert not any(row.endswith(("zero", "loss")) for row in rows)


def test_what_a_terminal_would_obey_is_not_drawn() -> None:
    rows = pane(loop_of([("print('\x1b[2J')\t# x", [])], ALONE))
    assert all(row.isprintable() for row in rows)


def test_the_title_names_file_line_and_function() -> None:
    assert script_title(loop_of()) == "train.py:33 in main"
    assert script_title(loop_of(PLAIN, ALONE)) == "train.py:24"


# The header, the hint and the keys


def test_the_header_counts_rounds_and_epochs() -> None:
    nested, alone = frame_around(loop_of(last=3)), frame_around(loop_of(PLAIN, ALONE, optimizers=()))
    assert plain([status_line(nested, 80)])[0].split("  ")[1:3] == ["Adam, lr 0.001", "zeroing on"]
    assert plain([status_line(nested, 80)])[0].rstrip().endswith("epoch 2, round 14  next: line 38")
    assert plain([status_line(alone, 80)])[0].rstrip().endswith("round 1  next: line 25")
    assert "by hand" in plain([status_line(alone, 80)])[0]
    assert "lr" not in plain([status_line(alone, 80)])[0]  # the script keeps its own
    deep = loop_of(heads=(LoopHead("for run in range(3):", 9, "", 3), *EPOCHS))
    assert round_text(deep) == "epoch 2, round 14"


def test_a_loop_that_is_over_says_what_can_still_be_done() -> None:
    frame = frame_around(loop_of(over=True))
    assert "the loop is over" in plain([status_line(frame, 80)])[0]
    assert plain([hint_line(frame)])[0].strip() == (
        "the script's loop is over: ← undoes, t goes back to any point, 0 begins again"
    )
    assert hint_text(frame).startswith("the script's loop is over: undo takes back")
    assert not any(row.startswith(">") for row in pane(frame.loop))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("place", range(len(NESTED)))
def test_the_hint_quotes_the_next_line_and_fits(place: int, width: int) -> None:
    frame = frame_around(loop_of(last=place - 1 if place else None))
    hint = plain([hint_line(frame, width)])[0]
    assert len(hint) <= width
    assert f"space runs line {34 + place}, {NESTED[place][0][:12]}" in hint
    assert ("s goes through it node by node" in hint) == (place == 4)


def test_whether_a_loop_zeroes_is_unknown_until_a_round_has_run_and_if_a_condition_was_never_met() -> None:
    rarely = [*NESTED[2:5], ("if step % 4 == 3:\n    optimizer.step()\n    optimizer.zero_grad()", [])]
    assert zeroes(loop_of(rarely)) is None
    assert zeroes(loop_of(NESTED[2:5])) is False
    unknown = loop_of(known=False)
    assert (zeroes(unknown), zeroes(loop_of()), zeroes(loop_of().toggled(1))) == (None, True, False)
    assert "zeroing" not in plain([status_line(frame_around(unknown), 80)])[0]
    assert "zeroing OFF" in plain([status_line(frame_around(loop_of().toggled(1)), 80)])[0]


def test_the_keys_are_called_after_rounds_and_quit_stays() -> None:
    bar = plain([keys_line(frame_around(loop_of()), 80)])[0]
    assert "e round  E epoch  r run" in bar
    assert "q quit" in bar
    assert "E epoch" not in plain([keys_line(frame_around(loop_of(PLAIN, ALONE)), 80)])[0]
    assert "e epoch" in plain([keys_line(frame_after(), 80)])[0]


async def test_the_cursor_walks_over_the_scripts_statements() -> None:
    async with opened() as pilot:
        bench(pilot).frame = frame_around(loop_of(last=3))
        await press(pilot, "down", "down")
        assert bench(pilot).cursor == 5
        assert "loop: # comments, K J move" in text(pilot)
        await press(pilot, *["up"] * 6)
        assert bench(pilot).cursor == 8
        bench(pilot).frame = frame_after()  # another problem: its lines have other keys
        await press(pilot, "down")
        assert bench(pilot).cursor is Kind.FORWARD


SCREENS = {
    "script-nested": frame_around(loop_of(last=3)),
    "script-unseen": frame_around(loop_of(known=False, optimizers=("AdamW", "SGD"))),
    "script-by-hand": frame_around(loop_of(PLAIN, ALONE, last=4, optimizers=()).toggled(3)),
    "script-over": frame_around(loop_of(over=True)),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_scripts_loop_is_drawn_as_it_was_read_and_found_good(size: tuple[int, int]) -> None:
    async with opened(size) as pilot:
        for name, frame in SCREENS.items():
            bench(pilot).frame = frame
            await drawn(pilot)
            compare(f"{name}-{size[0]}x{size[1]}", text(pilot))


# Words


def test_actions_are_named_with_the_scripts_code_where_it_is_known() -> None:
    loop = loop_of()
    assert action_text(ToggleStatement(1), loop) == "comment optimizer.zero_grad()"
    assert action_text(MoveStatement(6, -1), loop) == "move up optimizer.step()"
    assert action_text(ToggleStatement(8), loop) == "comment if step % 100 == 0: ..."
    assert action_text(ToggleStatement(1)) == "comment statement 2 out or in"
    assert action_text(RunEpochs(30), loop) == "run 30 rounds"
    assert action_text(RunEpochs(1), loop) == "one round"
    assert action_text(RunEpochs(30)) == "run 30 epochs"
    assert action_text(RunOuter(), loop) == "one epoch of the outer loop"


def test_notices_count_rounds() -> None:
    stopped = replace(frame_around(loop_of()), notice=RunStopped(3, 10))
    assert str(frame_remark(stopped)) == "done: stopped after 3 of 10 rounds"
    over = replace(frame_around(loop_of(over=True)), notice=RunStopped(3, 10))
    assert str(frame_remark(over)) == "done: the script's loop was over after 3 of 10 rounds"
    assert not frame_remark(frame_after())
    assert notice_text(RunStopped(3, 10), "round") == "stopped after 3 of 10 rounds"
    assert "the loss became inf in round 7" in notice_text(
        RunDiverged(7, float("inf"), zeroing=True), "round"
    )


@pytest.mark.parametrize("reason", [Reason.SCRIPTS_OWN, Reason.NO_OUTER_LOOP])
def test_refusals_say_what_helps(reason: Reason) -> None:
    assert "{" not in refusal_text(Refusal(reason))
    assert plain_refusal_text(Refusal(reason)) != refusal_text(Refusal(reason))


def test_the_board_says_which_line_is_next() -> None:
    assert next_text(next_phase(loop_of(last=3))) == "line 38"
    assert next_phase(loop_of(last=3)).statement is Kind.BACKWARD
    assert next_phase(loop_of(over=True)).kind is PhaseKind.END
    assert next_text(next_phase(frame_after().loop)) == "forward"


# Plain mode


def test_plain_mode_lists_the_statements_by_number_with_what_they_do() -> None:
    texts = list(loop_texts(frame_around(loop_of(last=3).toggled(1))))
    assert texts[:2] == [
        "loop at train.py:31 in main, epoch 2: for epoch in range(20):",
        "loop at train.py:33 in main, round 14: for step, (x, y) in enumerate(loader):",
    ]
    assert texts[3] == "2, line 35, zero, commented out: optimizer.zero_grad()"
    assert texts[6] == "5, line 38, backward, next: loss.backward()"
    assert texts[-1].startswith("9, line 42, log: if step % 100 == 0: print(")


def test_plain_mode_says_where_the_loops_stand_and_what_comes_next() -> None:
    [first, _] = status_texts(frame_around(loop_of(last=3)))
    assert "Adam, learning rate 0.001, zeroing on; epoch 2, round 14; rounds done 0; next: line 38" in first
    [by_hand, _] = status_texts(frame_around(loop_of(PLAIN, ALONE, optimizers=(), known=False)))
    assert by_hand.startswith("train: updated by hand, zeroing not known before a round has run; round 1; ")
    assert hint_text(frame_around(loop_of(last=3))) == (
        "next: line 38, loss.backward(): node goes through it node by node; type next"
    )
    assert summary_text(frame_after().losses, "round") == "no loss yet: type forward"


def test_a_line_of_a_script_is_named_by_its_number() -> None:
    assert (key_from("3"), key_from("zero"), key_from("z")) == (2, Kind.ZERO, Kind.ZERO)
    for wrong in ("0", "-1", "²", "1e3", "", "1000000"):
        with pytest.raises(BadInput):
            key_from(wrong)


def test_plain_mode_answers_what_ran_and_what_changed_in_the_loop() -> None:
    before, after = frame_around(loop_of(last=5)), frame_around(loop_of(last=6))
    assert next(iter(answer_texts(NextLine(), before, after))) == "ran statement 7: optimizer.step()"
    assert next(iter(answer_texts(Update(), before, after))) == "ran statement 7: optimizer.step()"
    assert next(iter(answer_texts(Backward(), before, after))) == "ran statement 5: loss.backward()"
    edited = answered(ToggleStatement(1), before, frame_around(loop_of(last=5).toggled(1)))
    assert "line 35, optimizer.zero_grad() is commented out of the loop: gradients pile up" in edited
    moved = answered(MoveStatement(6, -1), before, frame_around(loop_of(last=5).moved(6, -1)))
    assert "the loop's order is now 1, 2, 3, 4, 5, 7, 6, 8, 9" in moved
    later = replace(before, epoch=3)
    assert "ran 3 rounds; the script's loop is at epoch 2, round 14" in answered(RunEpochs(3), before, later)


def answered(action: object, before: Frame, after: Frame) -> str:
    return "\n".join(answer_texts(action, before, after))  # type: ignore[arg-type]
