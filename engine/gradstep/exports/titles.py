"""The title of each action in an export, and a sentence or two that explain it."""

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
from gradstep.exports.predicted import prediction_words
from gradstep.exports.recording.moments import Moment
from gradstep.loop.loop import Kind, Loop, StatementKey
from gradstep.loop.script_loop import ScriptLoop
from gradstep.notices import Notice, PassedOver, RunDiverged

STATEMENTS: Final = {
    Kind.FORWARD: ("Forward", "The model makes predictions, and the loss measures how far off they are."),
    Kind.BACKWARD: ("Backward", "Each parameter's gradient is added to its .grad."),
    Kind.UPDATE: ("Update", "Every parameter moves against its gradient."),
    Kind.ZERO: ("Zero", "Every gradient is cleared, so that the next backward pass does not add to it."),
}
KINDS: Final[Mapping[type[Action], Kind]] = {
    Forward: Kind.FORWARD,
    Backward: Kind.BACKWARD,
    StepNode: Kind.BACKWARD,
    Update: Kind.UPDATE,
    Zero: Kind.ZERO,
}
BY_OPTIMIZER: Final = "The optimizer moves every parameter, using its gradient and the optimizer's own state."
BATCHES: Final[Mapping[str, str]] = {
    "full": "Every pass uses all samples again.",
    "micro": "Every batch has its own backward pass; a single update follows the last of them.",
    "mini": "Every batch has its own backward pass and its own update.",
}
FULL_BATCH: Final = "Full batch"
SPLIT: Final = "Batches: {batches}"
BY_HAND: Final = "Update by hand"
OPTIMIZER: Final = "Optimizer: {optimizer}"
INSIDE: Final = "Here loss.backward() runs in one go; hooks record what the session showed node by node."
TAKEN_BACK: Final = (
    "The session stepped back to before this pass: each .grad is restored, and the graph was retained."
)
REFUSED: Final = (
    "PyTorch raises an error here, as it did in the session; whatever ran before the error keeps its effect."
)


def title(moment: Moment) -> str:
    """Return the heading of an action: its number and its name."""
    return f"{moment.number}. {_title(moment)}"


def words(moment: Moment, *, anew: bool = True) -> str:
    """Return the sentences that explain an action; empty if its title says everything.

    Args:
        moment: The action, with the frames before and after it.
        anew: Whether the backward event that the action shows appears for the first time.
    """
    predicted = "" if moment.prediction is None else prediction_words(moment.prediction)
    return f"{predicted} {_words(moment, anew=anew)}".strip()


def _words(moment: Moment, *, anew: bool) -> str:
    if moment.error is not None:
        return f"{REFUSED} {moment.error.lesson}".rstrip()
    match moment.action:
        case StepNode() | StepNodeBack():
            return _event(moment, anew=anew)
        case SetOptimizer():
            by_hand = moment.after.loop.optimizer.by_hand
            return (
                "The loop's own line makes the update." if by_hand else "The optimizer begins with no state."
            )
        case SetBatches(batches):
            return BATCHES[batches.way]
        case Update() | NextLine() | RunEpochs() if noticed := _noticed(moment.after.notice):
            return noticed
        case ToggleZeroing() | ToggleSetToNone() | ToggleStatement() | MoveStatement():
            return f"The loop now runs: {', '.join(map(str, moment.after.loop.enabled)) or 'nothing'}."
        case Reset():
            return (
                "The parameters have their start values again, without gradients or a loss; the loop and the "
                "learning rate stay."
            )
    kind = kind_of(moment.action, moment.before.next)
    if kind is Kind.UPDATE and not moment.before.loop.optimizer.by_hand:
        return BY_OPTIMIZER
    return "" if kind is None else STATEMENTS[kind][1]


def kind_of(action: Action, following: StatementKey | None) -> Kind | None:
    """Return the statement that an action runs or steps through; None if it runs none, or several.

    Args:
        action: The action.
        following: Statement that was next before the action.
    """
    if isinstance(action, NextLine):
        return following if isinstance(following, Kind) else None
    return KINDS.get(type(action))


def _noticed(notice: Notice | None) -> str:
    match notice:
        case PassedOver(missing, parameters) if missing == parameters:
            return "The optimizer skips every parameter, because every .grad is None."
        case PassedOver(missing, parameters):
            return f"The optimizer skips {missing} of {parameters} parameters, because their .grad is None."
        case RunDiverged(epoch, loss):
            return f"The loss diverges in epoch {epoch:,}: it is {loss}."
        case _:
            return ""


def _title(moment: Moment) -> str:
    before, after = moment.before, moment.after
    match moment.action:
        case SetLearningRate() | RaiseLearningRate() | LowerLearningRate():
            return f"Learning rate {after.learning_rate:g}"
        case SetBatches(batches):
            return FULL_BATCH if batches.full else SPLIT.format(batches=batches.text)
        case SetOptimizer():
            chosen = after.loop.optimizer
            return BY_HAND if chosen.by_hand else OPTIMIZER.format(optimizer=chosen.text)
        case RunEpochs(count):
            return "Run one epoch" if count == 1 else f"Run {count:,} epochs"
        case StepNode():
            return "Next event of the backward pass"
        case StepNodeBack():
            return "Previous event of the backward pass"
        case ToggleZeroing():
            return _toggled(Kind.ZERO, after.loop)
        case ToggleStatement(toggled):
            return _toggled(toggled, after.loop)
        case ToggleSetToNone():
            none = isinstance(after.loop, Loop) and after.loop.set_to_none
            return f"Zeroing {'sets .grad to None' if none else 'writes zeros'}"
        case MoveStatement(moved, steps):
            return f"Move {moved} {'down' if steps > 0 else 'up'}"
    kind = kind_of(moment.action, before.next)
    if before.in_pass and kind is Kind.BACKWARD:
        return "The rest of the backward pass"
    return type(moment.action).__name__ if kind is None else STATEMENTS[kind][0]


def _toggled(key: StatementKey, loop: Loop | ScriptLoop) -> str:
    return f"{'Uncomment' if key in loop.enabled else 'Comment out'} {key}"


def _event(moment: Moment, *, anew: bool) -> str:
    shown = moment.after.backward
    if shown is None or shown.step is None:
        return "The backward pass is back at its start."
    place, step = f"Event {shown.done} of {len(shown.rows)}", shown.step
    if not anew:
        return f"{place} again: {step.title}."
    source = f", made by `{step.source}`" if step.source else ""
    return f"{place}: {step.title}{source}. {step.words}"
