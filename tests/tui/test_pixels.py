"""Pictures of pixels: what is drawn, how it is sent, when, and when it is not."""

from __future__ import annotations

import inspect
import re
import signal
import subprocess
import sys
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from struct import unpack
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep import problems
from gradstep.session import Session
from gradstep_tui.drawing.canvas import AXIS
from gradstep_tui.drawing.heat import VIRIDIS
from gradstep_tui.drawing.pixels import kitty, sixel
from gradstep_tui.drawing.pixels.pixel_canvas import (
    ACCENT,
    GREY,
    LETTERS,
    LIGHT,
    SHADES,
    IndexArray,
    PixelCanvas,
)
from gradstep_tui.drawing.scales import Scale
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.terminal.pixels import PixelProtocol, pixel_protocol
from gradstep_tui.widgets.pictures import pixel_picture
from gradstep_tui.widgets.pictures.decision_regions import LETTERS as OF_CLASSES
from gradstep_tui.widgets.pictures.pixel_drawing import draw_regions, draw_surface
from gradstep_tui.workshop.bench.app import WorkshopApp
from gradstep_tui.workshop.bench.sandboxed_app import SandboxedApp
from tests.terminal import Terminal
from tests.tui.bench import Opened, drawn, opened, press, text, until
from tests.tui.test_decision_regions_drawing import halves
from tests.tui.test_pictures_screen import bowl
from tests.tui.test_terminal import READY, calling, given_back

