"""Losses of the rounds that a script runs at its own speed."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import Tensor

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import ComingPass
from gradstep.script_training.script_names_found import total_of


class RoundLosses:
    """Loss of each round: what its first pass differentiates, or else a new tensor in the loss's variable."""

    def __init__(self, loop: CapturedLoop, name: str, add: Callable[[float], None]) -> None:
        """Begin at the begin of a round.

        Args:
            loop: The script's loop.
            name: Variable that holds the loss; empty if none does.
            add: Called with the loss of each round; nan if it had none.
        """
        self._loop, self._name, self._add = loop, name, add
        self._added = loop.position.done
        self._outputs: tuple[Tensor, ...] | None = None
        self._known: weakref.ref[Tensor] | None = None
        self._new_value()
        self.last: Tensor | None = None
        """The last loss; None if there was none."""

    def seen(self, made: ComingPass) -> None:
        """Take note of a pass."""
        if made.accumulates and self._outputs is None:
            self._outputs = made.outputs

    def end_round(self) -> None:
        """Add the loss of the round that has just ended."""
        value = self._new_value()
        outputs = self._outputs or (None if value is None else (value,))
        self._outputs, self._added = None, self._added + 1
        if outputs is None:
            self._add(float("nan"))
            return
        self.last = total_of(outputs)
        self._add(float(self.last.item()))

    def end(self) -> None:
        """Add the loss of the last round, whose end was not seen."""
        while self._added < self._loop.position.done:
            self.end_round()

    def _new_value(self) -> Tensor | None:
        """Return the tensor in the loss's variable; None if it has no graph, or was there a round before."""
        value = self._loop.value_of(self._name) if self._name else None
        if not isinstance(value, Tensor) or value.grad_fn is None:
            return None
        if self._known is not None and self._known() is value:
            return None
        self._known = weakref.ref(value)
        return value
