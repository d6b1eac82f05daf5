"""The loop's next update: its change of the parameters, found without changing the session."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.errors import EngineError
from gradstep.loop.loop import Kind
from gradstep.training.state import State
from gradstep.training.stepper import Statements

ROUNDS: Final = 2
"""Rounds of the loop after which a loop that has not updated is known never to update."""


@dataclass(frozen=True, slots=True, eq=False)
class NextUpdate:
    """What the next update does, and with which gradients."""

    change: Sequence[Tensor]
    """Change of each parameter, shape `(numel,)`."""

    grads: Sequence[Tensor]
    """Each parameter's `.grad` at the update, shape `(numel,)`; zeros if it is None."""


def next_update(statements: Statements) -> NextUpdate | None:
    """Run the loop to its next update, and go back to the present; None if the loop does not come to one."""
    loop = statements.state.loop
    most = len(loop.rest()) + ROUNDS * len(loop.epoch)
    with statements.borrowed(writes_tensors=True), statements.unrecorded(), suppress(EngineError):
        for _ in range(most):
            before = statements.state
            if not before.in_pass and before.loop.next is Kind.UPDATE:
                statements.run(Kind.UPDATE)
                return _update_between(before, statements.state)
            statements.next_line()
    return None


def _update_between(before: State, after: State) -> NextUpdate:
    """Return the update that led from one state to the next.

    For the update by hand the change is computed from the gradients, which is more exact than the difference
    of two rounded values.
    """
    old, new = before.trainer, after.trainer
    grads = [
        torch.zeros_like(value).reshape(-1) if grad is None else grad.detach().reshape(-1)
        for value, grad in zip(old.parameters, old.grads, strict=True)
    ]
    if before.loop.optimizer.by_hand:
        return NextUpdate([-before.learning_rate * grad for grad in grads], grads)
    pairs = zip(old.parameters, new.parameters, strict=True)
    return NextUpdate([(value - old_value).reshape(-1) for old_value, value in pairs], grads)
