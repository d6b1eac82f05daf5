"""Pictures of a session on a script's own loop: those that need neither its model nor its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from torch import Tensor

from gradstep.errors import Refused
from gradstep.history.tree import History
from gradstep.ledger.gradient_norms import Sizes, gradient_sizes
from gradstep.ledger.ledger import Ledger
from gradstep.pictures.elements import count_places
from gradstep.pictures.pictures import Pictures
from gradstep.reasons import Reason, Refusal


class ScriptPictures(Pictures):
    """Gradient sizes and the marks of the losses; what others need, a script's loop keeps to itself."""

    def __init__(self, parameters: Mapping[str, Tensor], history: History, ledger: Ledger) -> None:
        """Create the pictures of the present state.

        Args:
            parameters: Parameters of the script, by name.
            history: Tree of the session's actions.
            ledger: Every write to a `.grad` up to now.
        """
        self._parameters, self._history, self._ledger = parameters, history, ledger
        self.count = count_places(parameters)

    def surface(
        self, first: int = 0, second: int = 1, stopped: Callable[[], bool] = lambda: False
    ) -> NoReturn:
        """Refuse: the loss at other parameters could be had only by running the script's loop."""
        raise Refused(Refusal(Reason.OWN_LOOP))

    def default_pair(self, stopped: Callable[[], bool] = lambda: False) -> NoReturn:
        """Refuse, as `surface` does."""
        raise Refused(Refusal(Reason.OWN_LOOP))

    def path(self, stopped: Callable[[], bool] = lambda: False) -> NoReturn:
        """Refuse, as `surface` does."""
        raise Refused(Refusal(Reason.OWN_LOOP))

    def fit(self) -> NoReturn:
        """Refuse: which tensors are predictions and targets is the script's own business."""
        raise Refused(Refusal(Reason.OWN_LOOP))

    def regions(self) -> NoReturn:
        """Refuse, as `fit` does."""
        raise Refused(Refusal(Reason.OWN_LOOP))

    def sizes(self) -> tuple[Sizes, ...]:
        """Return the norms of each parameter's gradients, pass by pass."""
        return gradient_sizes(tuple(self._parameters), self._ledger)
