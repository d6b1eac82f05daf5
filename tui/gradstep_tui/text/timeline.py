"""What happened at each point of a session, in the words of the script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import (
    LowerLearningRate,
    RaiseLearningRate,
    SetBatches,
    SetOptimizer,
    StepNodeBack,
    ToggleZeroing,
    ran_by,
)
from gradstep.frame import Between
from gradstep.history.happening import EventKind, EventReached, StatementDone, StatementSwitched
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.text.comparison import Names
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.predictions.outcome_texts import worth_text
from gradstep_tui.text.statements import quoted, unit_of
from gradstep_tui.text.steps import ENGINE
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.history.timeline import Stop
    from gradstep.loop.loop import Loop, StatementKey

BETWEEN: Final = {
    EventKind.PATHS: Between.ADDS,
    EventKind.REDUCED: Between.SUMS,
    EventKind.CAST: Between.CASTS,
    EventKind.HOOK: Between.REPLACES,
}
"""What happens between two nodes, by the kind of event; the list of a pass has the names for it."""


PREDICTED: Final = "{what}, predicted {worth}"
"""Words for an action that ran what was predicted."""


def stop_text(stop: Stop, loop: Loop | ScriptLoop | None = None, gap: str = "  ") -> str:
    """Return what happened on the way to a point: the node that ran, the statement, or the action's name.

    Args:
        stop: The point.
        loop: The session's loop, in any state; None if it is not known.
        gap: Text between a node's name and its expression.
    """
    if stop.prediction is not None and stop.action is not None:
        bare = replace(stop, action=ran_by(stop.action), prediction=None)
        return PREDICTED.format(what=stop_text(bare, loop, gap), worth=worth_text(stop.prediction))
    match stop.happening:
        case EventReached() as reached:
            name, text = reached.name, reached.source
            if reached.kind in BETWEEN:
                sign, _, words = ENGINE[BETWEEN[reached.kind]]
                name, text = f"({sign})", words.format(parts=reached.parts)
            text = f"{name}{gap}{text}" if text else name
            return f"back to {text}" if isinstance(stop.action, StepNodeBack) else text
        case StatementDone(key):
            return _statement_text(key, loop)
        case StatementSwitched(_, enabled) if isinstance(stop.action, ToggleZeroing):
            return f"zeroing {'on' if enabled else 'off'}"
        case StatementSwitched(key, enabled):
            name = _statement_text(key, loop)
            return f"{'uncomment' if enabled else 'comment out'} {name}"
    if isinstance(stop.action, RaiseLearningRate | LowerLearningRate):
        return f"learning rate {rate(stop.learning_rate)}"
    return action_text(stop.action, loop)


def run_text(stops: Sequence[Stop], loop: Loop | ScriptLoop | None = None) -> str:
    """Return what happened on a branch, in few words: its first two points, and how many follow."""
    texts = ", then ".join(stop_text(stop, loop) for stop in stops[:2])
    more = len(stops) - 2
    return texts if more < 1 else f"{texts}, and {more:,} more"


def differences(
    here: Sequence[Stop], other: Sequence[Stop], loop: Loop | ScriptLoop | None
) -> tuple[str, str] | None:
    """Return what tells two runs apart, in few words: `zeroing off` and `zeroing on`, or learning rates.

    Args:
        here: Points of the one run, from the start.
        other: Points of the other.
        loop: The session's loop.

    Returns:
        Words for the one run and for the other; None if no setting differs.
    """
    for words in (partial(_zeroing, loop=loop), _rate, _optimizer, _batches):
        mine, others = words(here), words(other)
        if mine != others:
            return mine, others
    return None


def compared_names(here: Sequence[Stop], other: Sequence[Stop], frame: Frame) -> Names:
    """Return names for the session and for another point: what tells the runs to them apart, or the point.

    Args:
        here: Points from the start to the session's.
        other: Points from the start to the other one.
        frame: The session's frame.
    """
    point = f"point {other[-1].number}"
    found, unit = differences(here, other, frame.loop), unit_of(frame.loop)
    if found is None:
        return Names("the session", point, point, unit, frame)
    return Names(*found, f"the run with {found[1]}", unit, frame)


def _zeroing(stops: Sequence[Stop], loop: Loop | ScriptLoop | None) -> str:
    keys = {Kind.ZERO, *(loop.keys_of(Kind.ZERO) if isinstance(loop, ScriptLoop) else ())}
    found = [
        stop.happening.enabled
        for stop in stops
        if isinstance(stop.happening, StatementSwitched) and stop.happening.key in keys
    ]
    return "zeroing on" if not found or found[-1] else "zeroing off"


def _rate(stops: Sequence[Stop]) -> str:
    return f"lr {rate(stops[-1].learning_rate)}"


def _optimizer(stops: Sequence[Stop]) -> str:
    found = [stop.action.optimizer.text for stop in stops if isinstance(stop.action, SetOptimizer)]
    return found[-1] if found else "optimizer as before"


def _batches(stops: Sequence[Stop]) -> str:
    found = [stop.action.batches.text for stop in stops if isinstance(stop.action, SetBatches)]
    return found[-1] if found else "batches as before"


def _statement_text(key: StatementKey, loop: Loop | ScriptLoop | None) -> str:
    if isinstance(key, int):
        return quoted(loop.statement(key)) if isinstance(loop, ScriptLoop) else f"statement {key + 1}"
    return str(key)
