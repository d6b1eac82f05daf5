"""The keys that a class adds to the bench, and those that only look."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.keys import KEYS, Key

HAND: Final = Key(
    "hand", "exclamation_mark", "!", "hand", "Raise your hand; again, when help came, takes it down.", 10
)
FOLLOW: Final = Key(
    "follow",
    "F,upper_f",
    "F",
    "class",
    "See what the instructor shows, or go back to your own bench.",
    6,
)
ALLOW: Final = Key("allow", "W,upper_w", "W", "watchers", "Let the instructor watch your bench, or not.", 1)
MESSAGES: Final = Key("messages", "M,upper_m", "M", "messages", "Read again what the instructor has said.", 2)
BOARD: Final = Key("board", "f2", "F2", "board", "Go to the board: everybody in the class, a row each.", 10)
PRESENT: Final = Key(
    "present", "F,upper_f", "F", "present", "Show the class what you do here, or stop that.", 10
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
    "help",
)
"""The bench's keys that change no session."""

LOOKS: Final = tuple(key for key in KEYS if key.id in LOOKING)
IDS: Final = frozenset(key.id for key in (*FOR_LEARNERS, *FOR_INSTRUCTORS))


def binding(key: Key) -> Binding:
    """Give a key of the class as Textual's binding."""
    return Binding(key.keys, f"press('{key.id}')", key.label, key_display=key.shown, tooltip=key.tooltip)
