"""Rounds that others overtake: a statement in their frames has handed control on, and a new round began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from gradstep.capture.loop_places import Control
from gradstep.capture.scopes import Scope
from gradstep.capture.sites import Site


@dataclass(slots=True)
class _Overtaken:
    index: int
    """Index of the statement that runs, or ran last."""

    scope: Scope
    control: Control = Control.NEXT


class OvertakenRounds:
    """Rounds that run to their end by themselves as soon as their frames go on."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rounds: dict[int, _Overtaken] = {}
        self.count = 0
        """Number of rounds that were overtaken so far."""

    def add(self, frame: int, index: int, scope: Scope) -> None:
        """Add the round of a frame, given by its `id`, in the middle of a statement."""
        self._rounds[frame] = _Overtaken(index, scope)
        self.count += 1

    def has(self, frame: FrameType | None) -> bool:
        """Return whether the round of a frame was overtaken."""
        return id(frame) in self._rounds

    def remove(self, frame: FrameType | None) -> None:
        """Forget the round of a frame that has ended its loop."""
        self._rounds.pop(id(frame), None)

    def note(self, frame: FrameType | None, control: Control) -> None:
        """Note how the statement that runs leaves its round."""
        self._rounds[id(frame)].control = control

    def is_at(self, frame: FrameType | None, index: int) -> bool:
        """Return whether a statement is the one that a frame runs."""
        return self._rounds[id(frame)].index == index

    def run_rest(
        self, frame: FrameType | None, site: Site, run: Callable[[Scope, int], Control]
    ) -> Control | None:
        """Run the rest of a frame's round.

        Args:
            frame: The frame.
            site: The stepped loop.
            run: Runs one statement alone in a scope, and returns how it leaves the round.

        Returns:
            How the round ends; None if the frame itself has to run a statement first.
        """
        left = self._rounds[id(frame)]
        control = left.control
        while control is Control.NEXT and left.index + 1 < len(site.statements):
            left.index += 1
            if left.index in site.inside:
                return None
            control = run(left.scope, left.index)
        self.remove(frame)
        return control
