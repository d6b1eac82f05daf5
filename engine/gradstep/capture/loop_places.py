"""Loops and statements of a learner's script as frozen facts: which lines they are, and what they are for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LoopKind(StrEnum):
    """Kind of a loop."""

    FOR = "for"
    ASYNC_FOR = "async for"
    WHILE = "while"

    NONE = "none"
    """No loop: statements that run once, from the first that makes the graph to the end of its body."""


class Parking(StrEnum):
    """Why a script is parked."""

    ROUND = "round"
    """A round of the stepped loop begins; its batch has been drawn."""

    STATEMENT = "statement"
    """A statement has run in the frame of the loop itself, for it holds `yield` or `await`."""

    FAILED = "failed"
    """The round under way raised an exception."""

    OVER = "over"
    """The outermost loop ends: nothing after it runs."""

    ENDED = "ended"
    """The script itself has ended: who asked a generator for values did not ask for more."""


class Control(StrEnum):
    """Way in which a statement leaves its round."""

    NEXT = "next"
    """It does not: the next statement follows."""

    CONTINUE = "continue"
    BREAK = "break"
    RETURN = "return"

    RAISED = "raised"
    """It raised what a `try` around the loop's body may handle, which decides how the script goes on."""


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines of a file, counted from 1, both included."""

    first: int
    last: int

    def __contains__(self, line: int) -> bool:
        """Return whether a line is one of these."""
        return self.first <= line <= self.last


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """One statement of a loop's body, as it stands in the script."""

    index: int
    """Position in the body, counted from 0."""

    lines: LineRange
    text: str
    """Source of the statement without its indentation."""

    is_compound: bool
    """Whether the statement holds others, as `with`, `if`, `try` and inner loops do; it runs as a whole."""


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """One loop, as it stands in a learner's file."""

    file: str
    function: str
    """Qualified name of the function that the loop stands in, e.g. `Trainer.fit`; empty at top level."""

    kind: LoopKind
    header: str
    """Text of the loop's first line, e.g. `for x, y in loader:`; empty for statements that run once."""

    lines: LineRange
    """Lines of the whole loop, with its `else`."""

    body: tuple[StatementPlace, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a captured loop stands."""

    rounds: tuple[int, ...]
    """Rounds that each enclosing loop has begun, outermost first, the stepped loop last; each from 1."""

    done: int
    """Rounds of the stepped loop that are over, since the capture."""

    over: bool
    """Whether the loop is over: its last round has run, or it was left."""
