"""The loop of one epoch: its statements in order, which are enabled, where it stands, and its Python text."""

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
"""The two ways to zero, as they stand behind `w.grad`."""

STEP = ("optimizer.step()",)
ZERO_GRAD = {True: ("optimizer.zero_grad()",), False: ("optimizer.zero_grad(set_to_none=False)",)}
"""The two ways to zero with an optimizer, by whether they set to None."""


class Kind(StrEnum):
    """What a statement does."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the loop; its text may take several lines of Python."""

    kind: Kind
    lines: tuple[str, ...]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class At:
    """How far an epoch has come."""

    last: Kind | None = None
    """The statement that ran last; None before the first."""

    part: int = 0
    """Which part of the samples it had, counted from 0; always 0 where they are not split."""

    complete: bool = True
    """Whether no epoch is under way: the last one ran to its end, or none has begun."""

    updated: bool = False
    """Whether the part under way, of the epoch under way, has updated the parameters."""


START: Final = At()

Step: TypeAlias = tuple[Kind, int]
"""A statement, and the part of the samples that it runs for."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The statements of one epoch, and how far the epoch under way has come."""

    statements: tuple[Statement, ...]
    at: At = START

    set_to_none: bool = False
    """Whether zeroing sets each `.grad` to None, as `optimizer.zero_grad()` does, or writes zeros into it."""

    optimizer: Optimizer = HAND
    """What updates the parameters."""

    by_hand: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """The lines that update and zero by hand, while an optimizer's stand in their place."""

    split: Split | None = None
    """How the samples are split; None where every statement has them all."""

    inner: range = range(0)
    """The places of the statements that run for every part of the samples; empty where there are none."""

    @property
    def complete(self) -> bool:
        """Whether no epoch is under way."""
        return self.at.complete

    @property
    def batches(self) -> Batches:
        """How the samples are split."""
        return FULL if self.split is None else self.split.batches

    @property
    def has_updated(self) -> bool:
        """Whether the epoch under way has updated the parameters, for some part of the samples."""
        early = self.at.part > 0 and self.is_enabled(Kind.UPDATE) and self.is_inner(Kind.UPDATE)
        return not self.complete and (self.at.updated or early)

    @property
    def parts(self) -> int:
        """How many parts the samples are split into."""
        return 1 if self.split is None else self.split.parts

    @property
    def enabled(self) -> tuple[Kind, ...]:
        """The kinds that an epoch runs, in order, each once."""
        return tuple(statement.kind for statement in self.statements if statement.enabled)

    @property
    def epoch(self) -> tuple[Kind, ...]:
        """All that a whole epoch runs, in order: some kinds for every part of the samples."""
        return tuple(kind for kind, _ in self._steps())

    @property
    def next(self) -> Kind | None:
        """The statement that runs next; None where every one is commented out."""
        step = self.next_step
        return None if step is None else step[0]

    @property
    def next_step(self) -> Step | None:
        """The same, and its part of the samples."""
        at = self.at
        ahead = self._steps() if at.complete or at.last is None else self._steps(at.last, at.part)
        return next(ahead, None) or next(self._steps(), None)

    def rest(self) -> tuple[Kind, ...]:
        """Give what remains of the epoch under way; the whole epoch where none is."""
        return tuple(kind for kind, _ in self.rest_steps())

    def rest_steps(self) -> tuple[Step, ...]:
        """The same, each with its part of the samples."""
        step = self.next_step
        return () if step is None else (step, *self._steps(*step))

    def is_inner(self, kind: Kind) -> bool:
        """Whether a statement runs for every part of the samples."""
        return self._place(kind) in self.inner

    def ran(self, kind: Kind) -> tuple[Loop, int]:
        """Move past a statement that has just run.

        An epoch ends with the last enabled statement, or with the first one that runs out of order after
        an update. Running its last statement again, or one behind it, does not end it again; unless that is
        where the loop begins. A part of the samples ends like that, too.

        Returns:
            The loop as it then stands, and how many epochs have ended by it: 0, 1, or 2 where the statement
            both left an epoch behind and is all there is of the next.
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
        """Give the part of the samples that a statement has where it runs now, also out of order."""
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
        """Give how many epochs end with what remains of this one: 2 where it leaves one behind."""
        loop, ended = self, 0
        for kind in self.rest():
            loop, more = loop.ran(kind)
            ended += more
        return ended

    def _steps(self, after: Kind | None = None, part: int = 0) -> Iterator[Step]:
        """Give an epoch's steps, in order: all, or those after one of them."""
        begin = -1 if after is None else self._place(after)
        inner = [one.kind for one in self._slice(self.inner) if one.enabled]
        if begin < self.inner.start:
            yield from (
                (one.kind, 0) for one in self._slice(range(begin + 1, self.inner.start)) if one.enabled
            )
        if begin in self.inner:
            rest = self._slice(range(begin + 1, self.inner.stop))
            yield from ((one.kind, part) for one in rest if one.enabled)
        if begin < self.inner.stop:
            first = part + 1 if begin in self.inner else 0
            yield from ((kind, number) for number in range(first, self.parts) for kind in inner)
        outer = range(max(begin + 1, self.inner.stop), len(self.statements))
        yield from ((one.kind, self.parts - 1) for one in self._slice(outer) if one.enabled)

    def _slice(self, places: range) -> Iterator[Statement]:
        return islice(self.statements, places.start, max(places.start, places.stop))

    def _key(self, kind: Kind, part: int) -> tuple[int, int, int]:
        """Give what orders the steps of an epoch."""
        place = self._place(kind)
        region = 0 if place < self.inner.start else 1 if place in self.inner else 2
        return region, part if region == 1 else 0, place

    def toggled(self, kind: Kind) -> Loop:
        """Comment a statement out, or in again."""
        return replace(
            self,
            statements=tuple(
                replace(one, enabled=not one.enabled) if one.kind is kind else one for one in self.statements
            ),
        )

    def with_zeroing(self, *, set_to_none: bool) -> Loop:
        """Have zeroing set each `.grad` to None, or write zeros into it."""
        if set_to_none is self.set_to_none:
            return self
        loop = replace(self, set_to_none=set_to_none)
        if self.by_hand is None:
            return loop._with_lines({Kind.ZERO: _zeroing(self.lines(Kind.ZERO), set_to_none)})
        update, zero = self.by_hand
        loop = replace(loop, by_hand=(update, _zeroing(zero, set_to_none)))
        return loop._with_lines({Kind.ZERO: ZERO_GRAD[set_to_none]})

    def with_optimizer(self, optimizer: Optimizer) -> Loop:
        """Have an optimizer update and zero, or the hand-written lines again."""
        by_hand = self.by_hand or (self.lines(Kind.UPDATE), self.lines(Kind.ZERO))
        if optimizer.by_hand:
            update, zero = by_hand
            loop = replace(self, optimizer=optimizer, by_hand=None)
        else:
            update, zero = STEP, ZERO_GRAD[self.set_to_none]
            loop = replace(self, optimizer=optimizer, by_hand=by_hand)
        return loop._with_lines({Kind.UPDATE: update, Kind.ZERO: zero})

    def moved(self, kind: Kind, steps: int) -> Loop:
        """Move a statement one place down, or up where `steps` is -1; at an end of the loop it stays.

        Where it stands at an end of the inner loop, it goes into that, or comes out of it, and keeps its
        place. What ran has run: the next statement is the first enabled one after the new place of the last.
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
        others = [one for one in self.statements if one.kind is not kind]
        others.insert(max(place + steps, 0), self.statements[place])
        return replace(self, statements=tuple(others))

    def leaves_inner(self, kind: Kind, steps: int) -> bool:
        """Whether a move takes a statement out of the inner loop."""
        inner = self.inner
        return bool(inner) and self._place(kind) == (inner.stop - 1 if steps > 0 else inner.start)

    def with_split(self, split: Split | None, spelling: Spelling) -> Loop:
        """Split the samples: micro-batches run forward and backward for each part, mini-batches all lines.

        The loop begins anew with its first statement; one that was commented out stays so.
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
        """Whether an epoch runs `kind`."""
        return kind in self.enabled

    def lines(self, kind: Kind) -> tuple[str, ...]:
        """Give a statement's lines of Python."""
        return self.statements[self._place(kind)].lines

    def _with_lines(self, texts: Mapping[Kind, tuple[str, ...]]) -> Loop:
        changed = (replace(one, lines=texts.get(one.kind, one.lines)) for one in self.statements)
        return replace(self, statements=tuple(changed))

    def _place(self, kind: Kind) -> int:
        return next(place for place, one in enumerate(self.statements) if one.kind is kind)


def _zeroing(lines: tuple[str, ...], set_to_none: bool) -> tuple[str, ...]:
    """Write hand-written zeroing the other way."""
    old, new = (ZEROS, NONE) if set_to_none else (NONE, ZEROS)
    return tuple(text.removesuffix(old) + new if text.endswith(old) else text for text in lines)
