"""What the statements of a script's loop do, found by running a round or two and taking them back."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.errors import EngineError
from gradstep.loop.roles import Role
from gradstep.training.pytorch_errors import learners_code

ROUNDS: Final = 2
"""Rounds that are run: in the first there is no gradient yet that zeroing could change."""

SECONDS: Final = 1.0
"""Seconds that a round may take if another is run."""


@dataclass(slots=True)
class Probed:
    """What was seen in the first rounds."""

    roles: dict[int, frozenset[Role]] = field(default_factory=dict)
    """Roles of each statement that ran, by its key."""

    loss_name: str = ""
    """Variable that held what the first pass differentiated; empty if none did."""


def probe(loop: CapturedLoop, stopped: Callable[[], bool] = lambda: False) -> Probed:
    """Run the first rounds of a loop, see what each statement does, and go back to the begin of the first.

    What raises, raises again when the learner comes there, so it is passed over here.

    Raises:
        NotTakenBack: the loop could not be taken back.
    """
    moment, seen = loop.keep(), Probed()
    roles: defaultdict[int, set[Role]] = defaultdict(set)
    try:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            with learners_code():
                for key, effects in loop.watch_round(
                    on_pass=lambda outputs: _name_loss(seen, loop, outputs)
                ).items():
                    roles[key] |= effects.roles
            if loop.over or stopped() or time.perf_counter() - began > SECONDS:
                break
    except EngineError:
        pass  # raised by the script
    loop.go_back(moment)
    seen.roles = {key: frozenset(found) for key, found in roles.items()}
    return seen


def _name_loss(seen: Probed, loop: CapturedLoop, outputs: tuple[Tensor, ...]) -> None:
    if seen.loss_name or len(outputs) != 1:
        return
    named = (name for name, value in loop.names.items() if value is outputs[0] and name.isidentifier())
    seen.loss_name = next((name for name in named if not name.startswith("_")), "")
