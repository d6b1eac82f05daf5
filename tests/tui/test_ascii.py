"""Plain ASCII output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gradstep_tui.drawing.ascii import to_ascii
from gradstep_tui.terminal.encoding import terminal_speaks_utf8
from gradstep_tui.text.lookalikes import TABLE


@given(st.text())
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    plain = to_ascii(text)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


def test_every_stand_in_is_one_ascii_character_for_one_cell() -> None:
    for code, plain in TABLE.items():
        assert len(plain) == cell_len(chr(code)) == 1
        assert plain.isascii()


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({}, False),
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LC_ALL": "C.UTF-8"}, True),
        ({"LC_ALL": "C.utf8"}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"LANG": "de_DE@euro"}, False),
        ({"LANG": "de_DE.UTF-8@euro"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LC_CTYPE": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "ja_JP.eucJP"}, False),
    ],
)
def test_the_locale_says_whether_the_terminal_shows_utf8(environ: dict[str, str], utf8: bool) -> None:
    assert terminal_speaks_utf8(environ, utf8_mode=False) is utf8


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "POSIX"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8", "PYTHONUTF8": "1"}, True),
        ({"LC_CTYPE": "en_US.UTF-8"}, True),
    ],
)
def test_what_python_itself_makes_of_the_c_locale_is_not_believed(
    environ: dict[str, str], utf8: bool
) -> None:
    assert terminal_speaks_utf8(environ, utf8_mode=True) is utf8
