"""The backward passes of a line of actions: where each begins, what is looked at in it, how it ends.

An export runs a pass at once, where it begins, and asserts afterwards what was seen at its nodes: so it must
know beforehand what the actions that follow will look at.
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
    """The number of the moment that begins it."""

    seen: dict[int, int] = field(default_factory=dict)
    """For each event that was looked at, by its place: the number of the moment that first showed it."""

    taken_back: bool = False
    """Whether the learner stepped back to before it, so that its graph has to stay as it was."""

    @property
    def watched(self) -> bool:
        """Whether numbers were seen that only its nodes know; those of writes are known anyway."""
        return any(not is_write(self.events[place]) for place in self.seen)

    @property
    def written(self) -> tuple[str, ...]:
        """The parameters whose `.grad` it writes to."""
        writes = (event.accumulation for event in self.events if isinstance(event, NodeEvent))
        return tuple(write.parameter for write in writes if write and write.parameter)

    def new_at(self, moment: Moment) -> int | None:
        """Give the place of the event that a moment shows for the first time; None where there is none."""
        return next((place for place, number in self.seen.items() if number == moment.number), None)


def passes_of(moments: Sequence[Moment]) -> dict[int, Pass]:
    """Find, for each moment by its number, the pass that it shows; or, where it took one back, that one."""
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
