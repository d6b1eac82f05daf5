"""What the statements of a script's loop do, and what is odd: rounds are run, and taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.oddities.oddity_finder import Inspection, inspect_loop

ROUNDS: Final = 3
"""Rounds that are looked at: in the first there is no gradient yet that zeroing could change."""

SECONDS: Final = 2.0
"""Seconds after which no further round is begun."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was seen in the first rounds."""

    inspection: Inspection
    loss_name: str
    """Variable that held what the first pass differentiated; empty if none did."""

    lost: tuple[str, ...] | None
    """Names of objects that could not be put back; None if the loop has to be opened anew."""


def probe(loop: CapturedLoop, stopped: Callable[[], bool] = lambda: False) -> Probed:
    """Run the first rounds of a loop, look at them, and go back to the begin of the first if possible.

    What raises, raises again when the learner comes there, so it is passed over here.

    Raises:
        NotTakenBack: the loop could not be taken back.
        Interrupted: the learner stopped a round.
    """
    moment, names, end = loop.keep(), list[str](), time.monotonic() + SECONDS

    def seen(made: ComingPass) -> None:
        if not names:
            names.append(_name_of(loop, made.outputs))

    with watched(seen):
        inspection = inspect_loop(loop, ROUNDS, lambda: stopped() or time.monotonic() > end)
    lost = loop.go_back(moment) if loop.can_go_back(moment) or not loop.hands_out else None
    return Probed(inspection, next(iter(names), ""), lost)


def _name_of(loop: CapturedLoop, outputs: tuple[Tensor, ...]) -> str:
    """Return the variable that holds the one tensor that a pass differentiates; empty if none does."""
    named = (name for name, value in loop.names.items() if len(outputs) == 1 and value is outputs[0])
    return next((name for name in named if name.isidentifier() and not name.startswith("_")), "")
