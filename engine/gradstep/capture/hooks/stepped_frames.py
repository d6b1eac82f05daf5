"""Frames that run the stepped loop: one of them is stepped, and rounds of others may run by themselves."""

from __future__ import annotations

from types import FrameType

from gradstep.capture.loop_places import Control
from gradstep.capture.rounds.overtaken_rounds import OvertakenRounds
from gradstep.capture.scopes import Scope
from gradstep.capture.suspending.statements_inside import StatementsInside


class SteppedFrames:
    """The frame in which the last round began, and those whose rounds it has overtaken."""

    def __init__(self, inside: StatementsInside) -> None:
        """Begin without frames; `inside` is the statement that the stepped frame itself runs."""
        self.inside, self.overtaken = inside, OvertakenRounds()
        self._followed: int | None = None
        """Identity of the frame in which the last round began, if it can be left and is in the loop."""

    def overtake(self, scope: Scope | None) -> None:
        """Let the round under way, in a scope, run to its end by itself if a statement of it waits."""
        if self._followed is not None and self.inside.running is not None and scope is not None:
            self.overtaken.add(self._followed, self.inside.running, scope)
            self.inside.running = None

    def follow(self, frame: FrameType | None) -> None:
        """Step the rounds of a frame from now on."""
        self._followed = id(frame)

    def forget(self, frame: FrameType | None) -> None:
        """Take note that a frame has ended the stepped loop."""
        self.overtaken.remove(frame)
        if self.is_followed(frame):
            self._followed = self.inside.running = None

    def is_followed(self, frame: FrameType | None) -> bool:
        """Return whether the rounds of a frame are stepped."""
        return self._followed == id(frame)

    def is_inside(self, frame: FrameType | None) -> bool:
        """Return whether a frame is the stepped one, and runs a statement itself."""
        return self.inside.running is not None and self.is_followed(frame)

    def runs_rounds(self, frame: FrameType | None) -> bool:
        """Return whether a frame runs the rounds of the stepped loop by itself."""
        return self.inside.running is None and (self._followed is None or self.is_followed(frame))

    def notes(self, frame: FrameType | None, control: Control) -> bool:
        """Note how a statement of an overtaken round leaves it; return whether a frame runs such a round."""
        if not self.overtaken.has(frame):
            return False
        self.overtaken.note(frame, control)
        return True
