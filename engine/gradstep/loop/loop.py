"""The loop of one epoch: its statements in order, which of them are enabled, and how far it has run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Final, TypeAlias

from gradstep.loop.batches import FULL, Batches, Split
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.loop.script_names import Spelling

ZEROS, NONE = ".zero_()", " = None"
"""Endings of a line that zeroes `w.grad`: in place, and by setting it to None."""

STEP = ("optimizer.step()",)
ZERO_GRAD = {True: ("optimizer.zero_grad()",), False: ("optimizer.zero_grad(set_to_none=False)",)}
"""Lines that zero with an optimizer, by whether they set `.grad` to None."""


class Kind(StrEnum):
    """Kind of a statement."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"
    ZERO = "zero"


StatementKey: TypeAlias = Kind | int
"""Key of a statement: its kind in the built-in loop, its position in the body of a script's own loop."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the loop, of one or several lines of Python."""

    kind: Kind
    lines: tuple[str, ...]
    enabled: bool = True

    @property
    def key(self) -> Kind:
        """Key of the statement among those of its loop."""
        return self.kind


@dataclass(frozen=True, slots=True)
class At:
    """Position within an epoch."""

    last: Kind | None = None
    """Statement that ran last; None before the first statement."""

    part: int = 0
    """Part of the samples that the last statement had, counted from 0; 0 if the samples are not split."""

    complete: bool = True
    """Whether no epoch is under way: the last epoch has ended, or none has begun."""

    updated: bool = False
    """Whether the part under way has updated the parameters in the epoch under way."""


LOOP_FILE: Final = "<the loop: "
"""Beginning of the name that Python has for the file of the loop's own lines."""

START: Final = At()

