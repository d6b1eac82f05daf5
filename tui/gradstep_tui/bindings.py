"""The table of keys as Textual bindings; the table itself, in `keys`, does not import Textual."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gradstep_tui.keys import BY_ID, KEYS

BINDINGS: Final = [
    Binding(key.keys, f"press('{key.id}')", key.label, key_display=key.sign, tooltip=key.tooltip, id=key.id)
    for key in KEYS
]


def like(key_id: str, action: str = "dismiss", tooltip: str = "Go back to the bench.") -> Binding:
    """Return a binding of the bench's key for a dialog, which is remapped with it.

    Args:
        key_id: Id of the key.
        action: Action of the dialog; by default, the key that opened the dialog closes it.
        tooltip: Sentence that says what the key does there.
    """
    return Binding(BY_ID[key_id].keys, action, BY_ID[key_id].label, tooltip=tooltip, id=key_id)
