"""Tells a screen when work in a thread has ended."""

from __future__ import annotations

from typing import Any

from textual.message import Message

from gradstep.actions import Action, GoTo, RunEpochs, RunOuter
from gradstep.errors import EngineError
from gradstep_tui.session.jobs import Job


class WorkEnded(Message):
    """Posted when the work has ended, with its result or the engine's error."""

    def __init__(self, error: EngineError | None, result: Any, job: Job | None = None) -> None:
        """Carry the error, or None, the result, and the job whose work has ended."""
        super().__init__()
        self.error = error
        self.result = result
        self.job = job

    @classmethod
    def of(cls, job: Job) -> WorkEnded:
        """Return the message about a job that has ended."""
        return cls(job.error, job.result, job)


def takes_long(action: Action) -> bool:
    """Whether an action may run many epochs."""
    match action:
        case RunEpochs(count):
            return count > 1
        case RunOuter():
            return True
        case GoTo(_, inside):
            return inside > 1
        case _:
            return False