Step: TypeAlias = tuple[Kind, int]
"""Statement, and the index of the part of the samples that it runs for."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Statements of one epoch, and the position within the epoch under way."""

    statements: tuple[Statement, ...]
    at: At = START

    set_to_none: bool = False
    """Whether zeroing sets each `.grad` to None, as `optimizer.zero_grad()` does, or writes zeros into it."""

    optimizer: Optimizer = HAND
    """Optimizer that updates the parameters."""

    by_hand: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Lines that update and zero by hand, while an optimizer's lines replace them; else None."""

    split: Split | None = None
    """Split of the samples; None if every statement has all samples."""

    inner: range = range(0)
    """Indices of the statements that run for every part of the samples; empty without a split."""

    @property
    def complete(self) -> bool:
        """Whether no epoch is under way."""
        return self.at.complete

    @property
    def batches(self) -> Batches:
        """Way in which the samples are split."""
        return FULL if self.split is None else self.split.batches

    @property
    def has_updated(self) -> bool:
        """Whether the epoch under way has updated the parameters for some part of the samples."""
        early = self.at.part > 0 and self.is_enabled(Kind.UPDATE) and self.is_inner(Kind.UPDATE)
        return not self.complete and (self.at.updated or early)

    @property
    def parts(self) -> int:
        """Number of parts of the samples; 1 without a split."""
        return 1 if self.split is None else self.split.parts

    @property
    def enabled(self) -> tuple[Kind, ...]:
        """Kinds of the statements that an epoch runs, in order, each once."""
        return tuple(statement.kind for statement in self.statements if statement.enabled)

    @property
    def epoch(self) -> tuple[Kind, ...]:
        """Kinds of all statements that an epoch runs, in order; some run for every part of the samples."""
        return tuple(kind for kind, _ in self._steps())

    @property
    def next(self) -> Kind | None:
        """Statement that runs next; None if every statement is commented out."""
        step = self.next_step
        return None if step is None else step[0]

    @property
    def next_step(self) -> Step | None:
        """Statement that runs next with its part of the samples; None if every one is commented out."""
        at = self.at
        ahead = self._steps() if at.complete or at.last is None else self._steps(at.last, at.part)
        return next(ahead, None) or next(self._steps(), None)

    def rest(self) -> tuple[Kind, ...]:
        """Return the rest of the epoch under way, or a whole epoch if none is under way."""
        return tuple(kind for kind, _ in self.rest_steps())

    def rest_steps(self) -> tuple[Step, ...]:
        """Return the rest of the epoch, each statement with its part of the samples."""
        step = self.next_step
        return () if step is None else (step, *self._steps(*step))

    def is_inner(self, kind: Kind) -> bool:
        """Return whether a statement runs for every part of the samples."""
        return self._place(kind) in self.inner

    def ran(self, kind: Kind) -> tuple[Loop, int]:
        """Move past a statement that has just run.

        An epoch ends with its last enabled statement, or with the first statement that runs out of order
        after an update. Running the last statement again, or a later statement, does not end the epoch again,
        unless the loop begins there. A part of the samples ends in the same way.

        Returns:
            The loop after the statement, and the number of epochs that ended: 0, 1, or 2 if the statement
            ended an epoch and is also the only statement of the next epoch.
        """
        at, part = self.at, self.part_of(kind)
        wraps = at.last is not None and self._key(kind, part) < self._key(at.last, at.part)
        if at.complete and at.last is not None and not wraps and kind is not self.next:
            return replace(self, at=replace(at, last=kind, part=part)), 0
        ended = int(wraps and not at.complete and at.updated)
        anew = ended or at.complete or part != at.part
        updated = kind is Kind.UPDATE or (at.updated and not anew)
        if next(self._steps(kind, part), None) is None and kind in self.enabled:
            return replace(self, at=At(kind, part, complete=True)), ended + 1
        return replace(self, at=At(kind, part, complete=False, updated=updated)), ended

    def part_of(self, kind: Kind) -> int:
        """Return the part of the samples that a statement has if it runs now, in order or not."""
        at, step = self.at, self.next_step
        if self.split is None or at.last is None:
            return 0
        if step is not None and step[0] is kind:
            return step[1]
        place, last = self._place(kind), self._place(at.last)
        if place not in self.inner:
            return 0 if place < self.inner.start else self.parts - 1
        if last not in self.inner or (at.complete and place < last):
            return 0
        if place < last and at.updated:  # it leaves that part behind
            return (at.part + 1) % self.parts
        return at.part

    def ended_by_rest(self) -> int:
        """Return how many epochs end with the rest of this epoch: 1, or 2 if it also ends an earlier one."""
        loop, ended = self, 0
        for kind in self.rest():
            loop, more = loop.ran(kind)
            ended += more
        return ended

    def _steps(self, after: Kind | None = None, part: int = 0) -> Iterator[Step]:
        """Yield an epoch's steps in order: a statement's kind, and the number of its part of the samples.

        Args:
            after: Statement of the last step that is left out; None to yield all steps.
            part: Part of the samples of that step, counted from 0.
        """
        begin = -1 if after is None else self._place(after)
        inner = [*self._enabled(self.inner)]
        if begin < self.inner.start:
            yield from ((kind, 0) for kind in self._enabled(range(begin + 1, self.inner.start)))
        if begin in self.inner:
            yield from ((kind, part) for kind in self._enabled(range(begin + 1, self.inner.stop)))
        if begin < self.inner.stop:
            first = part + 1 if begin in self.inner else 0
            yield from ((kind, number) for number in range(first, self.parts) for kind in inner)
        outer = range(max(begin + 1, self.inner.stop), len(self.statements))
        yield from ((kind, self.parts - 1) for kind in self._enabled(outer))

    def _enabled(self, places: range) -> Iterator[Kind]:
        """Yield the kinds of the enabled statements at consecutive places."""
        statements = islice(self.statements, places.start, max(places.start, places.stop))
        return (statement.kind for statement in statements if statement.enabled)

    def _key(self, kind: Kind, part: int) -> tuple[int, int, int]:
        """Return a sort key that orders the steps of an epoch."""
        place = self._place(kind)
        region = 0 if place < self.inner.start else 1 if place in self.inner else 2
        return region, part if region == 1 else 0, place

    def toggled(self, kind: Kind) -> Loop:
        """Return the loop with a statement commented out, or brought back."""
        return replace(
            self,
            statements=tuple(
                replace(statement, enabled=not statement.enabled) if statement.kind is kind else statement
                for statement in self.statements
            ),
        )

    def with_zeroing(self, *, set_to_none: bool) -> Loop:
        """Return the loop with zeroing that sets each `.grad` to None, or writes zeros into it."""
        if set_to_none is self.set_to_none:
            return self
        loop = replace(self, set_to_none=set_to_none)
        if self.by_hand is None:
            return loop._with_lines({Kind.ZERO: _zeroing(self.lines(Kind.ZERO), set_to_none)})
        update, zero = self.by_hand
        loop = replace(loop, by_hand=(update, _zeroing(zero, set_to_none)))
        return loop._with_lines({Kind.ZERO: ZERO_GRAD[set_to_none]})

    def with_optimizer(self, optimizer: Optimizer) -> Loop:
        """Return the loop with an optimizer that updates and zeroes, or with the hand-written lines."""
        by_hand = self.by_hand or (self.lines(Kind.UPDATE), self.lines(Kind.ZERO))
        if optimizer.by_hand:
            update, zero = by_hand
            loop = replace(self, optimizer=optimizer, by_hand=None)
        else:
            update, zero = STEP, ZERO_GRAD[self.set_to_none]
            loop = replace(self, optimizer=optimizer, by_hand=by_hand)
        return loop._with_lines({Kind.UPDATE: update, Kind.ZERO: zero})

    def moved(self, kind: Kind, steps: int) -> Loop:
        """Return the loop with a statement one place down, or up if `steps` is -1.

        At an end of the loop the statement stays. At an edge of the inner loop it enters or leaves that loop
        and keeps its place. The next statement is the first enabled one after the new place of the last one.
        """
        place, inner = self._place(kind), self.inner
        down = steps > 0
        if self.leaves_inner(kind, steps) and kind is Kind.FORWARD:
            return self
        if self.leaves_inner(kind, steps):
            return self._with_inner(
                range(inner.start, inner.stop - 1) if down else range(place + 1, inner.stop)
            )
        if inner and place == (inner.start - 1 if down else inner.stop):
            return self._with_inner(range(place, inner.stop) if down else range(inner.start, inner.stop + 1))
        others = [statement for statement in self.statements if statement.kind is not kind]
        others.insert(max(place + steps, 0), self.statements[place])
        return replace(self, statements=tuple(others))

    def leaves_inner(self, kind: Kind, steps: int) -> bool:
        """Return whether a move takes a statement out of the inner loop."""
        inner = self.inner
        return bool(inner) and self._place(kind) == (inner.stop - 1 if steps > 0 else inner.start)

    def with_split(self, split: Split | None, spelling: Spelling) -> Loop:
        """Return the loop with split samples, at its first statement.

        Micro-batches run forward and backward for each part, mini-batches run every statement. A statement
        that was commented out stays commented out.
        """
        places = [self._place(kind) for kind in (Kind.FORWARD, Kind.BACKWARD)]
        if split is None:
            inner = range(0)
        elif split.accumulates:
            inner = range(min(places), max(places) + 1)
        else:
            inner = range(len(self.statements))
        split = None if split is None else spelling.spelled(split)
        loop = replace(self, split=split, inner=inner, at=START)
        return loop._with_lines({Kind.FORWARD: spelling.forward_on(split)})

    def _with_inner(self, inner: range) -> Loop:
        part = self.at.part if self.at.last is not None and self._place(self.at.last) in inner else 0
        return replace(self, inner=inner, at=replace(self.at, part=part))

    def is_enabled(self, kind: Kind) -> bool:
        """Return whether an epoch runs a kind of statement."""
        return kind in self.enabled

    def lines(self, kind: Kind) -> tuple[str, ...]:
        """Return a statement's lines of Python."""
        return self.statements[self._place(kind)].lines

    def _with_lines(self, texts: Mapping[Kind, tuple[str, ...]]) -> Loop:
        changed = (
            replace(statement, lines=texts.get(statement.kind, statement.lines))
            for statement in self.statements
        )
        return replace(self, statements=tuple(changed))

    def _place(self, kind: Kind) -> int:
        return next(place for place, statement in enumerate(self.statements) if statement.kind is kind)


def _zeroing(lines: tuple[str, ...], set_to_none: bool) -> tuple[str, ...]:
    """Return hand-written zeroing lines that write zeros, or set to None."""
    old, new = (ZEROS, NONE) if set_to_none else (NONE, ZEROS)
    return tuple(text.removesuffix(old) + new if text.endswith(old) else text for text in lines)
