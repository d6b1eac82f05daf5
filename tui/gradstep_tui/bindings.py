"""The keys as Textual's bindings; the table itself needs no screen."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.keys import KEYS

BINDINGS: Final = [
    Binding(key.keys, f"press('{key.id}')", key.label, key_display=key.shown, tooltip=key.tooltip, id=key.id)
    for key in KEYS
]
