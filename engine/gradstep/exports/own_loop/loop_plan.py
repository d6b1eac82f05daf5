"""What ran of a script's own loop, round by round, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RateChange:
    """A learning rate that was set for all parameter groups of the loop's optimizers."""

    rate: float


@dataclass(frozen=True, slots=True)
class RaisedStatement:
    """A statement that raised an exception."""

    key: int
    """Key of the statement."""

    kind: str
    """Class of the exception, e.g. `RuntimeError`."""

    part: str
    """Part of the message that is the same whenever the exception is raised; may be empty."""


@dataclass(frozen=True, slots=True)
class AbandonedRound:
    """The rest of the round was left out, as after an exception in a run of rounds."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The point at which the session stands, inside a round."""


LoopStep: TypeAlias = int | RateChange | RaisedStatement | AbandonedRound | Halt
"""Key of a statement that ran, or something else that was done between statements."""

Steps: TypeAlias = tuple[LoopStep, ...]


@dataclass(frozen=True, slots=True)
class RoundsRun:
    """Rounds in a row in which the same statements ran in the same order."""

    count: int
    steps: Steps | None = None
    """Statements that ran, in order; None for the round as it is written."""


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """All that ran of a loop since it was captured."""

    runs: tuple[RoundsRun, ...]
    """Rounds that are over."""

    last: Steps = ()
    """What ran of the round under way; empty at the begin of a round."""

    over: bool = False
    """Whether the loop is over."""

    @property
    def rounds(self) -> int:
        """Number of rounds that are over."""
        return sum(run.count for run in self.runs)

    def shapes(self, count: int) -> Iterator[tuple[range, Steps]]:
        """Yield the rounds, counted from 1, with the steps that they ran, the round under way last.

        Args:
            count: Number of statements in the loop's body.
        """
        first = 1
        for run in self.runs:
            yield range(first, first + run.count), tuple(range(count)) if run.steps is None else run.steps
            first += run.count
        if self.last:
            yield range(first, first + 1), (*self.last, Halt())


def joined_runs(runs: Iterable[RoundsRun]) -> tuple[RoundsRun, ...]:
    """Return runs with those of equal steps in a row joined."""
    made: list[RoundsRun] = []
    for run in runs:
        if made and made[-1].steps == run.steps:
            made[-1] = RoundsRun(made[-1].count + run.count, run.steps)
        else:
            made.append(run)
    return tuple(made)