PICTURE: Final = re.compile(rb"\x1b7\x1b\[(\d+);(\d+)H((?:\x1b_G[^\x1b]*\x1b\\)+)\x1b8")
PART: Final = re.compile(rb"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\")
REMOVED: Final = re.compile(rb"\x1b_Ga=d,d=I,q=2,i=(\d+)\x1b\\")
SIXELS: Final = re.compile(rb"\x1b7\x1b\[(\d+);(\d+)H(\x1bP[^\x1b]*\x1b\\)\x1b8")

KITTY: Final = {"TERM": "xterm-kitty", "COLORTERM": "truecolor"}


def keys_of(parts: bytes) -> dict[str, str]:
    """What the first of some control sequences says of its picture."""
    [(keys, _), *_] = PART.findall(parts)
    return dict(pair.split("=") for pair in keys.decode().split(","))


def png_of(parts: bytes) -> bytes:
    return b64decode(b"".join(payload for _, payload in PART.findall(parts)))


def read_png(data: bytes) -> tuple[IndexArray, list[str]]:
    """Give the indices and the colours of a PNG, and check all of its checksums."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    parts, at = {}, 8
    while at < len(data):
        (length,) = unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        parts[kind] = body
        at += 12 + length
    across, down, *rest = unpack(">IIBBBBB", parts[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(down, across + 1)
    assert not rows[:, 0].any()
    palette = parts[b"PLTE"]
    return rows[:, 1:], [f"#{palette[at : at + 3].hex()}" for at in range(0, len(palette), 3)]


def read_sixels(data: str) -> tuple[dict[tuple[int, int], int], dict[int, str], tuple[int, int]]:
    """Give the colour of each pixel, the colours, and the size."""
    found = re.fullmatch(r'\x1bP0;1q"1;1;(\d+);(\d+)((?:#\d+;2;\d+;\d+;\d+)*)(.*)\x1b\\', data, re.DOTALL)
    assert found is not None
    across, down, colours, bands = found.groups()
    pixels = {}
    for band, rows in enumerate(bands.split("-")):
        for one in rows.split("$"):
            number, x = re.match(r"#(\d+)", one), 0
            assert number is not None
            for count, char in re.findall(r"(?:!(\d+))?([?-~])", one[number.end() :]):
                for column in range(x, x + int(count or 1)):
                    for bit in range(6):
                        if ord(char) - 63 >> bit & 1:
                            assert (column, 6 * band + bit) not in pixels
                            pixels[column, 6 * band + bit] = int(number.group(1))
                x += int(count or 1)
    table = {int(number): parts for number, parts in re.findall(r"#(\d+);2;([\d;]+)", colours)}
    return pixels, table, (int(across), int(down))


def canvas(
    width: int = 40, height: int = 20, cell: tuple[int, int] = (5, 10), most: int | None = None
) -> PixelCanvas:
    return PixelCanvas(width, height, VIRIDIS, cell, most)


# What is drawn


def test_a_surface_goes_from_dark_to_light_with_contours_the_path_the_arrow_and_letters_on_top() -> None:
    drawn_on = canvas()
    draw_surface(drawn_on, bowl(), Scale(0, 50))
    pixels = drawn_on.pixels
    assert pixels.shape == (200, 200)
    assert drawn_on.colours[0] == VIRIDIS[0]
    assert drawn_on.colours[SHADES - 1] == VIRIDIS[-1]

    def at(x: float, y: float) -> int:
        return int(pixels[int((5 - y) / 10 * 200), int((x + 5) / 10 * 200)])

    shades = [at(x, 0.8) % SHADES for x in (-1.5, -2.5, -3.5, -4.5)]
    assert shades == sorted(shades)
    assert all(abs(at(x, y) % SHADES - (x * x + y * y) / 50 * SHADES) <= 4 for x, y in ((-4, 4), (2, -3)))
    contours = (pixels >= SHADES) & (pixels < 2 * SHADES)
    assert 0.02 < contours.mean() < 0.4
    for x, y, colour in ((-3, -3, LIGHT), (-1.5, -1.5, LIGHT), (1.2, 0, ACCENT)):  # the path, and the arrow
        assert colour in {at(x + 0.05 * right, y) for right in (-1, 0, 1)} | {
            at(x, y - 0.05),
            at(x, y + 0.05),
        }
    for x, y, letter in ((0, 0, "X"), (-4, -4, "S"), (3, 3, "L")):
        column, row = round((x + 5) * 20), round((5 - y) * 20)
        dots = pixels[row - 4 : row + 4, column - 3 : column + 3] == LIGHT
        assert dots.sum() >= sum(part.bit_count() for part in LETTERS[letter]), letter


def test_losses_that_are_no_numbers_are_grey_and_nothing_is_too_large_to_draw() -> None:
    drawn_on = canvas()
    draw_surface(drawn_on, bowl(nan=True), Scale(1, 50, True))
    assert (drawn_on.pixels[:, :35] == GREY).mean() > 0.9
    for size in (1e-30, 1e30):
        draw_surface(canvas(8, 4), bowl((size, -size)), Scale(0, 50))
    far = replace(bowl(), path=((1e9, -1e9), (float("nan"), 0.0), (0.0, 0.0)))
    draw_surface(canvas(8, 4), far, Scale(0, 50))


def test_regions_have_straight_borders_and_each_point_its_letter() -> None:
    drawn_on = canvas()
    draw_regions(drawn_on, halves(), None)
    assert len(np.unique(drawn_on.pixels[:60, :60] % SHADES)) == 1
    assert drawn_on.pixels[0, 0] != drawn_on.pixels[0, -1]
    assert drawn_on.point(Scale(0, 1), Scale(0, 1), 0.5, 0.5, "a", "warn")
    assert ACCENT in drawn_on.pixels
    assert not drawn_on.point(Scale(0, 1), Scale(0, 1), 1.5, 0.5, "a")
    for signs in (OF_CLASSES, OF_CLASSES.lower(), "0123456789", "SXL"):
        assert {*signs} <= LETTERS.keys()


# How it is sent


@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 40), st.randoms(use_true_random=False))
def test_a_terminal_gets_every_pixel_by_either_protocol(
    across: int, down: int, few: int, random: object
) -> None:
    drawn_on = PixelCanvas(1, 1, VIRIDIS, (across, down))
    choice = [random.randrange(ACCENT + 1 - few, ACCENT + 1) for _ in range(across * down)]  # type: ignore[attr-defined]
    drawn_on.pixels = np.array(choice, np.uint8).reshape(down, across)
    pixels, colours = read_png(kitty.png(drawn_on.pixels, drawn_on.colours))
    assert (pixels == drawn_on.pixels).all()
    assert tuple(colours) == drawn_on.colours
    found, table, size = read_sixels(sixel.shown(drawn_on))
    assert size == (across, down)
    sent = sixel.fewer_colours(drawn_on.pixels)
    assert found == {(x, y): int(sent[y, x]) for x in range(across) for y in range(down)}
    assert {*table} == {*found.values()}


def test_kittys_sequences_are_short_and_name_the_picture_once() -> None:
    drawn_on = canvas()
    draw_surface(drawn_on, bowl(), Scale(0, 50))
    sequences = kitty.shown(drawn_on, 7).encode()
    parts = PART.findall(sequences)
    assert len(parts) > 1
    assert all(len(payload) <= 4096 for _, payload in parts)
    assert [keys[-3:] for keys, _ in parts] == [*[b"m=1"] * (len(parts) - 1), b"m=0"]
    assert all(keys in (b"m=1", b"m=0") for keys, _ in parts[1:])
    assert keys_of(sequences) == {
        **{"a": "T", "q": "2", "f": "100", "C": "1", "i": "7", "c": "40", "r": "20", "m": "1"}
    }
    assert (read_png(png_of(sequences))[0] == drawn_on.pixels).all()
    assert canvas(300, 100, (20, 40), 1_200).pixels.shape[1] <= 1_200  # the terminal enlarges it


def test_sixels_have_fewer_shades_each_close_to_the_one_it_stands_for() -> None:
    every = np.arange(ACCENT + 1, dtype=np.uint8)[None]
    sent = sixel.fewer_colours(every)
    assert len(np.unique(sent)) < 100
    assert (abs(sent.astype(int) - every) <= 1).all()
    assert (sent // SHADES == every // SHADES).all()  # no contour line becomes another thing
    assert (sent[0, 2 * SHADES :] == every[0, 2 * SHADES :]).all()


# When it is sent


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({}, None),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, None),
        ({"TERM": "xterm-kitty"}, PixelProtocol.KITTY),
        ({"TERM": "xterm-ghostty"}, PixelProtocol.KITTY),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, PixelProtocol.KITTY),
        ({"TERM": "foot"}, PixelProtocol.SIXEL),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, PixelProtocol.SIXEL),
        ({"TERM": "xterm-kitty", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, None),
        ({"TERM": "xterm-kitty", "SSH_TTY": "/dev/pts/3"}, None),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/t", "TERM_PROGRAM": "ghostty"}, None),
        ({"TERM": "xterm-kitty", "SSH_TTY": "/dev/pts/3", "GRADSTEP_PIXELS": "kitty"}, PixelProtocol.KITTY),
        ({"TERM": "xterm", "GRADSTEP_PIXELS": " Sixel "}, PixelProtocol.SIXEL),
        ({"TERM": "xterm-kitty", "GRADSTEP_PIXELS": "off"}, None),
        ({"TERM": "xterm-kitty", "GRADSTEP_PIXELS": "perhaps"}, PixelProtocol.KITTY),
    ],
)
def test_the_environment_says_whether_a_terminal_shows_pixels(
    environ: Mapping[str, str], protocol: PixelProtocol | None
) -> None:
    assert pixel_protocol(environ) is protocol


async def sent_by(pilot: Opened, monkeypatch: pytest.MonkeyPatch, protocol: PixelProtocol) -> bytearray:
    """Have a bench believe that its terminal shows pixels, and give what it will send."""
    sent = bytearray()
    monkeypatch.setattr(pixel_picture, "write_directly", lambda text: sent.extend(text.encode()))
    monkeypatch.setattr(pixel_picture, "cell_size", lambda: (6, 12))
    pilot.app.pixels = protocol  # type: ignore[attr-defined]
    await press(pilot, "i")
    await until(pilot, lambda: "here: loss" in text(pilot))
    await drawn(pilot)
    return sent


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")


async def test_a_new_picture_takes_the_place_of_the_one_before_and_none_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as pilot:
        sent = await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)
        await until(pilot, lambda: PICTURE.search(sent) is not None)
        [(row, column, parts)] = PICTURE.findall(sent)
        keys = keys_of(parts)
        assert (int(row), int(column)) == (3, 3 + AXIS)
        rows = text(pilot).splitlines()
        top, bottom = int(row) - 1, int(row) - 2 + int(keys["r"])
        assert re.match(r"│ +[-\d.]+ ", rows[top])
        assert re.match(r"│ +[-\d.]+ ", rows[bottom])
        assert rows[bottom + 1].count("w[oranges, temp]") == 1
        assert int(keys["c"]) == 80 - 4 - AXIS
        await press(pilot, "right")
        await until(pilot, lambda: len(PICTURE.findall(sent)) >= 2)
        await drawn(pilot)
        await press(pilot, "tab")
        await drawn(pilot)
        await until(pilot, lambda: shown_numbers(sent) == set())
        await press(pilot, "shift+tab")
        await until(pilot, lambda: len(shown_numbers(sent)) == 1)
        await press(pilot, "escape")
        await until(pilot, lambda: shown_numbers(sent) == set())


async def test_a_picture_follows_its_dialog_and_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened((170, 40)) as pilot:
        sent = await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)
        for width, column, cells in ((170, 8, 144), (180, 13, 144), (100, 3, 84)):
            await pilot.resize_terminal(width, 40)
            await until(pilot, lambda: len(shown_numbers(sent)) == 1)
            await drawn(pilot)
            _, placed, parts = PICTURE.findall(sent)[-1]
            assert (int(placed), keys_of(parts)["c"]) == (column + AXIS, str(cells))
            assert len(shown_numbers(sent)) == 1


def shown_numbers(sent: bytes) -> set[str]:
    """Give the numbers of the pictures that a terminal shows after all that was sent."""
    numbers = set[str]()
    for found in re.finditer(rb"\x1b_G([^;\x1b]*i=(\d+)[^;\x1b]*)", sent):
        if found.group(1).startswith(b"a=d"):
            numbers.discard(found.group(2).decode())
        else:
            numbers.add(found.group(2).decode())
    return numbers


async def test_under_a_question_no_picture_is_shown_and_its_file_is_made_of_cells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with opened() as pilot:
        sent = await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)
        await until(pilot, lambda: len(shown_numbers(sent)) == 1)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, AskScreen)
        await drawn(pilot)
        assert shown_numbers(sent) == set()
        pilot.app.screen.field.value = str(tmp_path / "picture")
        await press(pilot, "enter")
        await until(pilot, lambda: len(shown_numbers(sent)) == 1)
        assert "▀▀▀" in (tmp_path / "picture.svg").read_text(encoding="utf-8")


async def test_sixels_are_drawn_again_after_the_text_in_their_place_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as pilot:
        sent = await sent_by(pilot, monkeypatch, PixelProtocol.SIXEL)
        await until(pilot, lambda: SIXELS.search(sent) is not None)
        found = SIXELS.findall(sent)
        assert {(int(row), int(column)) for row, column, _ in found} == {(3, 3 + AXIS)}
        *_, (across, down) = read_sixels(found[-1][2].decode())
        assert across == (80 - 4 - AXIS) * 6
        assert down % 12 == 0
        before = len(found)
        pilot.app.refresh(layout=True)
        await until(pilot, lambda: len(SIXELS.findall(sent)) > before)
        await press(pilot, "tab")
        await drawn(pilot)
        before = len(SIXELS.findall(sent))
        pilot.app.refresh(layout=True)
        await drawn(pilot)
        assert len(SIXELS.findall(sent)) == before


async def test_maps_of_predictions_are_pixels_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(make=lambda: Session(problems.load("classify"))) as pilot:
        sent = await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)
        await press(pilot, "tab")
        await until(pilot, lambda: "Letters are" in text(pilot))
        await until(pilot, lambda: len(PICTURE.findall(sent)) >= 2 and len(shown_numbers(sent)) == 1)
        pixels, _ = read_png(png_of(PICTURE.findall(sent)[-1][2]))
        assert LIGHT in pixels


@pytest.mark.parametrize(
    "environ", [{"NO_COLOR": "1"}, {"COLORTERM": "", "TERM": "xterm"}], ids=["none", "16"]
)
async def test_without_colours_there_are_no_pixels(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with opened() as pilot:
        assert not await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)


async def test_with_ascii_there_are_no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(ascii_only=True) as pilot:
        assert not await sent_by(pilot, monkeypatch, PixelProtocol.KITTY)


# In a real terminal


def test_kitty_shows_the_picture_again_after_a_suspension_and_nothing_is_left() -> None:
    with Terminal(cell=(9, 18), env=KITTY) as terminal:
        terminal.wait_for(READY)
        terminal.send("i")
        terminal.wait_for("here: loss")
        read_until(terminal, 1)
        [(_, _, parts)] = PICTURE.findall(terminal.output)
        keys = keys_of(parts)
        pixels, _ = read_png(png_of(parts))
        assert pixels.shape == (18 * int(keys["r"]), 9 * int(keys["c"]))
        terminal.signal(signal.SIGTSTP)
        terminal.wait_for(lambda _: 1049 not in terminal.modes)
        terminal.signal(signal.SIGCONT)
        read_until(terminal, 2)
        terminal.send("escape")
        terminal.wait_for(READY)
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert shown_numbers(terminal.output) == set()
        assert given_back(terminal)


def read_until(terminal: Terminal, count: int) -> None:
    """Wait until the terminal has got `count` pictures."""
    terminal.wait_for(lambda _: len(PICTURE.findall(terminal.output)) >= count)


def test_over_ssh_nothing_of_it_is_sent_or_imported(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    note = f"import atexit\natexit.register(lambda: open({str(loaded)!r}, 'w').write(' '.join(sys.modules)))"
    with Terminal(calling(note), env={**KITTY, "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}) as terminal:
        terminal.wait_for(READY)
        terminal.send("i")
        terminal.wait_for("here: loss")
        terminal.send("escape")
        terminal.wait_for(READY)
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert b"\x1b_" not in terminal.output
        assert b"\x1bP" not in terminal.output
    assert "gradstep_tui.drawing.pixels" not in loaded.read_text()


def test_starting_imports_nothing_of_it() -> None:
    code = "import sys, gradstep_tui.app; print([name for name in sys.modules if 'drawing.pixels' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_in_a_workshop_there_are_no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("GRADSTEP_PIXELS", "kitty")
    assert SandboxedApp(lambda: Session(problems.load("line")), ascii_only=False).pixels is None
    assert issubclass(WorkshopApp, SandboxedApp)
    assert "pixels" not in inspect.signature(WorkshopApp).parameters
