"""What was done, told in a title and a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.exports.recording.moments import Moment
from gradstep.loop.loop import Kind, Loop

STATEMENTS: Final = {
    Kind.FORWARD: ("Forward", "The model makes predictions, and the loss tells how far off they are."),
    Kind.BACKWARD: ("Backward", "Every parameter gets its gradient added to what its .grad holds."),
    Kind.UPDATE: ("Update", "Every parameter moves against its gradient."),
    Kind.ZERO: ("Zero", "Every gradient is set back, so that the next pass does not add to it."),
}
KINDS: Final[Mapping[type[Action], Kind]] = {
    Forward: Kind.FORWARD,
    Backward: Kind.BACKWARD,
    StepNode: Kind.BACKWARD,
    Update: Kind.UPDATE,
    Zero: Kind.ZERO,
}
BY_OPTIMIZER: Final = "The optimizer moves every parameter, by its gradient and what it remembers."
BATCHES: Final[Mapping[str, str]] = {
    "full": "Every pass has all samples again.",
    "micro": "Every part has a backward pass of its own, and one update follows them all.",
    "mini": "Every part has a backward pass and an update of its own.",
}
INSIDE: Final = "Here loss.backward() runs at once; hooks kept what the session showed node by node."
TAKEN_BACK: Final = "The session went back to before this pass: each .grad is put back, the graph was kept."
REFUSED: Final = "PyTorch refuses, as it did in the session; what ran before the error stays."


def title(moment: Moment) -> str:
    """Name what was done."""
    return f"{moment.number}. {_title(moment)}"


def words(moment: Moment, *, anew: bool = True) -> str:
    """Tell what it did; `anew` is whether an event that it shows has not been told of before."""
    if moment.error is not None:
        return f"{REFUSED} {moment.error.lesson}".rstrip()
    match moment.action:
        case StepNode() | StepNodeBack():
            return _event(moment, anew=anew)
        case SetOptimizer():
            by_hand = moment.after.loop.optimizer.by_hand
            return "The loop's own line updates." if by_hand else "It begins with nothing remembered."
        case SetBatches(batches):
            return BATCHES[batches.way]
        case Update() | NextLine() if "passed over" in moment.after.notice:
            return f"{moment.after.notice[0].upper()}{moment.after.notice[1:]}."
        case RunEpochs() if moment.after.notice:
            return f"It {moment.after.notice.split(';')[0]}."
        case ToggleZeroing() | ToggleSetToNone() | ToggleStatement() | MoveStatement():
            return f"Enabled, in order: {', '.join(moment.after.loop.enabled) or 'nothing'}."
        case Reset():
            return "The start values, no gradients, no loss; the loop and the learning rate stay."
    kind = kind_of(moment.action, moment.before.next)
    if kind is Kind.UPDATE and not moment.before.loop.optimizer.by_hand:
        return BY_OPTIMIZER
    return "" if kind is None else STATEMENTS[kind][1]


def kind_of(action: Action, following: Kind | None) -> Kind | None:
    """Give the statement that an action runs, or steps through; None where it runs none, or several.

    Args:
        action: What was done.
        following: The statement that was next then.
    """
    if isinstance(action, NextLine):
        return following
    return KINDS.get(type(action))


def _title(moment: Moment) -> str:
    before, after = moment.before, moment.after
    match moment.action:
        case SetLearningRate() | RaiseLearningRate() | LowerLearningRate():
            return f"Learning rate {after.learning_rate:g}"
        case SetBatches(batches):
            return batches.title.capitalize()
        case SetOptimizer():
            return f"Optimizer: {after.loop.optimizer.title}"
        case RunEpochs(count):
            return "Run one epoch" if count == 1 else f"Run {count:,} epochs"
        case StepNode():
            return "One event forward in the backward pass"
        case StepNodeBack():
            return "One event back in the backward pass"
        case ToggleZeroing():
            return _toggled(Kind.ZERO, after.loop)
        case ToggleStatement(toggled):
            return _toggled(toggled, after.loop)
        case ToggleSetToNone():
            return f"Zeroing {'sets .grad to None' if after.loop.set_to_none else 'writes zeros'}"
        case MoveStatement(moved, steps):
            return f"Move {moved} {'down' if steps > 0 else 'up'}"
    kind = kind_of(moment.action, before.next)
    if before.in_pass and kind is Kind.BACKWARD:
        return "The rest of the backward pass"
    return type(moment.action).__name__ if kind is None else STATEMENTS[kind][0]


def _toggled(kind: Kind, loop: Loop) -> str:
    return f"Comment {kind} {'in again' if loop.is_enabled(kind) else 'out'}"


def _event(moment: Moment, *, anew: bool) -> str:
    shown = moment.after.backward
    if shown is None or shown.step is None:
        return "Before the pass again."
    place, step = f"Event {shown.done} of {len(shown.rows)}", shown.step
    if not anew:
        return f"{place} again: {step.title}."
    source = f", made by `{step.source}`" if step.source else ""
    return f"{place}: {step.title}{source}: {step.words}."
