"""How a round that was run statement by statement is left: the loop's own frame does it then."""

from __future__ import annotations

from gradstep.capture.hooks.stepped_loop import SteppedLoop
from gradstep.capture.loop_places import Control
from gradstep.learner_code.interruption import Interrupted


class RoundExit:
    """What the statements of the round under way have said, and what the loop's frame has to do."""

    def __init__(self, loop: SteppedLoop) -> None:
        """Begin with nothing said."""
        self._loop = loop
        self.control = Control.NEXT
        """How the last statement leaves the round."""

        self.result: object = None
        """Value of the `return` that ran alone."""

        self.is_done = False
        """Whether the round has run, so that the frame shall not run it."""

        self._breaks = self._returns = False
        self._raises: BaseException | None = None
        self._raised: BaseException | None = None

    def leave(self, control: Control) -> None:
        """Set the way in which the round ends."""
        self.follow(control)
        self._raises = self._raised if control is Control.RAISED else None
        self.is_done = True

    def follow(self, control: Control | None) -> None:
        """Have the frame leave the loop if a round was left by `break` or `return`."""
        self._breaks, self._returns = control is Control.BREAK, control is Control.RETURN

    def forget_return(self) -> None:
        """Have the frame neither leave nor go on in its function, as it runs a `return` of its own."""
        self._returns = self.is_done = False

    def takes(self, error: BaseException) -> bool:
        """Return whether the script goes on, or ends, with what a statement raised that ran alone."""
        if isinstance(error, Interrupted | GeneratorExit):
            return False
        if not isinstance(error, SystemExit) and not self._loop.is_handled(self._loop.chain[-1]):
            return False
        self.control, self._raised = Control.RAISED, error
        return True

    def take_done(self) -> bool:
        """Return, once, whether the round has run."""
        is_done, self.is_done = self.is_done, False
        return is_done

    def take_error(self) -> BaseException | None:
        """Return, once, what the frame has to raise."""
        error, self._raises = self._raises, None
        return error

    def take_break(self) -> bool:
        """Return, once, whether the frame has to leave the loop."""
        breaks, self._breaks = self._breaks, False
        return breaks

    def take_return(self) -> bool:
        """Return, once, whether the frame has to leave its function."""
        returns, self._returns = self._returns, False
        return returns
