"""The real command in a real terminal, from its start to the terminal given back."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import GRADSTEP, Terminal

READY = "next: forward"

COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")
"""A colour is set, be it for letters or for their background."""

MANY_COLOURS = re.compile(rb"\x1b\[[0-9;]*[34]8;[25];")
"""One of 256 colours, or of 16 million."""


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A terminal in which the command is ready; tests leave it so."""
    with Terminal(preloaded=True) as opened:
        opened.wait_for(READY)
        yield opened


def given_back(terminal: Terminal) -> bool:
    """Whether the terminal is as it was: main screen, visible cursor, no mouse, no raw mode."""
    return (
        terminal.modes == {7, 25}
        and terminal.kitty_depth == 0
        and terminal.attributes == terminal.attributes_before
    )


def left_behind(terminal: Terminal) -> str:
    """What was written to the main screen after the program had left its own."""
    written = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2]
    return re.sub(rb"\x1b\[[0-9;?<>]*[a-zA-Z]", b"", written).decode()


def calling(lines: str) -> tuple[str, ...]:
    """A command that runs the program after some lines of Python."""
    return (
        sys.executable,
        "-c",
        f"import sys\nimport gradstep_tui.cli\n{lines}\nsys.exit(gradstep_tui.cli.main([]))",
    )


# Drawing


def test_the_first_steps_are_drawn_in_a_terminal_of_80x24(terminal: Terminal) -> None:
    assert "no loss yet" in terminal.text
    terminal.send("f")
    terminal.wait_for("18746.5391*")
    terminal.send("s")
    assert "Div: torch.sum(diff * diff) / diff.numel()" in terminal.wait_for("in backward 1/11")
    terminal.send("S")
    terminal.send("left")
    terminal.send("left")
    terminal.send("left")
    terminal.wait_for("no loss yet")


def test_the_current_event_is_marked_by_a_sign_and_in_reverse(terminal: Terminal) -> None:
    terminal.send("fss")
    terminal.wait_for("in backward 2/11")
    terminal.settle()
    [row] = [number for number, line in enumerate(terminal.lines) if "> 2 Sum" in line]
    assert terminal.screen.buffer[row][terminal.lines[row].index("Sum")].reverse
    for _ in "fss":
        terminal.send("left")
    terminal.wait_for("no loss yet")


def test_a_step_repaints_what_changed_and_not_the_screen(terminal: Terminal) -> None:
    for number, key in enumerate("fsssssssssssuz"):
        terminal.settle()
        mark = terminal.written
        terminal.send(key)
        terminal.wait_written(mark)
        terminal.settle()
        assert terminal.written - mark <= 3_500, key
        assert b"\x1b[2J" not in terminal.output[mark:]
        if 0 < number < 12:
            assert f"in backward {number}/11" in terminal.text or number == 11
    for _ in "fsssssssssssuz":
        terminal.send("left")
    terminal.wait_for("no loss yet")


def test_what_steps_leave_on_the_screen_is_what_a_full_repaint_draws(terminal: Terminal) -> None:
    for keys in (["f"], ["s"] * 3, ["b", "u", "z"], ["left"] * 6):
        for key in keys:
            terminal.send(key)
            terminal.settle(0.05)
        terminal.settle()
        drawn = cells(terminal)
        terminal.resize(81, 24)
        terminal.settle()
        terminal.resize(80, 24)
        terminal.settle()
        assert cells(terminal) == drawn, keys
    terminal.send("left")
    terminal.wait_for("no loss yet")


def cells(terminal: Terminal) -> list[tuple[object, ...]]:
    """Return what is seen of each cell of the screen: of a blank that is not reversed, only that."""
    rows = (terminal.screen.buffer[y] for y in range(24))
    found = (row[x] for row in rows for x in range(80))
    return [
        (" ",) if cell.data == " " and not cell.reverse else (cell.data, cell.fg, cell.bold, cell.reverse)
        for cell in found
    ]


def test_a_resize_at_any_moment_is_drawn_for_the_new_size(terminal: Terminal) -> None:
    terminal.resize(120, 40)
    terminal.wait_for(lambda text: max(map(len, text.splitlines())) > 110 and "t timeline" in text)
    terminal.send("f")
    terminal.resize(60, 20)
    terminal.wait_for("gradstep needs 80x24")
    terminal.resize(160, 50)
    terminal.wait_for("18746.5391")
    for columns in range(150, 79, -10):
        terminal.resize(columns, 24)
    terminal.wait_for(lambda text: READY.replace("forward", "backward") in text and "q quit" in text)
    terminal.send("left")
    terminal.wait_for("no loss yet")


def test_however_quick_resizes_follow_each_other_the_last_one_counts(terminal: Terminal) -> None:
    for _ in range(15):
        terminal.resize(120, 40)
        terminal.settle(0.1)
        for columns in range(160, 79, -10):
            terminal.resize(columns, 50 if columns > 150 else 24)
        terminal.wait_for("q quit", 10)


def test_what_arrives_at_once_is_done_in_order(terminal: Terminal) -> None:
    terminal.send("fsss")
    terminal.wait_for("in backward 3/11")
    terminal.send("b")
    terminal.wait_for("next: update")
    terminal.send("r7\r")
    terminal.wait_for("epochs done 7")
    terminal.send("\x1b[D" * 6)
    terminal.wait_for("no loss yet")


# Leaving


