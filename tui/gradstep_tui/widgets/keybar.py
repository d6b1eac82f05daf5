"""The key bar: the most useful keys, dimmed if they cannot work now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual.reactive import var

from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.text.statements import EPOCH, ROUND
from gradstep_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey


SCRIPTS: Final = {"epoch": ROUND, "outer": EPOCH}
"""Words for keys whose effect has another name in the loop of a script, by the key's id."""

NESTED: Final = {"outer": 9, "quit": 9}
"""Weights of keys that differ for a script's loop within another, by the key's id."""


class KeyBar(Panel):
    """The keys that fit; the least useful are left out first. A key that cannot work now is dimmed."""

    cursor: var[StatementKey | None] = var(None)
    """Statement of the loop under the cursor; None if there is no cursor."""

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        """Draw as many of `keys` as fit."""
        super().__init__()
        self._keys = keys

    def watch_cursor(self) -> None:
        """Redraw the bar: which editing keys are dimmed depends on the line under the cursor."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the bar's only line."""
        return [keys_line(self.frame, width, self.cursor, self._keys)]


def keys_line(
    frame: Frame | None, width: int, cursor: StatementKey | None = None, keys: Sequence[Key] = KEYS
) -> Line:
    """Return a line with as many keys as fit, in the order of `keys`.

    Args:
        frame: Frame that decides which keys are dimmed; None to dim none.
        width: Width of the line, in cells.
        cursor: Statement of the loop under the cursor; None if there is no cursor.
        keys: Keys to choose from.
    """
    named = [_named(key, frame) for key in keys]
    kept = _fitting(named, width)
    roomy = sum(map(_width, kept)) + len(kept) <= width
    spans: list[Span | str] = []
    for key in kept:
        dimmed = frame is not None and not key.can_work(frame, cursor)
        spans += ["  " if roomy else " ", Span(key.shown, "dim" if dimmed else "key")]
        spans.append(Span(f" {key.label}", "dim" if dimmed else ""))
    return line(*spans)


def _named(key: Key, frame: Frame | None) -> Key:
    """Return a key as it is called for a script's loop: it runs rounds, the loop around it epochs."""
    if frame is None or not isinstance(frame.loop, ScriptLoop):
        return key
    weight = NESTED.get(key.id, key.weight) if len(frame.loop.heads) > 1 else key.weight
    return replace(key, label=SCRIPTS.get(key.id, key.label), weight=weight)


def _fitting(keys: Sequence[Key], width: int) -> list[Key]:
    wanted = [key for key in keys if key.weight > 0]
    too_wide, without = sum(map(_width, wanted)) - width, set[str]()
    # The lightest key is left out first; of equally light keys, the last.
    for _, key in sorted(enumerate(wanted), key=lambda numbered: (numbered[1].weight, -numbered[0])):
        if too_wide <= 0:
            break
        without.add(key.id)
        too_wide -= _width(key)
    return [key for key in wanted if key.id not in without]


def _width(key: Key) -> int:
    return len(key.shown) + len(key.label) + 2
