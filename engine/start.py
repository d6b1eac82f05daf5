"""Where a session starts: enough, with its actions, to repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine import problems

if TYPE_CHECKING:
    from engine.session import Session


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """A problem, and what the learner chose before the first action."""

    problem: str = "crops"
    """The name of a built-in problem."""

    seed: int | None = None
    """Draws random start values; None for the problem's own."""

    rate: float | None = None
    """The learning rate; None for the problem's own."""

    def session(self) -> Session:
        """Load PyTorch, run the problem's script and begin a session.

        Raises:
            BadInput: there is no such problem, or a value cannot be used.
        """
        import torch

        from engine.session import Session

        torch.manual_seed(0)  # what a model draws is the same in every process, so that it can be replayed
        session = Session(problems.load(self.problem, self.seed), self.rate)
        session.origin = self
        return session