def test_keys_typed_before_the_first_frame_are_done_and_q_gives_the_terminal_back() -> None:
    with Terminal() as terminal:
        terminal.send("fss")
        terminal.wait_for("in backward 2/11")
        assert {1049, 1000} <= terminal.modes
        assert 25 not in terminal.modes
        assert terminal.attributes != terminal.attributes_before
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert given_back(terminal)


def test_ctrl_c_gives_the_terminal_back() -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("r1000000\r")
        terminal.wait_for("Esc stops")
        terminal.send("ctrl+c")
        assert terminal.wait_exit() == 0
        assert given_back(terminal)


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_gives_the_terminal_back_and_is_in_the_exit_code(name: str) -> None:
    number = signal.Signals[name]
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.signal(number)
        assert terminal.wait_exit() == 128 + number
        assert given_back(terminal)


def test_a_signal_while_pytorch_is_starting_gives_the_terminal_back() -> None:
    with Terminal() as terminal:
        terminal.wait_for("PyTorch is starting")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 128 + signal.SIGTERM
        assert given_back(terminal)


def test_closing_the_window_ends_the_program() -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.hang_up()
        assert terminal.wait_exit() != 0


def test_an_internal_error_gives_the_terminal_back_and_is_told() -> None:
    raising = "def broken(*_): raise ZeroDivisionError('a bug in the trainer')"
    lines = f"{raising}\ngradstep_tui.session.autosave.open_session = broken"
    with Terminal(calling(lines), preloaded=True) as terminal:
        assert terminal.wait_exit() == 1
        assert given_back(terminal)
        assert "a bug in the trainer" in left_behind(terminal)


def test_an_internal_error_while_drawing_gives_the_terminal_back_and_is_told() -> None:
    lines = (
        "import gradstep_tui.widgets.trace as trace\n"
        "def broken(*_): raise ZeroDivisionError('a bug in the drawing')\n"
        "trace.trace_lines = broken"
    )
    with Terminal(calling(lines), preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("fs")
        assert terminal.wait_exit() == 1
        assert given_back(terminal)
        assert "a bug in the drawing" in left_behind(terminal)


def test_a_problem_that_cannot_be_loaded_is_told_in_one_line_with_code_2() -> None:
    lines = (
        "from gradstep.errors import EngineError\n"
        "def refusing(*_): raise EngineError('line 3: there is no weight to train')\n"
        "gradstep_tui.session.autosave.open_session = refusing"
    )
    with Terminal(calling(lines), preloaded=True) as terminal:
        assert terminal.wait_exit() == 2
        assert given_back(terminal)
        assert left_behind(terminal).strip() == "gradstep: line 3: there is no weight to train"


# Terminals of all kinds


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LC_ALL": None, "LANG": "POSIX"}])
def test_a_terminal_without_utf8_gets_ascii_only(env: dict[str, str | None]) -> None:
    with Terminal(env=env) as terminal:
        terminal.wait_for(READY)
        terminal.send("fss")
        terminal.wait_for("in backward 2/11")
        terminal.send("?")
        terminal.wait_for("Esc: close")
        terminal.send("escape")
        terminal.wait_for(lambda text: "Esc: close" not in text)  # Escape and q in one read are alt+q
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert terminal.output.isascii()


def test_a_terminal_of_16_colours_gets_no_other_ones() -> None:
    with Terminal(env={"TERM": "xterm"}, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("fss")
        terminal.wait_for("in backward 2/11")
        terminal.send("?")
        terminal.wait_for("Esc: close")
        assert COLOUR.search(terminal.output)
        assert not MANY_COLOURS.search(terminal.output)


def test_no_color_is_kept_and_everything_is_still_marked() -> None:
    with Terminal(columns=120, rows=40, env={"NO_COLOR": "1"}, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("fssZ")
        terminal.wait_for(lambda text: "zeroing OFF" in text and "# w.grad.zero_()" in text)
        assert "> 2 Sum" in terminal.text
        assert not COLOUR.search(terminal.output)


def test_a_dumb_terminal_does_not_break_it() -> None:
    with Terminal(env={"TERM": "dumb"}, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("f\ns\nq\n")
        assert terminal.wait_exit() == 0
        assert given_back(terminal)


@pytest.fixture(scope="module")
def in_ascii(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Terminal, Path]]:
    """A terminal in which the command was started with options, and the file of its standard error."""
    path = tmp_path_factory.mktemp("errors") / "errors"
    options = ("--ascii", "--lr", "1e-4", "--seed", "3")
    with path.open("wb") as errors, Terminal((*GRADSTEP, *options), stderr=errors, preloaded=True) as opened:
        opened.wait_for(READY)
        yield opened, path


def test_the_ascii_option_draws_ascii_in_a_utf8_terminal(in_ascii: tuple[Terminal, Path]) -> None:
    terminal, _ = in_ascii
    assert "lr 0.0001" in terminal.text
    terminal.send("f")
    terminal.wait_for("next: backward")
    assert terminal.output.isascii()
    terminal.send("left")
    terminal.wait_for(READY)


def test_with_standard_error_in_a_file_the_terminal_is_drawn_on(in_ascii: tuple[Terminal, Path]) -> None:
    terminal, errors = in_ascii
    terminal.send("f")
    terminal.wait_for("next: backward")
    terminal.send("left")
    terminal.wait_for(READY)
    assert errors.read_bytes() == b""
