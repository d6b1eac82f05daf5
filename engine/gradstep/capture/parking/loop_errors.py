"""Reasons for which nothing of a captured loop can run, or it cannot go back."""

from __future__ import annotations

from gradstep.errors import EngineError


class LoopOver(EngineError):  # noqa: N818 - named after what happened
    """The loop is over, so nothing of it can run."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__("the script's loop is over")


class NotTakenBack(EngineError):  # noqa: N818 - named after what happened
    """The script cannot be taken back into its loop."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__("the script cannot be taken back into its loop")
