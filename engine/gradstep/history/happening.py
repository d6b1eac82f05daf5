"""What an action did, as far as its own name does not say: which event of a pass, or which statement.

Importing this module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from gradstep.loop.loop import StatementKey


class EventKind(Enum):
    """Kind of event of a backward pass."""

    NODE = auto()
    PATHS = auto()
    """The engine added the gradients of several paths."""

    REDUCED = auto()
    """The engine summed a gradient to the shape of a broadcast input."""

    CAST = auto()
    """The engine cast a gradient to the dtype of its tensor."""

    HOOK = auto()


@dataclass(frozen=True, slots=True)
class EventReached:
    """The event of a backward pass to which an action stepped."""

    number: int
    """Number of the event in its pass, counted from 1."""

    kind: EventKind
    name: str
    """Name as in the list of events: `Mul`, `-> w.grad`; `engine` or `hook` between nodes."""

    source: str = ""
    """Forward expression that made the node; empty if none is known."""

    parts: int = 0
    """Number of gradients, or of elements for each of the result, that were added; 0 for any other event."""


@dataclass(frozen=True, slots=True)
class StatementDone:
    """The statement of the loop that an action ran."""

    key: StatementKey


@dataclass(frozen=True, slots=True)
class StatementSwitched:
    """The statement of the loop that an action commented out, or brought back."""

    key: StatementKey
    enabled: bool
    """Whether a round runs the statement afterwards."""


Happening = EventReached | StatementDone | StatementSwitched
