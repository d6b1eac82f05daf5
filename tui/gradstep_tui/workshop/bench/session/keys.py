"""Keys that a class adds to the bench, and the bench's keys that work on somebody else's session."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.keys import KEYS, Key

HAND: Final = Key(
    "hand", "exclamation_mark", "!", "hand", "Raise your hand, or lower it once help has come.", 10
)
FOLLOW: Final = Key(
    "follow",
    "F,upper_f",
    "F",
    "class",
    "Follow the instructor, or go back to your own bench.",
    6,
)
ALLOW: Final = Key(
    "allow", "W,upper_w", "W", "watchers", "Allow the instructor to watch your bench, or forbid it.", 1
)
MESSAGES: Final = Key("messages", "M,upper_m", "M", "messages", "Read the instructor's messages again.", 2)
BOARD: Final = Key("board", "f2", "F2", "board", "Go to the board, which has a row for each learner.", 10)
PRESENT: Final = Key(
    "present", "F,upper_f", "F", "present", "Show the class what you do here, or stop showing it.", 10
)
LEAVE: Final = Key("leave", "F,upper_f,escape,q", "F", "back", "Go back (also Esc, q).", 10)

FOR_LEARNERS: Final = (HAND, FOLLOW, ALLOW, MESSAGES)
FOR_INSTRUCTORS: Final = (BOARD, PRESENT)

LOOKING: Final = (
    "look",
    "elements",
    "ledger",
    "pictures",
    "graph",
    "timeline",
    "twin",
    "verdict",
    "check",
    "printed",
    "manual",
    "help",
)
"""Ids of the bench's keys that do not change the session."""

LOOKS: Final = tuple(key for key in KEYS if key.id in LOOKING)
IDS: Final = frozenset(key.id for key in (*FOR_LEARNERS, *FOR_INSTRUCTORS))


def binding(key: Key) -> Binding:
    """Return Textual's binding for a key of the class."""
    return Binding(key.keys, f"press('{key.id}')", key.label, key_display=key.shown, tooltip=key.tooltip)
