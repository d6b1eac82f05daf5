"""The SSH keys that log in as a participant, and the key that changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from gradstep_tui.screens.dialogs.text import TextScreen


class SshKeysScreen(TextScreen):
    """Text about SSH keys, perhaps above other text; F8 changes which keys log in."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "change_keys", "keys")]

    def __init__(self, title: str, texts: Sequence[str], change_keys: Callable[[], object] | None) -> None:
        """Show texts, their end first; `change_keys` is called if F8 is pressed, unless it is None."""
        super().__init__(title, texts, at_end=True)
        self._change_keys = change_keys

    def action_change_keys(self) -> None:
        """Change which keys log in, and close."""
        if self._change_keys is not None:
            self._change_keys()
            self.dismiss()


def key_texts(keys: Sequence[str], offered: Sequence[str]) -> list[str]:
    """Return which SSH keys log in without a code, and what F8 does; nothing if there are no keys.

    Args:
        keys: Fingerprints of the keys that log in.
        offered: Fingerprints of the keys of this login.
    """
    if keys:
        return ["These SSH keys log in without a code; F8 forgets them:", *keys, ""]
    if offered:
        return ["No SSH key logs in without a code; F8 lets this computer's keys:", *offered, ""]
    return []


def learner_key_texts(name: str, keys: Sequence[str]) -> list[str]:
    """Return which SSH keys log in as a learner, for an instructor, and what F8 does."""
    if not keys:
        return [f"No SSH key logs in as {name}: only the resume code does."]
    return [
        f"These SSH keys log in as {name} without a code:",
        *keys,
        "",
        f"F8 forgets them. {name} stays logged in, and needs the resume code at the next login.",
    ]
