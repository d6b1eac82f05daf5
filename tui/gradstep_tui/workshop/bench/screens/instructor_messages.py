"""The instructor's messages, to be read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.workshop.wire.messages import Told

TOAST: Final = 15.0
"""Seconds for which a new message lies over the screen."""


class MessagesScreen(TextScreen):
    """The last messages of instructors, the newest at the end; k changes which SSH keys log in."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("k", "change_keys", "keys")]

    def __init__(self, texts: Sequence[str], change_keys: Callable[[], object] | None) -> None:
        """Show texts; `change_keys` is called if k is pressed, unless it is None."""
        super().__init__("messages", texts, at_end=True)
        self._change_keys = change_keys

    def action_change_keys(self) -> None:
        """Change which keys log in, and close."""
        if self._change_keys is not None:
            self._change_keys()
            self.dismiss()


def key_texts(keys: Sequence[str], offered: Sequence[str]) -> list[str]:
    """Return which SSH keys log in without a code, and what the key k does; nothing if there are no keys.

    Args:
        keys: Fingerprints of the keys that log in.
        offered: Fingerprints of the keys of this login.
    """
    if keys:
        return ["These SSH keys log in without a code; k forgets them:", *keys, ""]
    if offered:
        return ["No SSH key logs in without a code; k lets this computer's keys:", *offered, ""]
    return []


def message_texts(messages: Sequence[Told], resume_code: str = "") -> Iterable[str]:
    """Return one paragraph for the resume code, if there is one, and one for each message."""
    if resume_code:
        yield f"Your resume code is {resume_code}"
    if not messages:
        yield "The instructor has not sent a message yet."
    for message in messages:
        yield f"{time.strftime('%H:%M', time.localtime(message.at))} {message.by}: {message.text}"
