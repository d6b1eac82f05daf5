"""The verdict: the effect of an edited loop on training, found by running it beside the reference loop."""

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
"""Number of epochs of each loop that are compared; the effect of zeroing shows in the second epoch."""


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """The first element in which the parameters of the two loops differ."""

    epoch: int
    """Epoch after which the element differs, counted from 1."""

    parameter: str
    """Name of the parameter."""

    index: tuple[int, ...]
    """Index of the element in the parameter."""

    value: float
    """Value with the edited loop."""

    reference: float
    """Value with the reference loop."""

    @property
    def name(self) -> str:
        """Name of the element, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on an edited loop."""

    finding: Finding
    """Effect of the edited loop on training."""

    epochs: int
    """Number of epochs that were compared."""

    difference: ParameterDifference | None = None
    """First difference from the reference loop's numbers; None if there is none."""

    error: PyTorchError | None = None
    """Error that PyTorch or Python raised in the edited loop; None if none was."""

    epoch: int = 1
    """Epoch in which the error was raised, counted from 1."""


def judge(statements: Statements, start: State, loop: Loop, reference: Loop, rate: float) -> Verdict:
    """Return the verdict on `loop`: both loops run from the same start, and every number is compared.

    Args:
        statements: Runs the loops; ends in the state in which it began.
        start: State from which both loops start.
        loop: The edited loop.
        reference: The reference loop.
        rate: Learning rate of both loops.

    Raises:
        PyTorchError: PyTorch refused the reference loop.
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
        difference = first_difference(
            tuple(statements.trainer.problem.parameters), edited.after, wanted.after
        )
        return Verdict(edited.finding(difference, error), EPOCHS, difference, error, len(edited.after) + 1)


class _Watched:
    """A run of a loop's epochs that notes which gradients the updates use."""

    def __init__(self, statements: Statements, start: State, loop: Loop, rate: float) -> None:
        fresh = replace(loop, at=START)
        statements.return_to(replace(start, loop=fresh, learning_rate=rate))
        self._statements = statements
        self._differentiated: tuple[Tensor, ...] | None = None
        """Values of the parameters at which the last backward pass differentiated."""

        self.after: list[tuple[Tensor, ...]] = []
        """Values of the parameters after each epoch."""

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
        """Note which gradients the next update will use; an optimizer skips a `.grad` of None in silence."""
        self.too_soon |= None in state.trainer.grads
        shares = state.loop.is_inner(Kind.BACKWARD) and not state.loop.is_inner(Kind.UPDATE)
        for name in self._statements.trainer.problem.parameters:
            parts = since_zeroing(state.ledger.newest_first(name))
            # Parts of one epoch whose gradients add up before one update count as one.
            self.accumulated |= len({part.epoch if shares else part.number for part in parts}) > 1
            self.dropped |= shares and len({part.number for part in parts}) < state.loop.parts
        self.stale |= self._differentiated is not None and not _same(
            self._differentiated, state.trainer.parameters
        )


def first_difference(
    names: Sequence[str], found: Sequence[tuple[Tensor, ...]], wanted: Sequence[tuple[Tensor, ...]]
) -> ParameterDifference | None:
    """Return the first element in which the parameters after each epoch differ; None if none does."""
    for epoch, (edited, reference) in enumerate(zip(found, wanted, strict=False), 1):
        for name, mine, other in zip(names, edited, reference, strict=True):
            if not same_bits(mine, other):
                # Tensors of different bits may have equal numbers: 0.0 and -0.0, or two kinds of nan.
                for index in torch.nonzero(differing(mine, other)).tolist()[:1]:
                    at = tuple(index)
                    return ParameterDifference(epoch, name, at, mine[at].item(), other[at].item())
    return None


def _same(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return all(map(same_bits, one, other))
