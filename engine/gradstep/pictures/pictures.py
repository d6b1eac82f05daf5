"""Pictures of a session, computed without changing the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gradstep.captured_output import KeptFromTerminal
from gradstep.errors import BadInput
from gradstep.history.annotations import Mark, marks
from gradstep.history.checkpoints import Travel
from gradstep.history.tree import History
from gradstep.ledger.gradient_norms import Sizes, gradient_sizes
from gradstep.pictures.decision_regions import Regions, regions
from gradstep.pictures.default_pair import DefaultPair, default_pair
from gradstep.pictures.elements import ParameterElement, count_places, number_of, place_at
from gradstep.pictures.fit import Fit, fit
from gradstep.pictures.loss_surface import Surface, surface
from gradstep.pictures.next_update import next_update
from gradstep.pictures.trajectory import Trajectory, find_trajectory
from gradstep.training.state import State
from gradstep.training.stepper import Statements


class Pictures:
    """Computes the pictures of a session's present state."""

    def __init__(self, statements: Statements, history: History, travel: Travel[State]) -> None:
        """Create the pictures of the present state; after another action, they have to be created anew.

        Args:
            statements: Holds the session's state; every method leaves it in the state in which it was.
            history: Tree of the session's actions, with the point at which the session is.
            travel: Puts `statements` into the state of any point of the history.
        """
        self._statements, self._history, self._travel = statements, history, travel
        self._parameters = statements.trainer.problem.parameters
        self._path: Trajectory | None = None
        self.count = count_places(self._parameters)
        """Number of elements of all parameters together."""

    def place(self, number: int) -> ParameterElement:
        """Return the element with a number, which counts from 0 through all parameters in their order.

        Raises:
            IndexError: the parameters have no more than `number` elements.
        """
        return place_at(self._parameters, number)

    def number(self, name: str) -> int:
        """Return the number of the element with a name such as `w[0, 2]`; blanks in the name do not matter.

        Raises:
            BadInput: no element has that name.
        """
        return number_of(self._parameters, name)

    def surface(
        self, first: int = 0, second: int = 1, stopped: Callable[[], bool] = lambda: False
    ) -> Surface:
        """Return the loss over two elements of the parameters, while the other elements stay as they are.

        Args:
            first: Number of the element along the first axis, as `number` returns it.
            second: Number of the element along the second axis.
            stopped: Called between parts of the work; returns True to stop.

        Raises:
            BadInput: the numbers are the same, or the parameters have no such elements.
            Stopped: `stopped` returned True.
            PyTorchError: PyTorch refused a forward or a backward pass.
            NotAScalar: the loss is not one number.
        """
        if first == second or not (0 <= first < self.count and 0 <= second < self.count):
            raise BadInput(
                f"a surface needs two numbers of the {self.count:,} in all parameters, not the same one twice"
            )
        places = self.place(first), self.place(second)
        with self._unchanged():
            path = self._found_path(stopped)
            rng = self._statements.state.trainer.rng
            update = next_update(self._statements)
            return surface(self._statements.trainer.problem, places, path, rng, update, stopped)

    def default_pair(self, stopped: Callable[[], bool] = lambda: False) -> DefaultPair:
        """Return the two elements that training has moved furthest, or those with the largest gradients.

        Args:
            stopped: Called between points of the path; returns True to stop.

        Raises:
            Stopped: `stopped` returned True.
        """
        with self._unchanged():
            path, rng = self._found_path(stopped), self._statements.state.trainer.rng
            return default_pair(self._statements.trainer.problem, path, rng)

    def path(self, stopped: Callable[[], bool] = lambda: False) -> Trajectory:
        """Return the path of the parameters from the start to the present.

        Args:
            stopped: Called between points of the path; returns True to stop.

        Raises:
            Stopped: `stopped` returned True.
        """
        with self._unchanged():
            return self._found_path(stopped)

    def fit(self) -> Fit:
        """Return predictions and targets at the present parameters.

        Raises:
            PyTorchError: the model or the loss function raised.
            BadInput: predictions and targets do not correspond one to one.
        """
        with self._unchanged():
            return fit(self._statements.trainer.problem, self._statements.state.trainer.rng)

    def regions(self) -> tuple[Regions, ...]:
        """Return the model's predictions over its two inputs; empty unless it has two.

        Raises:
            PyTorchError: the model or the loss function raised.
            BadInput: the model accepts only the problem's own inputs.
        """
        with self._unchanged():
            return regions(self._statements.trainer.problem, self._statements.state.trainer.rng)

    def sizes(self) -> tuple[Sizes, ...]:
        """Return the norms of each parameter's gradients, pass by pass."""
        return gradient_sizes(tuple(self._parameters), self._statements.state.ledger)

    def marks(self) -> tuple[Mark, ...]:
        """Return the actions between epochs that explain changes in the curve of losses."""
        return marks(self._history)

    def _found_path(self, stopped: Callable[[], bool]) -> Trajectory:
        if self._path is None:
            self._path = find_trajectory(self._statements, self._history, self._travel, stopped)
        return self._path

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Keep the script's output from the terminal, and return to the present state afterwards."""
        printed = self._statements.trainer.problem.printed
        with KeptFromTerminal(printed), self._statements.borrowed(writes_tensors=True):
            yield
