"""What happened at each point of a session, in the words of the script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.actions import LowerLearningRate, RaiseLearningRate, StepNodeBack, ToggleZeroing
from gradstep.history.happening import EventKind, EventReached, StatementDone, StatementSwitched
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.statements import quoted
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.history.timeline import Stop
    from gradstep.loop.loop import Loop, StatementKey

EVENTS: Final = {
    EventKind.NODE: "{name}{gap}{source}",
    EventKind.PATHS: "sum of {paths} paths",
    EventKind.REDUCED: "sum over a broadcast",
    EventKind.HOOK: "a hook changed the gradient",
}
"""Words for each kind of event of a backward pass."""


def stop_text(stop: Stop, loop: Loop | ScriptLoop | None = None, gap: str = "  ") -> str:
    """Return what happened on the way to a point: the node that ran, the statement, or the action's name.

    Args:
        stop: The point.
        loop: The session's loop, in any state; None if it is not known.
        gap: Text between a node's name and its expression.
    """
    match stop.happening:
        case EventReached() as reached:
            text = EVENTS[reached.kind].format(
                name=reached.name,
                gap=gap if reached.source else "",
                source=reached.source,
                paths=reached.paths,
            )
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


def _statement_text(key: StatementKey, loop: Loop | ScriptLoop | None) -> str:
    if isinstance(key, int):
        return quoted(loop.statement(key)) if isinstance(loop, ScriptLoop) else f"statement {key + 1}"
    return str(key)
