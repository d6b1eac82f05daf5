"""The backward passes of a sequence of actions, and the events of each that the session showed.

An export runs a backward pass in one go, in the cell that begins it, and asserts what was shown at the nodes
in later cells. So it must know beforehand which events later actions show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradstep.actions import StepNodeBack
from gradstep.autograd.events import Event, NodeEvent
from gradstep.exports.recording.moments import Moment


@dataclass(eq=False, slots=True)
class Pass:
    """One recorded backward pass."""

    events: tuple[Event, ...]
    first: int
    """Number of the moment that begins the pass."""

    seen: dict[int, int] = field(default_factory=dict)
    """Number of the moment that first showed an event, by the event's index in `events`."""

    taken_back: bool = False
    """Whether the learner stepped back to before the pass, so that its graph has to be retained."""

    @property
    def watched(self) -> bool:
        """Whether the learner saw an event other than a write to a `.grad`, whose numbers need hooks."""
        return any(not is_write(self.events[place]) for place in self.seen)

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the parameters whose `.grad` the pass writes to."""
        writes = (event.accumulation for event in self.events if isinstance(event, NodeEvent))
        return tuple(write.parameter for write in writes if write and write.parameter)

    def new_at(self, moment: Moment) -> int | None:
        """Return the index of the event that a moment is the first to show; None if it shows nothing new."""
        return next((place for place, number in self.seen.items() if number == moment.number), None)


def passes_of(moments: Sequence[Moment]) -> dict[int, Pass]:
    """Return the pass that each moment shows or steps back out of, by the moment's number."""
    passes: dict[int, Pass] = {}
    current: Pass | None = None
    for moment in moments:
        shown = moment.after.backward
        if shown is None:
            if current is not None and isinstance(moment.action, StepNodeBack):
                current.taken_back = True
                passes[moment.number] = current
            current = None
            continue
        if current is None or shown.events is not current.events:
            current = Pass(shown.events, moment.number)
        if shown.done:
            current.seen.setdefault(shown.done - 1, moment.number)
        passes[moment.number] = current
    return passes


def is_write(event: Event) -> bool:
    """Whether an event is a parameter's `AccumulateGrad`."""
    return isinstance(event, NodeEvent) and event.accumulation is not None
