"""A field for one line of text that handles keys in the order in which they are typed, however fast."""

from __future__ import annotations

from collections import deque
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding
from textual.widgets import Input

EDITING: Final = {
    key.strip(): binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}
"""Actions of the keys that edit or submit a field, by the key's name."""


class Field(Input):
    """Textual's field, which handles keys in order.

    Textual inserts a character as soon as the field gets it, but passes other keys, Backspace for instance,
    up to the app and only then back: characters that arrive in the same read overtake them.

    Enter submits the field. Keys after it wait until the screen has called `reject` or `hand_over`.
    """

    leaves: ClassVar[frozenset[str]] = frozenset()
    """Textual's names of the characters that are keys of the screen, and no part of a text here."""

    _waiting: deque[events.Key] | None = None
    """Keys after Enter; None while keys edit the field."""

    _handed_over = False

    async def on_key(self, event: events.Key) -> None:
        """Handle a key at once, before the next one."""
        if await self.take(event):
            event.stop()
            event.prevent_default()
        elif event.key in self.leaves:
            event.prevent_default()  # Textual would insert it

    async def take(self, key: events.Key) -> bool:
        """Handle a key, and return whether it means anything to a field."""
        if self._handed_over:
            self._pass_on(key)
        elif self._waiting is not None:
            self._waiting.append(key)
        elif key.key == "enter":
            self._waiting = deque()
            await self.run_action("submit")
        elif key.key in EDITING:
            await self.run_action(EDITING[key.key])
        elif key.key in self.leaves:
            return False
        elif key.is_printable and key.character is not None:
            self.replace(key.character, *self.selection)
        else:
            return False
        return True

    async def reject(self) -> None:
        """Go on editing: the text was wrong."""
        waiting, self._waiting = self._waiting or deque(), None
        for key in waiting:
            await self.take(key)

    def hand_over(self) -> None:
        """Pass keys on to whatever has the focus now: the text was right."""
        waiting, self._waiting = self._waiting or deque(), None
        self._handed_over = True
        for key in waiting:
            self._pass_on(key)

    def on_focus(self) -> None:
        """Edit from now on."""
        self._handed_over = False

    def _pass_on(self, key: events.Key) -> None:
        self.app.post_message(events.Key(key.key, key.character))
