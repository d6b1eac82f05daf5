"""What runs the actions of a session: the built-in loop on a problem, or a script's own loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from gradstep.actions import Action
from gradstep.training.epochs import Ended
from gradstep.training.progress import Progress
from gradstep.training.state import TrainingState

S = TypeVar("S", bound=TrainingState)
"""State of the machine."""

S_contra = TypeVar("S_contra", bound=TrainingState, contravariant=True)
"""State of the machine, as an argument."""


class Machine(Protocol[S]):
    """Has a state, and can return to an earlier one."""

    @property
    def state(self) -> S:
        """Present state."""

    @property
    def is_steady(self) -> bool:
        """Whether what was run again came to the same numbers, as far as is known."""

    def can_return_to(self, state: S) -> bool:
        """Return whether the machine can return to a state by itself, without doing actions again."""

    def return_to(self, state: S) -> None:
        """Return to an earlier or later state."""

    def put_back_after_interruption(self, state: S) -> None:
        """Return to a state and run nothing of the learner's, as it may never end."""

    def unrecorded(self) -> AbstractContextManager[None]:
        """Run backward passes without recording inside the `with` block."""

    def borrowed(self) -> AbstractContextManager[S]:
        """Yield the present state, and return to it at the end of the `with` block."""


class Perform(Protocol[S_contra]):
    """Applies an action to a machine; see `gradstep.training.apply_action.perform`."""

    def __call__(
        self,
        action: Action,
        start: S_contra,
        stopped: Callable[[], bool] = ...,
        tell: Callable[[Progress], None] = ...,
    ) -> Ended:
        """Apply an action."""
