"""The map over two inputs and the bars of gradient sizes, as plain functions; and on screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import pytest
import torch

from gradstep import problems
from gradstep.ledger.gradient_norms import Size, Sizes
from gradstep.opening import open_session
from gradstep.pictures.decision_regions import DecisionRule, Regions
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.drawing.canvas import AXIS
from gradstep_tui.drawing.heat import HALF, VIRIDIS, VIRIDIS_256
from gradstep_tui.drawing.lines import length
from gradstep_tui.plain.answers.pictures import regions_texts
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.widgets.pictures.curves import layer_lines
from gradstep_tui.widgets.pictures.decision_regions import FILLS, regions_lines
from gradstep_tui.widgets.pictures.loss_surface import RAMP
from tests.session_strategies import problem
from tests.tui.bench import idle, opened, press, text, until
from tests.tui.frames import plain

ROOMS: Final = ((76, 20), (116, 38), (156, 48))
AXES: Final = tuple(np.linspace(-1, 1, 100).tolist())


def halves() -> Regions:
    """Class 1 right of 0, class 0 left of it; one of the three points is wrong."""
    grid = (np.array(AXES)[None, :].repeat(100, 0) > 0).astype(float)
    points = ((-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))
    return Regions(
        rule=DecisionRule.LARGEST,
        column=None,
        columns=2,
        classes=(0, 1),
        first=AXES,
        second=AXES,
        predicted=grid,
        points=points,
        targets=(0, 1, 0),
        preds=(0, 1, 1),
        evaluating=False,
    )


def plot(found: Regions, width: int, height: int) -> list[str]:
    lines = plain(regions_lines(found, (), (), width, height))
    assert len(lines) <= height
    assert all(len(row) <= width for row in lines)
    end = next(number for number, row in enumerate(lines) if "the first input" in row and number)
    return [row[AXIS:] for row in lines[1:end]]


@pytest.mark.parametrize(("width", "height"), ROOMS)
def test_regions_and_points_are_where_they_belong_and_a_wrong_one_is_small(width: int, height: int) -> None:
    rows = plot(halves(), width, height)
    middle = len(rows[0]) // 2
    letters = {"A", "B", "a"}
    for row in rows:
        assert set(row[: middle - 1]) - letters <= {FILLS[0]}
        assert set(row[middle + 1 :]) - letters <= {FILLS[1]}
    places = {sign: (x, y) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign in letters}
    assert set(places) == letters
    for sign, (x, y) in {"A": (-0.5, 0.5), "B": (0.5, 0.5), "a": (0.5, -0.5)}.items():
        column, row = places[sign]
        assert column == int((x + 1) / 2 * len(rows[0]))
        assert row == len(rows) - 1 - int((y + 1) / 2 * len(rows))
    whole = " ".join(plain(regions_lines(halves(), ("cat", "dog"), ("ear", "tail"), width, height)))
    for part in ("tail up, ear across", "A on ' ' is cat, B on '.' is dog", "1 of them, in lower case,"):
        assert part in whole


@pytest.mark.parametrize("palette", [VIRIDIS, VIRIDIS_256], ids=["true", "256"])
def test_in_colours_each_class_has_one_and_letters_are_over_it(palette: Sequence[str]) -> None:
    lines = regions_lines(halves(), ("cat", "dog"), ("ear", "tail"), 76, 20, palette)
    chips = {text.strip(): role.partition("/")[2] for row in lines[-4:] for text, role in row if "/" in role}
    rows = [row for row in lines if any(text.startswith(HALF) for text, _ in row)]
    assert {role.split("/")[0] for text, role in rows[0][1:] if text.startswith(HALF)} >= {
        chips["A"],
        chips["B"],
    }
    assert rows[0][1].role.split("/")[0] == chips["A"]
    assert rows[0][-1].role.split("/")[0] == chips["B"]
    drawn = " ".join(plain(lines))
    assert "A  cat   B  dog" in drawn
    assert all(length(row) <= 76 for row in lines)
    letters = {text for row in rows for text, _ in row[1:] if not text.startswith(HALF)}
    assert letters == {"A", "B", "a"}


def test_an_output_is_a_ramp_and_a_target_a_digit_on_the_same_scale() -> None:
    grid = np.array(AXES)[None, :].repeat(100, 0)
    found = replace(
        halves(),
        rule=DecisionRule.OUTPUT,
        column=0,
        columns=1,
        classes=(),
        predicted=grid,
        targets=(-1.0, 0.05, 1.0),
    )
    rows = plot(found, 76, 20)
    assert rows[-1] == "".join(
        RAMP[min(int((x + 0.5) * 10 / len(rows[-1])), 9)] for x in range(len(rows[-1]))
    )
    assert {sign for row in rows for sign in row if sign.isdigit()} == {"0", "5", "9"}
    lost = replace(found, predicted=np.full((100, 100), math.nan), targets=(math.nan,) * 3)
    assert "nothing to draw" in " ".join(plain(regions_lines(lost, (), (), 76, 20)))


def test_no_prediction_is_a_question_mark_and_many_classes_are_refused() -> None:
    found = halves()
    found.predicted[:, :20] = math.nan
    assert {row[0] for row in plot(found, 76, 20)} == {"?"}
    many = replace(halves(), classes=tuple(range(11)))
    assert "11 classes" in plain(regions_lines(many, (), (), 76, 20))[0]


def test_bars_are_as_long_as_the_gradients_are_large() -> None:
    sizes = [
        Sizes(name, (Size(1, 99.0, 99.0), Size(2, size, size)), 0) for name, size in (("a", 1.0), ("b", 4.0))
    ]
    sizes += [Sizes("c", (), 0), Sizes("zero", (Size(2, 0.0, 0.0),), 0)]
    rows = plain(layer_lines(sizes, 76, 20, False))
    first, second, third, fourth = (row.count("#") for row in rows[1:5])
    assert abs(second - 4 * first) <= 4
    assert (third, "no pass" in rows[3], fourth) == (0, True, 0)
    steep = [Sizes(str(number), (Size(1, 10.0**-number, 0),), 0) for number in range(5)]
    lengths = [row.count("#") for row in plain(layer_lines(steep, 76, 20))[1:6]]
    assert lengths == sorted(lengths, reverse=True)
    assert len({one - other for one, other in pairwise(lengths[:-1])}) <= 2
    many = [Sizes(f"{number}", (Size(1, 1.0, 1.0),), 0) for number in range(40)]
    drawn = plain(layer_lines(many, 76, 20))
    assert len(drawn) <= 20
    assert any("more" in row for row in drawn)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_fit_of_two_inputs_has_maps_and_up_and_down_go_through_them(ascii_only: bool) -> None:
    async with opened(make=partial(open_session, Start("shared")), ascii_only=ascii_only) as pilot:
        await press(pilot, "i", "tab")
        await until(pilot, lambda: "prediction of output 0" in text(pilot))
        await press(pilot, "down")
        assert "prediction of output 1" in text(pilot)
        await press(pilot, "down")
        assert "predictions up, targets across" in text(pilot)
        assert "view 3 of 3" in text(pilot)
        await press(pilot, "up", "up", "up")
        assert "predictions up" in text(pilot)
        await idle(pilot)


async def test_a_model_that_takes_no_other_inputs_has_its_fit_and_a_sentence() -> None:
    inputs = torch.tensor([[0.0, 1.0], [2.0, 3.0]])

    def make() -> Session:
        w = torch.ones(2)
        return Session(problem({"w": w}, lambda _: inputs @ w, inputs, torch.zeros(2)))

    async with opened(make=make) as pilot:
        await press(pilot, "i", "tab")
        await until(pilot, lambda: "predictions up" in text(pilot))
        await press(pilot, "down")
        assert "there is no map to draw" in text(pilot)
        await idle(pilot)


def test_in_plain_lines_a_map_is_told() -> None:
    told: list[str] = []
    session = Session(problems.load("classify"))
    Conversation(session, told.append).answer("pictures")
    whole = "\n".join(told)
    assert "map over the two inputs: the class with the largest output" in whole
    assert "upper fills 68% of the map" in whole
    assert "2 of 6 points of the data are predicted correctly" in whole
    assert "predicted wrongly: at (0.8000, -0.1000) upper, it is right" in told
    (_, second) = Session(problems.load("shared")).pictures().regions()
    told = [*regions_texts(second, ())]
    assert told[0] == "map over the two inputs, column 1 of the output: the output itself"
    assert told[1].startswith("from -0.63")
