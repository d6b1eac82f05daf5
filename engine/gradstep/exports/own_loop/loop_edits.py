"""A loop's body with the learner's edits: conditions on the round, branches for other orders, the stop."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from gradstep.exports.own_loop.body_text import BodyText, commented
from gradstep.exports.own_loop.loop_plan import (
    AbandonedRound,
    Halt,
    LoopStep,
    RaisedStatement,
    RateChange,
    Steps,
)
from gradstep.exports.own_loop.round_sets import condition, in_words
from gradstep.exports.own_loop.text_edits import deeper, quoted

Shapes = Sequence[tuple[range, Steps]]
"""Rounds, and the steps that they ran."""


def edited_body(body: BodyText, shapes: Shapes, session: str) -> list[str] | None:
    """Return the lines of a loop's body in which each round runs its steps; None if the body can stay.

    Args:
        body: The statements as they are written.
        shapes: Rounds in order, with their steps.
        session: Name of the object that counts the rounds.
    """
    written = tuple(range(body.count))
    if all(steps == written for _, steps in shapes):
        return None
    return _Writer(body, session).lines(shapes)


@dataclass(slots=True)
class _Part:
    """A step with the rounds that run it, and those that must not."""

    step: LoopStep
    runs: list[range]
    others: list[range]


class _Writer:
    def __init__(self, body: BodyText, session: str) -> None:
        self._body, self._session, self._indent = body, session, body.indent
        self._told: set[int] = set()

    def lines(self, shapes: Shapes) -> list[str]:
        made = [
            line
            for key in range(self._body.count)
            if self._body.is_declaration(key)
            for line in self._body.statement(key, self._indent)
        ]
        rest: list[tuple[range, Steps]] = []
        for rounds, steps in shapes:
            while steps and isinstance(steps[0], RateChange):
                made += [
                    f"{self._indent}if {self._session}.round == {rounds.start}:",
                    *self._step(steps[0], deeper(self._indent)),
                ]
                steps = steps[1:]
            rest.append((rounds, tuple(step for step in steps if not self._declares(step))))
        order = _common_order(rest, [k for k in range(self._body.count) if not self._declares(k)])
        return [*made, *(self._branches(rest) if order is None else self._in_one_order(order, rest))]

    def _declares(self, step: LoopStep) -> bool:
        return isinstance(step, int) and self._body.is_declaration(step)

    def _in_one_order(self, order: Sequence[LoopStep], shapes: Shapes) -> list[str]:
        """Return the body with each step under the condition of the rounds that ran it."""
        made, before, inner = list[str](), "", deeper(self._indent)
        for part in [_part(step, order, shapes) for step in order]:
            test = condition(part.runs, part.others, self._session)
            if test is not None and test == before != "False":
                made += [*self._remarks(part.step, inner), *self._step(part.step, inner)]
                continue
            made += self._remarks(part.step, self._indent)
            before = test or ""
            if test is None:
                made += self._step(part.step, self._indent)
            elif test == "False":
                made += commented(self._step(part.step, self._indent), self._indent)
            else:
                is_told = isinstance(part.step, int)
                why = f"  # left out in {in_words(part.others)}" if is_told else ""
                made += [f"{self._indent}if {test}:{why}", *self._step(part.step, inner)]
        return made

    def _branches(self, shapes: Shapes) -> list[str]:
        """Return the body as one branch for each order in which its steps ran."""
        rounds_of: dict[Steps, list[range]] = {}
        for rounds, steps in shapes:
            rounds_of.setdefault(steps, []).append(rounds)
        made, inner = list[str](), deeper(self._indent)
        for number, (steps, runs) in enumerate(rounds_of.items()):
            others = [rounds for later in list(rounds_of)[number + 1 :] for rounds in rounds_of[later]]
            test = condition(runs, others, self._session)
            head = "else:" if test is None else f"{'el' if number else ''}if {test}:"
            made.append(f"{self._indent}{head}  # {in_words(runs)}")
            self._told.clear()
            for step in steps:
                made += [*self._remarks(step, inner), *self._step(step, inner)]
            if not steps:
                made.append(f"{inner}pass")
        return made

    def _remarks(self, step: LoopStep, indent: str) -> list[str]:
        key = step if isinstance(step, int) else None
        if key is None or key in self._told:
            return []
        self._told.add(key)
        return [f"{indent}{line}" if line else "" for line in self._body.remarks(key)]

    def _step(self, step: LoopStep, indent: str) -> list[str]:
        match step:
            case int():
                return self._body.statement(step, indent)
            case RateChange(rate):
                return [f"{indent}{self._session}.set_learning_rate({rate!r})"]
            case RaisedStatement(key, kind, part):
                return [
                    f"{indent}try:",
                    *self._body.statement(key, deeper(indent)),
                    f"{indent}except Exception:",
                    f"{deeper(indent)}{self._session}.expect({quoted(kind)}, {quoted(part)})",
                    f"{indent}else:",
                    f"{deeper(indent)}{self._session}.expect()",
                ]
            case AbandonedRound():
                return [f"{indent}continue"]
            case Halt():
                return [f"{indent}{self._session}.stop()"]


def _part(step: LoopStep, order: Sequence[LoopStep], shapes: Shapes) -> _Part:
    """Return the rounds that run a step, and those that must not; a round that left before may do either."""
    part = _Part(step, [], [])
    place = order.index(step)
    for rounds, steps in shapes:
        if step in steps:
            part.runs.append(rounds)
        elif not any(isinstance(s, Halt | AbandonedRound) and order.index(s) < place for s in steps):
            part.others.append(rounds)
    return part


def _common_order(shapes: Shapes, keys: Sequence[int]) -> list[LoopStep] | None:
    """Return all steps in an order that each round's steps are in; None if there is none."""
    steps: dict[LoopStep, float] = {key: float(key) for key in keys}
    after: dict[LoopStep, set[LoopStep]] = {key: set() for key in keys}
    for _, ran in shapes:
        if len(set(ran)) < len(ran):
            return None
        before = -1.0
        for number, step in enumerate(ran):
            place = float(step.key) if isinstance(step, RaisedStatement) else before + 0.3
            before = steps.setdefault(step, place)
            after.setdefault(step, set()).update(ran[number + 1 : number + 2])
    waits = {step: sum(step in following for following in after.values()) for step in steps}
    numbered = {step: number for number, step in enumerate(steps)}
    by_number = list(steps)
    ready = [(place, numbered[step]) for step, place in steps.items() if not waits[step]]
    heapq.heapify(ready)
    made: list[LoopStep] = []
    while ready:
        step = by_number[heapq.heappop(ready)[1]]
        made.append(step)
        for following in after[step]:
            waits[following] -= 1
            if not waits[following]:
                heapq.heappush(ready, (steps[following], numbered[following]))
    return made if len(made) == len(steps) else None
