"""What there is to draw of a session, beside its numbers. Asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from torch import Tensor

from gradstep.captured_output import KeptFromTerminal
from gradstep.errors import BadInput, EngineError
from gradstep.history.annotations import Mark, marks
from gradstep.history.checkpoints import Travel
from gradstep.history.tree import History
from gradstep.ledger.gradient_norms import Sizes, gradient_sizes
from gradstep.loop.loop import Kind
from gradstep.pictures.decision_regions import Regions, regions
from gradstep.pictures.elements import ParameterElement, count_places, number_of, place_at
from gradstep.pictures.fit import Fit, fit
from gradstep.pictures.loss_surface import Surface, surface
from gradstep.pictures.trajectory import Trajectory, find_trajectory
from gradstep.training.state import State
from gradstep.training.stepper import Statements

ROUNDS: Final = 2
"""Rounds of the loop within which the next update comes, if ever."""


class Pictures:
    """Computes what pictures show."""

    def __init__(self, statements: Statements, history: History, travel: Travel) -> None:
        """Look at a session, for as long as it stays as it is."""
        self._statements, self._history, self._travel = statements, history, travel
        self._parameters = statements.trainer.problem.parameters
        self._path: Trajectory | None = None
        self.count = count_places(self._parameters)
        """How many numbers all parameters have."""

    def place(self, number: int) -> ParameterElement:
        """Give a number of a parameter; they are counted from 0 through all parameters in their order."""
        return place_at(self._parameters, number)

    def number(self, name: str) -> int:
        """Give the number of an element by its name, e.g. `w[0, 2]`; blanks do not matter.

        Raises:
            BadInput: there is none of that name.
        """
        return number_of(self._parameters, name)

    def surface(self, one: int = 0, other: int = 1, stopped: Callable[[], bool] = lambda: False) -> Surface:
        """Compute the loss over two numbers of the parameters, with the others as they are.

        Raises:
            BadInput: these are no two numbers.
            Stopped: `stopped` said so.
            PyTorchError: PyTorch refused a forward or a backward pass.
            NotAScalar: the loss is not one number.
        """
        if one == other or not (0 <= one < self.count and 0 <= other < self.count):
            raise BadInput(f"a surface needs two numbers of the {self.count:,} that all parameters have")
        places = self.place(one), self.place(other)
        with self._unchanged():
            path = self._found_path(stopped)
            rng = self._statements.state.trainer.rng
            step = self._next_step()
            return surface(self._statements.trainer.problem, places, path, rng, step, stopped)

    def path(self, stopped: Callable[[], bool] = lambda: False) -> Trajectory:
        """Find where the parameters were.

        Raises:
            Stopped: `stopped` said so.
        """
        with self._unchanged():
            return self._found_path(stopped)

    def fit(self) -> Fit:
        """Compare predictions and targets at the present parameters.

        Raises:
            PyTorchError: the model or the loss function raised.
            BadInput: there is not one prediction for each target.
        """
        with self._unchanged():
            return fit(self._statements.trainer.problem, self._statements.state.trainer.rng)

    def regions(self) -> tuple[Regions, ...]:
        """Compute what the model predicts over its two inputs; nothing where it has not two.

        Raises:
            PyTorchError: the model or the loss function raised.
            BadInput: the model cannot be asked about other inputs than the problem's.
        """
        with self._unchanged():
            return regions(self._statements.trainer.problem, self._statements.state.trainer.rng)

    def sizes(self) -> tuple[Sizes, ...]:
        """Give how large each parameter's gradients were, pass by pass."""
        return gradient_sizes(tuple(self._parameters), self._statements.state.ledger)

    def marks(self) -> tuple[Mark, ...]:
        """Give what was done between epochs that shows in the curve of losses."""
        return marks(self._history)

    def _found_path(self, stopped: Callable[[], bool]) -> Trajectory:
        if self._path is None:
            self._path = find_trajectory(self._statements, self._history, self._travel, stopped)
        return self._path

    def _next_step(self) -> list[Tensor] | None:
        """Run the loop to its next update; give what that adds to each parameter, flat, or None."""
        statements, state = self._statements, self._statements.state
        most = len(state.loop.rest()) + ROUNDS * len(state.loop.epoch)
        with self._unchanged(), statements.unrecorded(), suppress(EngineError):
            for _ in range(most):
                before = statements.state
                if not before.in_pass and before.loop.next is Kind.UPDATE:
                    statements.run(Kind.UPDATE)
                    return self._added(before, statements.state)
                statements.next_line()
        return None

    def _added(self, before: State, after: State) -> list[Tensor]:
        """Give what an update has added; by hand that is known better than two rounded values tell."""
        old, new = before.trainer, after.trainer
        if before.loop.optimizer.by_hand:
            return [-before.learning_rate * grad.reshape(-1) for grad in old.grads if grad is not None]
        return [(b - a).reshape(-1) for a, b in zip(old.parameters, new.parameters, strict=True)]

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Put the session back as it was, with a live graph where it had one."""
        printed = self._statements.trainer.problem.printed
        with KeptFromTerminal(printed), self._statements.borrowed(writes_tensors=True):
            yield
