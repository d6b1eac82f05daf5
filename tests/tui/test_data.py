"""The samples as a table: on the bench, in a dialog, and in plain mode."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gradstep import problems
from gradstep.actions import Backward, Forward, RunEpochs, SetBatches, Update
from gradstep.frame import Frame
from gradstep.loop.batches import batches_from
from gradstep.opening import load_session
from gradstep_tui.drawing.lines import length
from gradstep_tui.screens.dialogs.data_table import DataScreen
from gradstep_tui.widgets.lessons.data import data_lines, data_title
from tests.tui.bench import opened, press, text, until


def drawn(frame: Frame, width: int = 78, height: int = 12, first: int = 0) -> str:
    rows = data_lines(frame, first, width, height)
    return "\n".join("".join(span.text for span in row) for row in rows)


@pytest.mark.parametrize("name", problems.names())
@pytest.mark.parametrize(("width", "height"), [(78, 12), (55, 6), (48, 4)])
def test_the_table_fits(name: str, width: int, height: int) -> None:
    session = load_session(name)
    for frame in (session.frame, session.apply(Forward())):
        rows = data_lines(frame, 0, width, height)
        assert 0 < len(rows) <= height
        assert all(length(row) <= width for row in rows)


def test_a_row_has_inputs_target_prediction_and_error() -> None:
    told = drawn(load_session("crops").apply(Forward()), 100)
    assert "inputs" in told
    assert "error" in told
    row = told.splitlines()[-1].split()
    assert row == ["5", "69", "96", "70", "103", "119", "70.086", "-50.373", "-32.9138", "-169.373"]


def test_before_forward_there_are_no_predictions_and_the_key_for_them_is_named() -> None:
    told = drawn(load_session("crops").frame)
    assert "temp  rainfall  humidity" in told
    assert "No predictions yet: forward (f) computes them." in told


def test_classes_show_the_largest_prediction_and_the_probability_of_the_truth() -> None:
    told = drawn(load_session("classify").apply(Forward()))
    assert "largest" in told
    assert "p of the truth" in told


def test_a_part_of_the_samples_keeps_the_samples_numbers() -> None:
    session = load_session("crops")
    session.apply(SetBatches(batches_from("mini(2)")))
    session.apply(RunEpochs(1))
    frame = session.frame
    assert data_title(frame).startswith("data: 1 sample of this part")
    assert drawn(frame).splitlines()[-1].split()[0] == "5"


def test_the_title_says_if_the_predictions_are_from_before_the_update() -> None:
    session = load_session("crops")
    for action in (Forward(), Backward()):
        assert "before the update" not in data_title(session.apply(action))
    assert "before the update" in data_title(session.apply(Update()))


def test_rows_that_do_not_fit_are_counted_and_the_key_for_them_is_named() -> None:
    frame = load_session("logistic").apply(Forward())
    assert drawn(frame, height=6).splitlines()[-1] == "4 more rows: d"
    assert "more rows" not in drawn(frame, height=9)
    assert drawn(frame, height=9).splitlines()[-1].startswith("8")


async def test_the_key_shows_all_samples_and_scrolls(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(
        "import torch\ninputs = torch.arange(1000.0, 1040.0)\ntargets = 2 * inputs\n"
        "w = torch.tensor(0.5, requires_grad=True)\ndef model(x): return w * x\n"
        "def mse(p, t): return ((p - t) ** 2).mean()\n"
    )
    async with opened(make=partial(load_session, str(script))) as pilot:
        await press(pilot, "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, DataScreen))
        assert "data: 40 samples" in text(pilot)
        assert "1000" in text(pilot)
        assert "1039" not in text(pilot)
        await press(pilot, "end")
        await until(pilot, lambda: "1039" in text(pilot))
        assert "1000" not in text(pilot)
        await press(pilot, "home")
        await until(pilot, lambda: "1000" in text(pilot))
        await press(pilot, "d")
        assert not isinstance(pilot.app.screen, DataScreen)
