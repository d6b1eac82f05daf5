"""Terminals of all kinds get what they know: colours, styles and control sequences."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from gradstep_tui.terminal.capabilities import Capabilities, Colours, chosen_colours
from gradstep_tui.terminal.output_filter import output_filter
from tests.terminal import Terminal
from tests.tui.test_terminal import COLOUR, MANY_COLOURS, READY, given_back

PRIVATE = re.compile(rb"\x1b\[([?<>=][0-9$]*[a-zA-Z])")
STYLE = re.compile(rb"\x1b\[([0-9;]*)m")
MOUSE = {b"?1000h", b"?1003h", b"?1015h", b"?1006h"}


@pytest.mark.parametrize(
    ("term", "known"),
    [
        ("vt100", {b"?7l"}),
        ("linux", {b"?7l", b"?25l"}),
        ("ansi", set()),
        ("xterm-mono", {b"?47h"}),
        ("screen", {b"?1049h", b"?25l", b"?7l", b"?2004h", *MOUSE}),
    ],
)
def test_a_terminal_gets_the_control_sequences_that_it_knows(term: str, known: set[bytes]) -> None:
    env = {"TERM": term, "COLORTERM": "" if term == "linux" else None}
    with Terminal(env=env, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("q")
        assert terminal.wait_exit() == 0
        others = {mode[:-1] for mode in PRIVATE.findall(terminal.output)} - {mode[:-1] for mode in known}
        assert not others
        assert not MANY_COLOURS.search(terminal.output)
        codes = {code for style in STYLE.findall(terminal.output) for code in style.split(b";")}
        assert not codes & {b"9%d" % code for code in range(8)}
        if term in ("vt100", "xterm-mono"):
            assert codes <= {b"", b"0", b"1", b"4", b"7"}
        assert given_back(terminal)


@pytest.mark.parametrize(
    ("env", "colours"),
    [
        ({"TERM": "nobody-knows-it"}, Colours.FEW),
        ({"TERM": "xterm", "NO_COLOR": ""}, Colours.FEW),
        ({"FORCE_COLOR": "0"}, Colours.NONE),
        ({"CLICOLOR": "0"}, Colours.NONE),
        ({"TERM": "vt100", "CLICOLOR_FORCE": "1"}, Colours.FEW),
    ],
)
def test_the_environment_chooses_the_colours(env: Mapping[str, str], colours: Colours) -> None:
    with Terminal(env=env, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert bool(COLOUR.search(terminal.output)) is (colours > Colours.NONE)
        assert not MANY_COLOURS.search(terminal.output)


@pytest.mark.parametrize(
    ("environ", "has", "chosen"),
    [
        ({}, Colours.FEW, Colours.FEW),
        ({"NO_COLOR": "1", "FORCE_COLOR": "3"}, Colours.TRUE, Colours.NONE),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, Colours.MANY, Colours.MANY),
        ({"FORCE_COLOR": "2", "CLICOLOR": "0"}, Colours.NONE, Colours.MANY),
        ({"FORCE_COLOR": "yes"}, Colours.NONE, Colours.FEW),
        ({"CLICOLOR_FORCE": "0", "CLICOLOR": "0"}, Colours.MANY, Colours.NONE),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, Colours.MANY, Colours.MANY),
        ({"CLICOLOR": "1"}, Colours.NONE, Colours.NONE),
        ({"COLORTERM": "truecolor"}, Colours.FEW, Colours.TRUE),
        ({"COLORTERM": "truecolor"}, Colours.NONE, Colours.NONE),
    ],
)
def test_variables_for_colours_have_an_order(environ: dict[str, str], has: Colours, chosen: Colours) -> None:
    assert chosen_colours(environ, has) == chosen


def test_a_style_loses_what_the_terminal_does_not_know() -> None:
    plain = output_filter(Capabilities(bright=False, dim=False, italic=False, default_colours=False))
    assert plain("\x1b[2;3;1;90;104;39mx\x1b[0m\x1b[38;5;2m") == "\x1b[1;1;30;44mx\x1b[0m\x1b[38;5;2m"
    assert output_filter(Capabilities())("\x1b[2;3m\x1b[?2026h") == "\x1b[2;3m\x1b[?2026h"
