"""Every point that a session has been at, for going back and forth."""

from __future__ import annotations

from dataclasses import dataclass

from engine.actions import Action
from engine.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One point: the action that led there, and the state after it."""

    action: Action | None
    """None for the start."""

    state: State
    notice: str = ""
    """What the action had to say."""


class History:
    """A line of points, and where on it the session stands."""

    def __init__(self, start: State) -> None:
        """Stand at `start`, with nothing before or after it."""
        self._entries = [Entry(None, start)]
        self.position = 0
        """How many actions lie behind."""

    @property
    def future(self) -> int:
        """How many actions lie ahead."""
        return len(self._entries) - self.position - 1

    @property
    def start(self) -> State:
        """The session's first state."""
        return self._entries[0].state

    def add(self, entry: Entry) -> None:
        """Go on to a new point; what lay ahead is gone."""
        del self._entries[self.position + 1 :]
        self._entries.append(entry)
        self.position += 1

    def move(self, steps: int) -> Entry:
        """Go `steps` points ahead (back where negative), which must exist, and give the point there."""
        self.position += steps
        return self._entries[self.position]
