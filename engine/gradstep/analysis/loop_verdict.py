"""What an edited loop does to training, found out by running it beside the reference loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.judgement import Finding
from gradstep.ledger.ledger import since_zeroing
from gradstep.loop.loop import START, Kind, Loop
from gradstep.tensors.bitwise import differing, same_bits
from gradstep.tensors.element_index import element_name
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.state import State
from gradstep.training.stepper import Statements

EPOCHS: Final = 5
"""How many epochs of each loop are compared; a difference that zeroing makes shows in the second."""


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """The first number in which the two loops' parameters differ, after an epoch."""

    epoch: int
    """Counted from 1."""

    parameter: str
    index: tuple[int, ...]
    """Its place in the parameter."""

    value: float
    """With the edited loop."""

    reference: float
    """With the reference loop."""

    @property
    def name(self) -> str:
        """Name of the element, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the comparison."""

    finding: Finding
    epochs: int
    """How many epochs were compared."""

    difference: ParameterDifference | None = None
    """None where there is none."""

    error: PyTorchError | None = None
    """What PyTorch, or Python, refused; None where nothing was."""

    epoch: int = 1
    """The epoch, counted from 1, in which it was refused."""


def judge(statements: Statements, start: State, loop: Loop, reference: Loop, rate: float) -> Verdict:
    """Run `loop` and `reference` from the same start and compare every number after each epoch.

    Args:
        statements: Runs them; afterwards it is in the state that it was in.
        start: Where both begin.
        loop: The loop as edited.
        reference: What it is compared with.
        rate: The learning rate of both.
    """
    with statements.borrowed():
        wanted = _Watched(statements, start, reference, rate)
        wanted.run()
        edited = _Watched(statements, start, loop, rate)
        error = None
        try:
            edited.run()
        except PyTorchError as refused:
            error = refused
        difference = _first_difference(
            tuple(statements.trainer.problem.parameters), edited.after, wanted.after
        )
        return Verdict(edited.finding(difference, error), EPOCHS, difference, error, len(edited.after) + 1)


class _Watched:
    """A run of a loop's epochs, and what its updates were seen to use."""

    def __init__(self, statements: Statements, start: State, loop: Loop, rate: float) -> None:
        fresh = replace(loop, at=START)
        statements.return_to(replace(start, loop=fresh, learning_rate=rate))
        self._statements = statements
        self._differentiated: tuple[Tensor, ...] | None = None
        """The parameters' values that the last backward pass belongs to."""

        self.after: list[tuple[Tensor, ...]] = []
        """The parameters after each epoch."""

        self.moved = self.accumulated = self.dropped = self.stale = self.too_soon = False

    def run(self) -> None:
        for _ in range(EPOCHS):
            for kind in self._statements.state.loop.epoch:
                self._run(kind)
            self.after.append(self._statements.state.trainer.parameters)

    def finding(self, difference: ParameterDifference | None, error: PyTorchError | None) -> Finding:
        if error is not None:
            grads = self._statements.state.trainer.grads
            too_soon = self._statements.state.loop.next is Kind.UPDATE and None in grads
            return Finding.UPDATES_TOO_SOON if too_soon else Finding.RAISES
        if not self.moved:
            return Finding.NEVER_UPDATES
        if difference is None:
            return Finding.EQUIVALENT
        if self.accumulated:
            return Finding.ACCUMULATES
        if self.dropped:
            return Finding.DROPS
        if self.too_soon:
            return Finding.UPDATES_TOO_SOON
        return Finding.STALE if self.stale else Finding.DIFFERS

    def _run(self, kind: Kind) -> None:
        before = self._statements.state
        if kind is Kind.UPDATE:
            self._look(before)
        self._statements.run(kind)
        after = self._statements.state
        if kind is Kind.BACKWARD and after.trainer.forward is not None:
            self._differentiated = after.trainer.forward.parameters
        self.moved |= not _same(before.trainer.parameters, after.trainer.parameters)

    def _look(self, state: State) -> None:
        """See what an update is about to use; where that is None, an optimizer does not complain."""
        self.too_soon |= None in state.trainer.grads
        shares = state.loop.is_inner(Kind.BACKWARD) and not state.loop.is_inner(Kind.UPDATE)
        for name in self._statements.trainer.problem.parameters:
            parts = since_zeroing(state.ledger.newest_first(name))
            # The shares of one epoch's parts belong together.
            self.accumulated |= len({part.epoch if shares else part.number for part in parts}) > 1
            self.dropped |= shares and len({part.number for part in parts}) < state.loop.parts
        self.stale |= self._differentiated is not None and not _same(
            self._differentiated, state.trainer.parameters
        )


def _first_difference(
    names: Sequence[str], found: Sequence[tuple[Tensor, ...]], wanted: Sequence[tuple[Tensor, ...]]
) -> ParameterDifference | None:
    for epoch, (ones, others) in enumerate(zip(found, wanted, strict=False), 1):
        for name, one, other in zip(names, ones, others, strict=True):
            if not same_bits(one, other):
                # Bits differ, and numbers may not: 0.0 and -0.0, or two kinds of nan.
                for index in torch.nonzero(differing(one, other)).tolist()[:1]:
                    place = tuple(index)
                    return ParameterDifference(epoch, name, place, one[place].item(), other[place].item())
    return None


def _same(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return all(map(same_bits, one, other))
