"""Why a script has no loop that can be stepped, and what is particular about a script, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gradstep.errors import EngineError
from gradstep.learner_code.places import Place
from gradstep.scripts.script_errors import Abandoned, ScriptError

__all__ = ["Abandoned", "Fact", "NotCaptured", "NotSteppable", "Noticed", "Obstacle"]


class Obstacle(StrEnum):
    """Reason for which no loop of a script can be stepped."""

    NO_BACKWARD = "no backward"
    """The script ran to its end, and called `backward` nowhere."""

    NO_LOOP = "no loop"
    """The script called `backward`, but in no loop; `NotCaptured.place` is the first place."""

    RAISED = "raised"
    """The script raised an exception before it reached a `backward` inside a loop."""

    EXITED = "exited"
    """The script ended itself, e.g. by `sys.exit()`."""

    IN_ANOTHER_THREAD = "in another thread"
    """The script called `backward` in a thread that it started itself."""

    UNREADABLE = "unreadable"
    """Python cannot compile the script."""

    OUT_OF_REACH = "out of reach"
    """A `yield` or an `await` comes before the first `backward`, and not in the same round each time."""


class NotCaptured(EngineError):  # noqa: N818 - named after what happened
    """A script has no loop that can be stepped."""

    def __init__(
        self,
        reason: Obstacle,
        error: BaseException | None = None,
        place: Place | None = None,
        facts: tuple[Noticed, ...] = (),
    ) -> None:
        """Make the error.

        Args:
            reason: The reason.
            error: Exception that the script raised; None if it raised none.
            place: The line that raised, or that called `backward`; None if it is not known.
            facts: What was noticed until then.
        """
        super().__init__(reason.value if place is None else f"{reason.value}: {place}")
        self.reason, self.error, self.place, self.facts = reason, error, place, facts


class NotSteppable(ScriptError):  # noqa: N818 - named after what happened
    """A script trains, but where it cannot be stepped."""

    def __init__(self, path: Path, found: NotCaptured) -> None:
        """Make the error for the script at a path."""
        place, text = ("", "") if found.place is None else (found.place.where, found.place.text)
        super().__init__(path, f"no loop can be stepped: {found.reason.value}", place=place, text=text)
        self.found = found


class Fact(StrEnum):
    """Something particular that a script did before it reached its loop, or in it."""

    CHANGED_FOLDER = "changed folder"
    """The script went to another folder; `Noticed.detail` is its path."""

    REPLACED_STREAM = "replaced stream"
    """The script replaced a standard stream; `Noticed.detail` is the stream's name."""

    STARTED_THREADS = "started threads"
    """Threads that the script started still run; `Noticed.detail` is their number."""

    FORKED = "forked"
    """The script itself made a copy of the process, by `os.fork`."""

    RAN_AGAIN = "ran again"
    """The script ran up to its loop more than once; `Noticed.detail` is how often."""

    SET_DTYPE = "set dtype"
    SET_DEVICE = "set device"
    SET_THREADS = "set threads"
    SET_GRAD_MODE = "set grad mode"
    """`Noticed.detail` is the value of the setting now."""

    BACKWARD_BEFORE = "backward before"
    """`backward` was called outside of any loop, before the loop; `Noticed.detail` is the place."""

    HANDS_OUT = "hands out"
    """The loop hands control to other code by `yield` or `await`, which cannot be taken back in place."""

    OVERTAKES = "overtakes"
    """Several frames run the loop at once: what is left of a round that another overtakes runs unseen."""

    NOT_PUT_BACK = "not put back"
    """The object named by `Noticed.detail` was changed by the first forward pass, and stays changed."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """One fact about a script."""

    fact: Fact
    detail: str = ""
