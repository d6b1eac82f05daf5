"""What the board shows of a session: made in the learner's process, looked over by the server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep_tui.text.frames import action_text, step_text
from gradstep_tui.workshop.wire.messages import Facts
from gradstep_tui.workshop.wire.milestones import ALL

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.training.loss_history import Losses
    from gradstep.training.state import State

LONGEST: Final = 120
"""Characters of each text."""

CURVE: Final = 24
"""Cells of a curve."""

LEVELS: Final = "01234567"


def facts_of(action: Action, state: State, refused: str, seen: Sequence[str]) -> Facts:
    """Give what the board shows of a session after an action."""
    loss = state.loss
    if loss is not None and not math.isfinite(loss):
        told: float | str | None = "nan" if math.isnan(loss) else "inf" if loss > 0 else "-inf"
    else:
        told = loss
    return Facts(
        phase_of(state),
        state.epoch,
        told,  # type: ignore[arg-type] # one of the three words
        action_text(action),
        clean(refused),
        curve_of(state.losses),
        tuple(seen),
    )


def phase_of(state: State) -> str:
    """Say what comes next in a session."""
    passing = state.passing
    if passing is not None and not passing.finished:
        return f"in backward {passing.cursor}/{len(passing.trace)}"
    return step_text(state.loop)


def curve_of(losses: Losses) -> str:
    """Draw the losses of all epochs as digits, between the lowest and the highest of them."""
    heights = [(low + high) / 2 for low, high in losses.sampled(CURVE)]
    finite = [one for one in heights if math.isfinite(one)]
    if not finite:
        return " " * len(heights)
    low, span = min(finite), max(finite) - min(finite)
    steps = len(LEVELS) - 1
    return "".join(
        LEVELS[round((one - low) / span * steps) if span else 0] if math.isfinite(one) else " "
        for one in heights
    )


def checked(facts: Facts) -> Facts:
    """Give facts as a board may show them: they come from a learner's process, and may be anything."""
    return Facts(
        clean(facts.phase),
        min(max(facts.epoch, 0), 10**12),
        facts.loss,
        clean(facts.done),
        clean(facts.error),
        "".join(one if one in LEVELS else " " for one in facts.curve[:CURVE]),
        tuple(one for one in ALL if one in facts.seen),
    )


def clean(text: str, most: int = LONGEST) -> str:
    """Give text on one line, with nothing in it that a terminal obeys, and not too long."""
    words = " ".join(text[: 4 * most].split())
    return "".join(one for one in words if one.isprintable())[:most]
