"""Where a session of a recording stands: at a point, or inside the pass that leads to one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gradstep.autograd.events import Accumulation
from gradstep.recordings.recorded_points import RecordedPoint


class Standing:
    """A place in a recording: a point, or an event inside the backward pass that leads to it."""

    def __init__(self, points: tuple[RecordedPoint, ...], point: int, inside: int = 0) -> None:
        """Stand at a point; or after the event number `inside`, from 1, of the pass that leads to it."""
        self.points, self.number, self.inside = points, point, inside

    @property
    def point(self) -> RecordedPoint:
        """The point, or the one that the pass under way leads to."""
        return self.points[self.number]

    @property
    def settled(self) -> RecordedPoint:
        """Latest point that was reached: inside a pass, the one before it."""
        return self.points[self.number - 1] if self.inside else self.point

    @property
    def following(self) -> RecordedPoint | None:
        """Point that comes next: inside a pass, the one that it leads to; None at the end."""
        if self.inside:
            return self.point
        return self.points[self.number + 1] if self.number + 1 < len(self.points) else None

    def writes(self) -> dict[str, Accumulation]:
        """Return the last write of the pass to each `.grad` up to here, by name; none before and after it."""
        if not (self.inside or (self.point.ran and self.point.step is None)):
            return {}
        trace = self.point.record.trace
        until = self.inside or len(trace)
        return {
            write.parameter: write for number, write in trace.writes if number < until and write.parameter
        }

    def grads(self) -> Mapping[str, Tensor | None]:
        """Return the `.grad` of each leaf at this place."""
        if not self.inside:
            return self.point.grads
        return {**self.settled.grads, **{name: write.after for name, write in self.writes().items()}}
