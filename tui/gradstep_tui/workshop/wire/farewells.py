"""The last line on a learner's terminal, said by the bench or, if that had to be killed, by the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep_tui.workshop.wire.reasons import StopReason

FAREWELLS: Final[Mapping[StopReason, str]] = {
    StopReason.LOGGED_IN_ELSEWHERE: (
        "You have logged in again from somewhere else, and your bench is there now."
    ),
    StopReason.IDLE: (
        "The connection was closed because nothing was typed for a while. To continue, log in again."
    ),
    StopReason.WORKSHOP_ENDED: (
        "The workshop has ended. What you did is saved: log in again when it is running again."
    ),
    StopReason.ENDED_UNSAVED: (
        "The workshop has ended, and its disk did not take what you did last: that may be lost. "
        "Please tell the instructor."
    ),
    StopReason.CONNECTION_LOST: "The connection to the workshop is lost. What you did before that is saved.",
}
"""Sentence for each reason for which a bench process exits."""
