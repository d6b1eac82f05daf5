"""Pictures: what is drawn, as plain functions of plain data; and the screen, with real keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.actions import RunEpochs, SetLearningRate, ToggleZeroing, Undo
from gradstep.analysis.comparison import Comparison, FirstDifference, Gap
from gradstep.history.annotations import Mark, What
from gradstep.ledger.gradient_norms import Size, Sizes
from gradstep.pictures.elements import ParameterElement
from gradstep.pictures.fit import Fit
from gradstep.pictures.loss_surface import Surface
from gradstep.pictures.lowest_point import LowestPoint
from gradstep.session import Session
from gradstep.training.loss_history import Losses
from gradstep_tui.drawing.canvas import AXIS
from gradstep_tui.drawing.chart import AXIS as PLOT_AXIS
from gradstep_tui.drawing.dots import EMPTY
from gradstep_tui.drawing.heat import HALF, VIRIDIS, VIRIDIS_256, contrast, luminance
from gradstep_tui.drawing.lines import length
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.pictures import PicturesScreen
from gradstep_tui.text.comparison import Names
from gradstep_tui.text.losses.surface_sentences import PLAIN, SurfaceContext
from gradstep_tui.widgets.comparison import comparison_lines
from gradstep_tui.widgets.pictures.curves import loss_lines, size_lines
from gradstep_tui.widgets.pictures.fit import fit_lines
from gradstep_tui.widgets.pictures.loss_surface import RAMP, surface_lines
from gradstep_tui.widgets.status import StatusLine
from tests.session_strategies import crops, line, problem
from tests.tui.bench import Opened, bench, frame, headless, idle, opened, press, state, text, until
from tests.tui.frames import plain

ROOMS: Final = ((76, 20), (76, 22), (116, 38), (156, 48))


def bowl(step: tuple[float, float] | None = (2.0, 0.0), *, nan: bool = False) -> Surface:
    """x^2 + y^2 over -5 to 5, with a path from (-4, -4) to (0, 0)."""
    axis = np.linspace(-5, 5, 100)
    losses = axis[None, :] ** 2 + axis[:, None] ** 2
    if nan:
        losses[:, :20] = math.nan
    ticks = tuple(axis.tolist())
    return Surface(
        places=(ParameterElement("w", (0,)), ParameterElement("w", (1,))),
        first=ticks,
        second=ticks,
        losses=losses,
        loss=0.0,
        here=(0.0, 0.0),
        path=((-4.0, -4.0), (-2.0, -2.0), (0.0, 0.0)),
        epochs=(0, 1, 2),
        whole_path=True,
        gradient=(0.0, 0.0),
        step=step,
        held=None if step is None else (0.0, 0.0),
        lowest=LowestPoint((3.0, 3.0), is_minimum=True),
        batched=True,
    )


def plot(found: Surface, width: int = 76, height: int = 20, is_log: bool | None = False) -> list[str]:
    lines = plain(surface_lines(found, width, height, is_log))
    return [row[AXIS:] for row in lines[1 : _below(lines)]]


def _below(lines: list[str]) -> int:
    return next(number for number, row in enumerate(lines) if row.startswith("loss ")) - 1


# The surface


@pytest.mark.parametrize(("width", "height"), ROOMS)
@pytest.mark.parametrize("is_log", [None, False, True])
def test_a_surface_fits_its_room_and_each_sign_is_the_level_of_a_loss(
    width: int, height: int, is_log: bool | None
) -> None:
    found = replace(bowl(None), path=((0.0, 0.0),), epochs=(2,), lowest=None)
    lines = plain(surface_lines(found, width, height, is_log))
    assert len(lines) <= height
    assert all(len(row) <= width for row in lines)
    rows = [row[AXIS:] for row in lines[1 : _below(lines)]]
    assert all(len(row) == width - AXIS for row in rows)
    scale = scale_of(found.losses.reshape(-1).tolist(), is_log)
    assert scale is not None
    for number, row in enumerate(rows):
        y = (len(rows) - 1 - number) * 100 // len(rows)
        for column, sign in enumerate(row):
            loss = found.losses[y, column * 100 // len(row)]
            assert sign == "X" or sign == RAMP[min(int(scale.share(loss) * 10), 9)]


def test_the_path_the_start_the_present_the_minimum_and_the_arrow_are_where_they_belong() -> None:
    rows = plot(bowl())
    width, height = len(rows[0]), len(rows)

    def sign(x: float, y: float) -> str:
        return rows[height - 1 - int((y + 5) / 10 * height)][int((x + 5) / 10 * width)]

    assert (sign(-4, -4), sign(-2, -2), sign(0, 0), sign(3, 3)) == ("S", "o", "X", "L")
    arrow = rows[height - 1 - height // 2]
    assert arrow.count(">") == round(0.2 * width)
    assert arrow.index("X") + 1 == arrow.index(">")


@pytest.mark.parametrize(
    ("step", "signs"),
    [
        ((2.0, 0.0), ">"),
        ((-2.0, 0.0), "<"),
        ((0.0, 3.0), "^"),
        ((0.0, -3.0), "v"),
        ((1.0, 3.0), "/"),
        ((-1.0, 3.0), "\\"),
        ((1.0, -3.0), "\\"),
        ((-1.0, -3.0), "/"),
    ],
)
def test_an_arrow_points_along_the_step(step: tuple[float, float], signs: str) -> None:
    assert signs in "".join(plot(bowl(step)))
    assert signs not in "".join(plot(bowl(None)))


def test_a_step_shorter_than_a_cell_has_an_arrow_all_the_same_and_the_text_says_so() -> None:
    lines = plain(surface_lines(bowl((1e-6, 0.0)), 76, 20, False))
    assert "shorter than the arrow" in " ".join(lines)
    assert "X>>" in "\n".join(lines)
    assert "The loop has no update." in " ".join(plain(surface_lines(bowl(None), 76, 20)))


@pytest.mark.parametrize(("step", "head"), [((20.0, 0.0), ">"), ((2.0, 20.0), "^"), ((-20.0, -1.0), "<")])
def test_an_arrow_that_goes_beyond_the_border_has_its_head_there_and_the_text_says_so(
    step: tuple[float, float], head: str
) -> None:
    rows = plot(bowl(step))
    edge = [rows[0], rows[-1], "".join(row[0] + row[-1] for row in rows)]
    assert head in "".join(edge)
    assert "the arrow ends at the border" in joined(bowl(step))


def joined(found: Surface, context: SurfaceContext = PLAIN) -> str:
    return " ".join(plain(surface_lines(found, 76, 20, False, context=context)))


def test_a_surface_says_what_it_is_a_slice_of_and_what_its_points_are() -> None:
    for found, context, part in (
        (bowl(), PLAIN, "A slice: all other numbers are as they are now, not as they were on the way."),
        (replace(bowl(), path=((0.0, 0.0),), epochs=(0,)), PLAIN, "other numbers are as they are now. X"),
        (bowl(), PLAIN, "X is here: loss 0. o is the path from epoch 0 (S) to 2. L is the lowest loss on"),
        (bowl(), SurfaceContext(is_stale=True), "X is here, after the update: loss 0."),
        (bowl(), SurfaceContext(began=18.5), "from epoch 0 (S; its loss was 18.5000) to 2."),
        (replace(bowl(), whole_path=False), PLAIN, "(S) to 2, through 3 of these epochs."),
        (bowl(), SurfaceContext(reason="moved most"), "w[1] up, w[0] across (moved most)"),
        (replace(bowl(), held=(9.0, -0.0)), SurfaceContext(zeroes=False), "a sum of passes, (9.0000, 0)."),
        (replace(bowl(), held=(9.0, 1.0)), PLAIN, "It goes by .grad, which then holds (9.0000, 1.0000)."),
        (bowl((-0.0, 0.0)), PLAIN, "The next update adds (0, 0)."),
        (replace(bowl(), lowest=LowestPoint((0.01, 0.0), is_minimum=True)), PLAIN, "is lower."),
        (replace(bowl(), lowest=LowestPoint((3.0, 0.0), is_minimum=False)), PLAIN, "loss in this picture."),
    ):
        assert part in joined(found, context)
    assert ".grad" not in joined(bowl())


def test_losses_that_are_no_numbers_are_told_apart() -> None:
    rows = plot(bowl(nan=True))
    assert {row[0] for row in rows} == {"?"}
    assert (
        "nothing to draw"
        in plain(surface_lines(replace(bowl(), losses=np.full((100, 100), math.nan)), 76, 20))[0]
    )


@pytest.mark.parametrize("palette", [VIRIDIS, VIRIDIS_256], ids=["true", "256"])
def test_in_colours_the_map_goes_from_dark_to_light_with_contours_and_the_path_over_it(
    palette: Sequence[str],
) -> None:
    assert len(palette) == len(VIRIDIS)
    found = replace(bowl(), path=((-4.0, -4.0), (-2.0, -4.0), (0.0, 0.0)), epochs=(0, 1, 2))
    lines = surface_lines(found, 76, 22, False, ("one", "other"), palette)
    rows = lines[1 : _below(plain(lines))]
    assert "other up, one across" in plain(lines)[0]
    pixels = [
        colours
        for row in rows
        for text, role in row
        for colours in [role.split("/")] * len(text)
        if text.startswith(HALF)
    ]
    seen = {colour for pair in pixels for colour in pair}
    assert seen & {*palette} == {*palette}
    assert any(colour not in (*palette, "#000000", "#ffffff") for colour in seen)  # contours
    assert [luminance(colour) for colour in palette] == sorted(map(luminance, palette))
    assert "S" in "".join(plain(rows))
    assert any("#ffffff" in role for row in rows for text, role in row if text.startswith(HALF))
    assert "The line is the path from epoch 0 (S) to 2." in " ".join(plain(lines))
    assert all(length(row) <= 76 for row in lines)


@pytest.mark.parametrize("colours", [*VIRIDIS, *dict.fromkeys(VIRIDIS_256)])
def test_signs_are_readable_on_every_colour_of_the_map(colours: str) -> None:
    one, two = sorted((luminance(colours), luminance(contrast(colours))))
    assert (two + 0.05) / (one + 0.05) > 4.5


async def test_colours_are_left_to_terminals_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for environ, ascii_only, palette in (
        ({"COLORTERM": "truecolor"}, False, VIRIDIS),
        ({"COLORTERM": "", "TERM": "xterm-256color"}, False, VIRIDIS_256),
        ({"COLORTERM": "truecolor"}, True, ()),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, False, ()),
        ({"COLORTERM": "", "TERM": "xterm"}, False, ()),
    ):
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            async with opened(ascii_only=ascii_only) as pilot:
                assert bench(pilot).query_one(StatusLine).palette == palette


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-1e30, 1e30),
    st.floats(-1e30, 1e30),
    st.sampled_from([(76, 20), (80, 12), (150, 40)]),
    st.booleans(),
)
def test_no_step_is_too_large_to_draw(one: float, other: float, room: tuple[int, int], is_log: bool) -> None:
    lines = plain(surface_lines(bowl((one, other)), *room, is_log))
    assert len(lines) <= room[1]
    assert all(len(row) <= room[0] for row in lines)


# Scales


def test_a_scale_is_logarithmic_where_numbers_span_much_or_where_it_is_asked_for() -> None:
    assert scale_of([1.0, 100.0]) == Scale(1, 100, True)
    assert scale_of([1.0, 10.0]) == Scale(1, 10, False)
    assert scale_of([1.0, 10.0], True) == Scale(1, 10, True)
    assert scale_of([-1.0, 10.0], True) == Scale(10, 10, True)
    assert scale_of([-1.0, -10.0], True) == Scale(-10, -1, False)
    assert scale_of([math.nan, math.inf]) is None
    assert Scale(1, 100, True).share(10) == pytest.approx(0.5)
    assert Scale(0, 1).place(2, 10) is None


# The fit


def is_dotted(char: str) -> bool:
    return ord(char) > EMPTY


@pytest.mark.parametrize(("width", "height"), ROOMS)
def test_a_perfect_fit_lies_on_the_line_of_equals(width: int, height: int) -> None:
    targets = (0.0, 1.0, 2.0, 4.0)
    drawn = plain(fit_lines(Fit(targets, targets, (0,) * 4, 4, (), ()), (), width, height))
    assert len(drawn) <= height
    assert all(len(row) <= width for row in drawn)
    axis = next(number for number, row in enumerate(drawn) if "─ target ─" in row)
    assert drawn[axis].split()[0::4] == ["0", "4"]
    rows = [row[PLOT_AXIS:].ljust(width - PLOT_AXIS) for row in drawn[1:axis]]
    signs = [(row.index("o"), y) for y, row in enumerate(rows) if "o" in row]
    assert len(signs) == 4
    for column, y in signs:  # each is met by the line, which goes from corner to corner
        near = {rows[y][at] for at in (column - 1, column + 1) if 0 <= at < len(rows[y])}
        assert any(map(is_dotted, near))
    assert rows[0][-1] == rows[-1][0] == "o"
    found = Fit(targets, (4.0, 0.0, 0.0, 0.0), (0, 1, 0, 1), 4, (), ())
    off = fit_lines(found, ("a", "b"), width, height)
    assert "o a   x b" in "\n".join(plain(off))
    assert len({role for row in off for text, role in row if text.strip() in ("o", "x")}) == 2


def test_of_many_pairs_each_is_a_dot_and_of_few_the_errors_are_drawn_too() -> None:
    many = tuple(float(number % 50) for number in range(1000))
    drawn = plain(fit_lines(Fit(many, many[::-1], (0,) * 1000, 5000, (), ()), (), 76, 20))
    assert "5,000 in all, 1,000 of them drawn." in " ".join(drawn)
    assert "errors" not in " ".join(drawn)
    assert sum(map(is_dotted, "".join(drawn))) > 100
    few = plain(fit_lines(Fit((0.0, 4.0), (4.0, 4.0), (0, 0), 2, (), ()), (), 76, 20))
    assert "Dotted lines are the errors." in " ".join(few)
    axis = next(number for number, row in enumerate(few) if "─ target ─" in row)
    rows = [row[PLOT_AXIS:] for row in few[1:axis]]
    assert rows[0][0] == "o"
    assert all(is_dotted(row[0]) for row in rows[1:])


def test_of_one_input_the_line_is_drawn_with_the_targets() -> None:
    found = Session(line()).pictures().fit()
    drawn = plain(fit_lines(found, (), 76, 20, "dose"))
    assert "dose across" in drawn[0]
    axis = next(number for number, row in enumerate(drawn) if "─ dose ─" in row)
    rows = [row[PLOT_AXIS:].ljust(65) for row in drawn[1:axis]]
    used = [at for at in range(65) if any(is_dotted(row[at]) or row[at] == "o" for row in rows)]
    assert used == [*range(used[0], used[-1] + 1)]  # it has no gap
    assert len(used) > 40
    assert any("o" in row for row in rows)
    assert "5 in all" in drawn[-1]


# Curves


def test_sizes_tell_what_a_pass_added_from_what_was_held() -> None:
    found = Sizes("w", (Size(1, 2.0, 2.0), Size(2, 1.0, 3.0), Size(9, 1.5, 4.0)), 6)
    lines = size_lines(found, 9, 76, 20)
    drawn = plain(lines)
    axis = next(number for number, row in enumerate(drawn) if "─ epoch ─" in row)
    rows = [row[PLOT_AXIS:].ljust(65) for row in drawn[1:axis]]
    assert [sum(row.count(sign) for row in rows) for sign in "@xo"] == [1, 2, 2]
    assert "6 passes that ran at full speed" in " ".join(drawn)
    # Lines join the passes of neighbouring epochs, and none crosses the gap from 2 to 9.
    dotted = [{column for row in rows for column in [at] if is_dotted(row[at])} for at in range(65)]
    assert all(dotted[1:8])
    assert not any(dotted[10:63])
    roles = {role for row in lines[1:axis] for text, role in row if any(map(is_dotted, text))}
    assert len(roles) == 2
    assert "No backward pass for w is recorded yet" in plain(size_lines(Sizes("w", (), 0), 0, 76, 20))[0]


def test_sizes_of_a_large_range_are_on_a_logarithmic_scale_and_signs_stay_apart() -> None:
    passes = tuple(Size(epoch, 10.0 ** (epoch / 100), 10.0 ** (epoch / 50)) for epoch in range(1, 301))
    drawn = plain(size_lines(Sizes("w", passes, 0), 300, 116, 38))
    assert [row.split()[0] for row in drawn if row[:10].strip()][1:3] == ["1e+06", "log"]
    assert "logarithmic (y: other scale)" in " ".join(drawn)
    for row in drawn[1:30]:
        assert "xx" not in row
        assert "oo" not in row


def compared(ours: Sequence[float], theirs: Sequence[float], differs: int) -> Comparison:
    gap = Gap("w", (0,), 1.0, 2.0)
    return Comparison(
        epochs=len(ours),
        losses=(losses(*ours), losses(*theirs)),
        last=(ours[-1], theirs[-1]),
        gaps=(gap,),
        first=FirstDifference(differs, (ours[differs - 1], theirs[differs - 1]), gap),
    )


@pytest.mark.parametrize(("width", "height"), ROOMS)
def test_both_runs_are_lines_told_apart_with_and_without_colours(width: int, height: int) -> None:
    ours = [10.0, 9.0, *(8.0 + epoch for epoch in range(58))]
    theirs = [10.0, 9.0, *(8.0 / epoch for epoch in range(1, 59))]
    lines = comparison_lines(compared(ours, theirs, 3), Names("ours", "theirs", "theirs"), width, height)
    drawn = plain(lines)
    assert len(drawn) <= height
    assert all(len(row) <= width for row in drawn)
    head = next(row for row in lines if "ours" in plain([row])[0])
    colours = [role for text, role in head if text[:2] in ("x ", "o ")]
    assert len({*colours}) == 2
    axis = next(number for number, row in enumerate(drawn) if "─ epoch ─" in row)
    plot = [row for row in lines[:axis] if any(map(is_dotted, plain([row])[0]))]
    assert {role for row in plot for text, role in row if any(map(is_dotted, text))} == {*colours}
    rows = [row[PLOT_AXIS:].ljust(width - PLOT_AXIS) for row in plain(plot)]
    # Ours has a dot in every column, theirs in some: so they differ without colours, too.
    for column in range(width - PLOT_AXIS - 1):
        assert any(row[column] != " " for row in rows)
    below = [sum(is_dotted(char) for char in row) for row in rows]
    assert 0 < below[-1] < width - PLOT_AXIS
    assert all(sign in "".join(rows) for sign in "@xo")
    assert "▲ first difference" in drawn[axis + 1]
    assert abs(drawn[axis].index("▲") - PLOT_AXIS - 2 / 59 * (width - PLOT_AXIS)) <= 2


def losses(*values: float) -> Losses:
    found = Losses()
    for epoch, value in enumerate(values):
        found = found.with_loss(epoch, value)
    return found


@pytest.mark.parametrize(("width", "height"), ROOMS)
@pytest.mark.parametrize("count", [1, 2, 30, 1000])
def test_losses_are_drawn_from_the_first_to_the_last_with_marks_below(
    width: int, height: int, count: int
) -> None:
    found = losses(*(1000.0 / (1 + epoch) for epoch in range(count)))
    marks = [
        Mark(0, What.RATE, 1e-4),
        Mark(count // 2, What.ZEROING_OFF, 1e-4),
        Mark(count, What.BRANCH, 1e-4),
    ]
    drawn = plain(loss_lines(found, marks, width, height))
    assert len(drawn) <= height
    assert all(len(row) <= width for row in drawn)
    signs = next(row for row in drawn if row.strip() and not set(row) - set(" rZB+"))
    assert "learning rate 0.0001 after epoch 0" in " ".join(drawn)
    if count == 1:
        assert "Epoch 1 had loss 1000.0000." in drawn[0]
        return
    axis = next(number for number, row in enumerate(drawn) if "epoch 1 ─" in row)
    dots = [row[PLOT_AXIS:].rstrip() for row in drawn[1:axis]]
    assert dots[0][0] > "\u2800"  # it begins at the left edge,
    assert max(map(len, dots)) == width - PLOT_AXIS  # and takes the whole width
    if count > 100:
        assert "".join(signs.split()) == "rZB"
        assert signs.rstrip()[-1] == signs.ljust(width)[-1]  # the last mark is below the last epoch


def test_without_a_loss_the_curve_says_what_to_press() -> None:
    assert "press e to run an epoch" in plain(loss_lines(losses(), (), 76, 20))[0]
    assert "No loss is a finite number" in plain(loss_lines(losses(math.nan), (), 76, 20))[0]


# The screen


async def pictures(pilot: Opened) -> PicturesScreen:
    await press(pilot, "i")
    await until(pilot, lambda: "X is here" in text(pilot))
    screen = pilot.app.screen
    assert isinstance(screen, PicturesScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_tab_goes_through_the_pictures_and_nothing_changes(size: tuple[int, int]) -> None:
    async with opened(size) as pilot:
        await press(pilot, "e", "Z", "e", "e")
        await pictures(pilot)
        for part in (
            "X is here, after the update: loss",
            "predictions up",
            "size of each gradient",
            "zeroing off after epoch 1",
        ):
            assert part in " ".join(text(pilot).replace("│", "").split())
            await press(pilot, "tab")
        assert "graph (5 of 5)" in text(pilot)
        await press(pilot, "tab")
        assert "loss surface (1 of 5)" in text(pilot)
        await press(pilot, "shift+tab", "shift+tab")
        assert "losses (4 of 5)" in text(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(1), ToggleZeroing(), RunEpochs(2)]))


async def test_arrows_choose_the_two_numbers_and_the_parameter() -> None:
    async with opened() as pilot:
        await press(pilot, "e")
        await pictures(pilot)
        assert "w[oranges, rainfall] up, w[oranges, temp] across (moved most)" in text(pilot)
        for key, head in (
            ("right", "w[oranges, rainfall] up, w[oranges, humidity] across"),
            ("down", "b[apples] up, w[oranges, humidity] across"),
            ("left", "b[apples] up, w[oranges, rainfall] across"),
            ("up", "w[oranges, humidity] up, w[oranges, rainfall] across"),
            ("up", "w[oranges, temp] up, w[oranges, rainfall] across"),
            ("up", "w[apples, humidity] up, w[oranges, rainfall] across"),
        ):
            await press(pilot, key)
            await until(pilot, lambda head=head: head in text(pilot))  # type: ignore[misc]
        await press(pilot, "tab", "tab", "down", "down")
        assert "size of b.grad" in text(pilot)


async def test_arrows_pressed_in_a_row_come_to_the_last_choice() -> None:
    async with opened() as pilot:
        await pictures(pilot)
        await press(pilot, *["right"] * 4)
        await until(pilot, lambda: "w[oranges, rainfall] up, w[apples, temp] across" in text(pilot))
        await idle(pilot)


async def test_l_changes_the_scale() -> None:
    async with opened() as pilot:
        await press(pilot, "e", "e")
        await pictures(pilot)
        for _ in range(2):
            was = "logarithmic" in text(pilot)
            await press(pilot, "y")
            assert ("logarithmic" in text(pilot)) is not was


async def test_x_writes_the_picture_as_svg_and_never_over_a_file(tmp_path: Path) -> None:
    name = tmp_path / "picture"
    async with opened() as pilot:
        await pictures(pilot)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, AskScreen)
        pilot.app.screen.field.value = str(name)
        await press(pilot, "enter")
        assert "wrote picture.svg" in text(pilot)
        written = (tmp_path / "picture.svg").read_text(encoding="utf-8")
        assert "<svg" in written
        assert "loss&#160;surface" in written
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, AskScreen)
        pilot.app.screen.field.value = str(name)
        await press(pilot, "enter")
        assert "exists already" in text(pilot)
        assert (tmp_path / "picture.svg").read_text(encoding="utf-8") == written


async def test_without_colour_and_without_unicode_all_is_there() -> None:
    async with opened(ascii_only=True) as pilot:
        await press(pilot, "e", "e", "e")
        await pictures(pilot)
        shown = text(pilot)
        assert shown.isascii()
        drawn = shown.split("across", 1)[1].split("loss ")[0]
        for sign in ("X", "S", "L", "o"):
            assert sign in drawn


async def test_a_problem_of_one_number_says_what_a_surface_needs() -> None:
    def make() -> Session:
        w = torch.ones(1)
        return Session(problem({"w": w}, lambda x: x * w, torch.ones(3), torch.zeros(3)))

    async with opened(make=make) as pilot:
        await press(pilot, "i")
        await until(pilot, lambda: "a surface needs two numbers" in text(pilot))
        await press(pilot, "right", "tab")
        assert "the input across" in text(pilot)


async def test_closing_while_it_computes_stops_it() -> None:
    async with opened() as pilot:
        await press(pilot, "r", *"3000", "enter")
        await idle(pilot)
        await press(pilot, "i", "escape")
        await idle(pilot)
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == state(headless([RunEpochs(3000)]))


def test_in_plain_lines_the_pictures_are_told() -> None:
    session = Session(crops())
    for action in (RunEpochs(2), Undo(), ToggleZeroing(), SetLearningRate(1e-6), RunEpochs(1)):
        session.apply(action)
    told: list[str] = []
    talk = Conversation(session, told.append)
    talk.answer("pictures w[0, 2] b[1]")
    whole = "\n".join(told)
    for part in (
        "surface: the loss over w[apples, humidity] and b[oranges]",
        "A slice: all other numbers are as they are now, not as they were on the way.",
        ", after the update",
        "path: after epoch 0 at (-1.0599, 0.4415)",
        "fit: 10 predictions",
        "size of b.grad: epoch 1 added",
        "branch after epoch 0",
        "learning rate 1e-06 after epoch 0",
    ):
        assert part in whole
    told.clear()
    talk.answer("pictures w[apples, humidity] b[oranges]")
    assert "\n".join(told) == whole
    told.clear()
    talk.answer("pictures")
    assert "surface: the loss over w[oranges, temp] and w[oranges, rainfall] (moved most)" in told[0]
    told.clear()
    for wrong in ("pictures w", "pictures w[9, 9] b[0]", "pictures w[0,0] w[0,0]"):
        talk.answer(wrong)
    assert "takes two numbers" in told[0]
    assert "is no number of a parameter" in told[1]
