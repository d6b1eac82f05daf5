"""The key bar: the keys that make sense now, dimmed if they cannot work, each one clickable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.message import Message
from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.footer_order import footer_keys, situation_of
from gradstep_tui.keys import KEYS
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual import events

    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey
    from gradstep.training.pytorch_errors import PyTorchError
    from gradstep_tui.key import Key


GAP: Final = 2
"""Cells before an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the key bar."""

    key: Key
    start: int
    """First column."""

    end: int
    """Column after the last one."""


class KeyBar(Panel):
    """As many keys as fit, the most useful ones for the session's situation."""

    cursor: var[StatementKey | None] = var(None)
    """Statement of the loop under the cursor; None if there is no cursor."""

    complaint: var[PyTorchError | None] = var(None)
    """Error that the last action raised; None if it raised none."""

    class Clicked(Message):
        """An entry was clicked."""

        def __init__(self, key_id: str) -> None:
            """Carry the id of the entry's key."""
            super().__init__()
            self.key_id = key_id

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        """Draw as many of `keys` as fit."""
        super().__init__()
        self._keys = keys

    def watch_cursor(self) -> None:
        """Redraw the bar: with a cursor, it shows the keys that edit the loop."""
        self.redraw()

    def watch_complaint(self) -> None:
        """Redraw the bar: after an error, it shows the keys that go back."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the bar's only line."""
        return [entries_line(self._entries(width), self.frame, self.cursor)]

    def on_click(self, event: events.Click) -> None:
        """Say which entry was clicked."""
        for entry in self._entries(self.size.width):
            if entry.start <= event.x < entry.end:
                self.post_message(self.Clicked(entry.key.id))

    def _entries(self, width: int) -> list[Entry]:
        return entries(self.frame, width, self.cursor, self._keys, failed=self.complaint is not None)


def entries(
    frame: Frame | None,
    width: int,
    cursor: StatementKey | None = None,
    keys: Sequence[Key] = KEYS,
    *,
    failed: bool = False,
) -> list[Entry]:
    """Return the entries that fit into a width, in the order in which they are shown.

    Args:
        frame: Frame that decides which keys make sense; None to take `keys` as they are, by weight.
        width: Number of cells.
        cursor: Statement of the loop under the cursor; None if there is no cursor.
        keys: Keys to choose from.
        failed: Whether the last action raised an error.
    """
    wanted = keys if frame is None else footer_keys(keys, frame, situation_of(frame, cursor, failed))
    found, at = list[Entry](), 0
    for key in _fitting(wanted, width):
        found.append(Entry(key, at + GAP, at + _width(key)))
        at += _width(key)
    return found


def entries_line(found: Sequence[Entry], frame: Frame | None, cursor: StatementKey | None = None) -> Line:
    """Return a line with entries, dimmed if a key cannot work now; without a frame, none is."""
    spans, at = list[Span | str](), 0
    for entry in found:
        dimmed = frame is not None and not entry.key.can_work(frame, cursor)
        spans += [" " * (entry.start - at), Span(entry.key.shown, "dim" if dimmed else "key")]
        spans.append(Span(f" {entry.key.label}", "dim" if dimmed else ""))
        at = entry.end
    return line(*spans)


def _fitting(keys: Sequence[Key], width: int) -> list[Key]:
    """Return the keys that fit: heaviest first, and lighter ones in room that is left."""
    kept, room = set[str](), width
    # Of equally heavy keys, the first.
    for key in sorted((key for key in keys if key.weight > 0), key=lambda key: -key.weight):
        if _width(key) <= room:
            kept.add(key.id)
            room -= _width(key)
    return [key for key in keys if key.id in kept]


def _width(key: Key) -> int:
    return GAP + len(key.shown) + 1 + len(key.label)
