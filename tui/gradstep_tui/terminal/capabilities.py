"""What a terminal can show and which control sequences it knows, by the system's terminfo database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

TRUE_COLOUR: Final = ("truecolor", "24bit")
"""Values of COLORTERM for terminals with 16 million colours."""

LINES_ONLY: Final = ("", "dumb", "unknown")
"""Values of TERM for terminals that can only show lines of text."""

WITHOUT_BRAILLE: Final = ("linux", "vt", "cons25")
"""Beginnings of the values of TERM for terminals whose fonts have no braille."""


class Colours(IntEnum):
    """Kinds of colours, each with all before it."""

    NONE = 0
    FEW = 1
    """The 16 of the terminal's own palette."""
    MANY = 2
    """256 colours."""
    TRUE = 3
    """16 million colours."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one terminal can do."""

    colours: Colours = Colours.FEW
    """Colours that it shows, or that the learner asked for."""

    bright: bool = True
    """Whether it knows the sequences of the eight bright colours; otherwise they are bold ones."""

    moves_cursor: bool = True
    """Whether a screen can be drawn at all."""

    own_screen: str = "1049"
    """Private mode of the alternate screen; empty if it has none."""

    hides_cursor: bool = True
    wraps: bool = True
    """Whether it knows the private mode that turns automatic line breaks off."""

    mouse: bool = True
    """Whether it reports the mouse in the way that Textual reads."""

    marks_pastes: bool = True
    extensions: bool = True
    """Whether it knows the protocols of newer terminals: synchronised output, focus, kitty's keys, ..."""

    default_colours: bool = True
    """Whether it knows the sequences of its default colours."""

    dim: bool = True
    italic: bool = True


def capabilities(environ: Mapping[str, str] = os.environ) -> Capabilities:
    """Return what the terminal that TERM names can do; if nothing is known of it, that of an xterm."""
    name = environ.get("TERM", "")
    entry = _entry(name)
    if name in LINES_ONLY:
        return Capabilities(colours=Colours.NONE, moves_cursor=False)
    if entry is None:
        return Capabilities(colours=chosen_colours(environ, _named_colours(name)))
    number, text, flag = entry.tigetnum, entry.tigetstr, entry.tigetflag
    switch = text("smcup") or b""
    like_screen = name.startswith(("screen", "tmux"))
    newest = flag("XT") > 0 or flag("fullkbd") > 0 or bool(text("Sync"))
    has = Colours.NONE if number("colors") < 8 else Colours.FEW
    if number("colors") >= 256:
        has = Colours.MANY
    return Capabilities(
        colours=chosen_colours(environ, has),
        bright=number("colors") != 8 or name.startswith("xterm"),
        moves_cursor=bool(text("cup")),
        own_screen=next((mode for mode in ("1049", "1047", "47") if f"?{mode}h".encode() in switch), ""),
        hides_cursor=b"?25l" in (text("civis") or b""),
        wraps=bool(text("rmam")) or like_screen,
        mouse=(text("kmous") or b"").startswith(b"\x1b[<") or like_screen or newest,
        marks_pastes=bool(text("BE")) or like_screen or newest,
        extensions=newest and not like_screen,
        default_colours=number("colors") > 0,
        dim=bool(text("dim")),
        italic=bool(text("sitm")),
    )


def shows_braille(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal that TERM names can be expected to show braille."""
    return not environ.get("TERM", "").startswith(WITHOUT_BRAILLE)


def chosen_colours(environ: Mapping[str, str], has: Colours) -> Colours:
    """Return the colours to draw with.

    NO_COLOR comes first, then FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR=0, COLORTERM, and the terminal's own.

    Args:
        environ: Environment variables; an empty one counts as not set.
        has: Colours that the terminal has.
    """
    if environ.get("NO_COLOR"):
        return Colours.NONE
    offered = Colours.TRUE if has and environ.get("COLORTERM", "").lower() in TRUE_COLOUR else has
    forced = environ.get("FORCE_COLOR", "").lower()
    if forced in ("0", "false"):
        return Colours.NONE
    if forced in ("1", "2", "3"):
        return Colours(int(forced))
    if forced or environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return max(offered, Colours.FEW)
    return Colours.NONE if environ.get("CLICOLOR") == "0" else offered


def _named_colours(name: str) -> Colours:
    """Return the colours that the name of an unknown terminal promises."""
    if name.endswith("-direct"):
        return Colours.TRUE
    return Colours.MANY if name.endswith("256color") else Colours.FEW


def _entry(name: str) -> Any:
    """Return `curses`, which has looked up a terminal; None if the system does not know it."""
    try:
        import curses
    except ImportError:  # Windows
        return None
    with open(os.devnull, "wb") as nowhere:
        try:
            curses.setupterm(name, nowhere.fileno())
        except curses.error:
            return None
    return curses
