"""Any bytes that a terminal may send to the real command: none ends it, none is lost or out of order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.terminal import GRADSTEP, Terminal

READY = "next: forward"
BOX = "╭"
"""Corner of a dialog's box."""
BEGIN, END = b"\x1b[200~", b"\x1b[201~"

NO_TEXT = {
    "single bytes": b"".join(bytes((byte, 0x20)) for byte in range(0x80, 0x100)),
    "cut sequences": b"\xc3 \xe2\x82 \xf0\x9f\x98 \xf0\x9f \xf0 \xe2",
    "over-long": b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\xc1\xbf\xf8\x88\x80\x80\x80",
    "surrogates": b"\xed\xa0\x80\xed\xb0\x80\xf4\x90\x80\x80",
    "in a paste": BEGIN + bytes(range(0x80, 0x100)) + END,
    "in a mouse report": b"\x1b[M\xff\xff\xff\x1b[<0;\xff;3M\x1b[M \x80\x80",
}

IMPOSSIBLE = {
    "a character beyond Unicode": b"\x1b[1114112;5u\x1b[99999999999999999999;1u",
    "an event type": b"\x1b[97:65;1:3u\x1b[97;2:1u\x1b[97:::;:u\x1b[;;u",
    "half a character": b"\x1b[55296;;55296u\x1b[97;;1114112u",
    "a size": b"\x1b[48;0;0;0;0t\x1b[48;99999999;9;9;9t\x1b[48;4:5;1;1;1t",
    "a place": b"\x1b[<0;99999999999999999999;1M\x1b[<0;0;0M\x1b[<35;-5;-5M\x1b[<64;999;999M\x1b[<999;1;1m",
    "a mode": b"\x1b[?2026;9$y\x1b[?99999;1$y",
    "no sequence": b"\x1b[" + b"1;" * 60 + b"x",
}


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in which the command is ready; tests leave it so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("input"))  # keys write files
        opened = Terminal(preloaded=True)
    with opened:
        opened.wait_for(READY)
        yield opened


def goes_on(terminal: Terminal) -> None:
    """Close what the input has opened, and see that keys are done."""
    for _ in range(9):
        terminal.settle()
        terminal.send("escape")
        terminal.settle()
        if BOX not in terminal.text:
            break
    all_is_done(terminal)
    done = epochs(terminal)
    terminal.send("r1\r")
    terminal.wait_for(lambda _: epochs(terminal) == done + 1)
    terminal.send("[" * 3)  # with a low learning rate, no number of epochs diverges


def all_is_done(terminal: Terminal) -> None:
    """Wait until the bench has done what was sent, by a key after that."""
    terminal.send("?")
    terminal.wait_for("Esc: close")
    terminal.send("escape")
    terminal.wait_for(lambda text: BOX not in text)


def epochs(terminal: Terminal) -> int:
    """Return the number of epochs that the header shows as done."""
    return int(terminal.text.split("epochs done ")[1].split()[0].replace(",", ""))


@pytest.mark.parametrize("data", [*NO_TEXT.values(), *IMPOSSIBLE.values()], ids=[*NO_TEXT, *IMPOSSIBLE])
def test_input_that_is_no_text_or_impossible_ends_nothing(terminal: Terminal, data: bytes) -> None:
    terminal.send_bytes(data)
    goes_on(terminal)


def test_a_character_after_bytes_that_are_no_text_is_read(terminal: Terminal) -> None:
    terminal.settle()
    before = epochs(terminal)
    terminal.send("r")
    terminal.send_bytes(b"1\xff2\xe9\xc33\r")
    terminal.wait_for(lambda _: epochs(terminal) == before + 123)


@pytest.mark.parametrize("typed", ["12\x7f3", "3\x1b[D1\x1b[C", "999\x7f\x7f\x7f13", "x\x7f13", "13x\r\x7f"])
def test_keys_of_one_read_edit_a_field_in_order(terminal: Terminal, typed: str) -> None:
    terminal.settle()
    before = epochs(terminal)
    terminal.send("r")
    terminal.settle(0.06)
    terminal.send(f"{typed}\r")
    terminal.wait_for(lambda _: epochs(terminal) == before + 13)


def test_a_field_gets_all_that_is_typed_with_the_key_that_opens_it(terminal: Terminal) -> None:
    terminal.send("l1x\x7f0.5\rl9\x7f3\rf")
    terminal.wait_for(lambda text: "lr 3" in text and "next: backward" in text)
    terminal.send("left")
    terminal.send("l1e-5\r")
    terminal.wait_for(lambda text: "lr 1e-05" in text and READY in text)


def test_a_search_takes_keys_of_one_read_in_order(terminal: Terminal) -> None:
    terminal.send("\x1bOP")
    terminal.wait_for("manual")
    terminal.send("/lossy\x7f\r")
    terminal.wait_for("Esc goes back to the topics")
    goes_on(terminal)


@pytest.mark.parametrize("key", ["\x1b[6~", "\x1b[5~", "\x1b[B", "\x1b[A", "\x1b[H", "\x1b[F", "\t", "\x7f"])
def test_a_key_right_after_the_palette_was_opened_ends_nothing(terminal: Terminal, key: str) -> None:
    terminal.send(f"\x10{key}")
    terminal.wait_for("Search for commands")
    goes_on(terminal)


# Pastes


def test_a_paste_on_the_bench_runs_no_keys(terminal: Terminal) -> None:
    terminal.settle()
    before = terminal.text
    terminal.send_bytes(BEGIN + b"fsbuzq\n" * 100 + END)
    all_is_done(terminal)
    terminal.settle()
    assert terminal.text.splitlines()[:20] == before.splitlines()[:20]


@pytest.mark.parametrize("marks", [(BEGIN, END), (b"", b"")], ids=["marked", "unmarked"])
def test_a_long_paste_blocks_neither_the_bench_nor_a_field(
    terminal: Terminal, marks: tuple[bytes, bytes]
) -> None:
    for opening in ("", "r"):
        terminal.send(opening)
        terminal.settle(0.06)
        terminal.send_bytes(marks[0] + b"fsbuzq12 " * 30_000 + marks[1])
        terminal.settle()
        goes_on(terminal)


def test_ctrl_c_behind_a_megabyte_leaves() -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send_bytes(BEGIN + b"fsbuzq12 " * 110_000 + END)
        terminal.send("ctrl+c")
        assert terminal.wait_exit(20) == 0


def test_a_long_paste_in_plain_mode_is_dropped() -> None:
    with Terminal((*GRADSTEP, "--plain"), preloaded=True) as terminal:
        terminal.wait_for("gradstep>")
        terminal.send_bytes(b"\xff\xe9\xc3(\n")
        terminal.send_bytes(b"hello\n" * 50_000)
        terminal.wait_for("characters were pasted and dropped")
        terminal.settle()
        terminal.send("forward\n")
        terminal.wait_for("next: backward")
        terminal.send("ctrl+c")
        assert terminal.wait_exit() == 130
