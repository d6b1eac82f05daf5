"""Keys that a class adds to the bench, and the bench's keys that work on somebody else's session."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS

HAND: Final = Key(
    "hand", "exclamation_mark", "!", "hand", "Raise your hand, or lower it once help has come.", 10
)
FOLLOW: Final = Key(
    "follow",
    "f6",
    "F6",
    "class",
    "Follow the instructor, or go back to your own bench.",
    6,
)
ALLOW: Final = Key(
    "allow", "f4", "F4", "watchers", "Allow the instructor to watch your bench, or forbid it.", 1
)
MESSAGES: Final = Key("messages", "f3", "F3", "messages", "Read the instructor's messages again.", 2)
BOARD: Final = Key("board", "f2", "F2", "board", "Go to the board, which has a row for each learner.", 10)
PRESENT: Final = Key(
    "present", "f6", "F6", "present", "Show the class what you do here, or stop showing it.", 10
)
LEAVE: Final = Key("leave", "f6,escape,q", "F6", "back", "Go back (also Esc, q).", 10)

FOR_LEARNERS: Final = (HAND, FOLLOW, ALLOW, MESSAGES)
FOR_INSTRUCTORS: Final = (BOARD, PRESENT)

LOOKING: Final = (
    "look",
    "elements",
    "data",
    "ledger",
    "pictures",
    "graph",
    "timeline",
    "twin",
    "verdict",
    "check",
    "printed",
    "theme",
    "manual",
    "help",
)
"""Ids of the bench's keys that do not change the session."""

LOOKS: Final = tuple(key for key in KEYS if key.id in LOOKING)
IDS: Final = frozenset(key.id for key in (*FOR_LEARNERS, *FOR_INSTRUCTORS))


def binding(key: Key) -> Binding:
    """Return Textual's binding for a key of the class."""
    return Binding(
        key.keys, f"press('{key.id}')", key.label, key_display=key.sign, tooltip=key.tooltip, id=key.id
    )
