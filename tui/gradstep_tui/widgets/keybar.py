"""The keys, and which of them can work now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.keys import KEYS, Key
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import Kind


class KeyBar(Panel):
    """The keys that fit, the most useful ones first; one that cannot work now is dimmed."""

    cursor: var[Kind | None] = var(None)
    """The statement of the loop that the cursor is on; None where it is away."""

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        """Draw of `keys` what fits."""
        super().__init__()
        self._keys = keys

    def watch_cursor(self) -> None:
        """Draw for the new place: other edits may work there."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Give the one line."""
        return [keys_line(self.frame, width, self.cursor, self._keys)]


def keys_line(
    frame: Frame | None, width: int, cursor: Kind | None = None, keys: Sequence[Key] = KEYS
) -> Line:
    """Draw as many keys as fit, in the table's order."""
    kept = _fitting(keys, width)
    roomy = sum(map(_width, kept)) + len(kept) <= width
    spans: list[Span | str] = []
    for key in kept:
        dimmed = frame is not None and key.refusal(frame, cursor) != ""
        spans += ["  " if roomy else " ", Span(key.shown, "dim" if dimmed else "key")]
        spans.append(Span(f" {key.label}", "dim" if dimmed else ""))
    return line(*spans)


def _fitting(keys: Sequence[Key], width: int) -> list[Key]:
    wanted = [key for key in keys if key.weight > 0]
    too_wide, without = sum(map(_width, wanted)) - width, set[str]()
    # The lightest goes first, of equals the last.
    for _, key in sorted(enumerate(wanted), key=lambda one: (one[1].weight, -one[0])):
        if too_wide <= 0:
            break
        without.add(key.id)
        too_wide -= _width(key)
    return [key for key in wanted if key.id not in without]


def _width(key: Key) -> int:
    return len(key.shown) + len(key.label) + 2
