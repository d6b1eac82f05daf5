"""The table of keys as Textual bindings; the table itself, in `keys`, does not import Textual."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.keys import KEYS

BINDINGS: Final = [
    Binding(key.keys, f"press('{key.id}')", key.label, key_display=key.shown, tooltip=key.tooltip, id=key.id)
    for key in KEYS
]
