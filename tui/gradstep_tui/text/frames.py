"""Words for what a frame holds, the same on the bench and in a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep import actions
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.settings import batches_title
from gradstep_tui.text.statements import EPOCH, counted, quoted, unit_of
from gradstep_tui.text.tensors.grids import Element
from gradstep_tui.text.tensors.numbers import cell, rate

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.captured_output import Printed
    from gradstep.frame import Frame, ParameterFrame
    from gradstep.history.annotations import Mark
    from gradstep.ledger.ledger import Forgotten, Unrecorded, Write
    from gradstep.loop.loop import Loop, StatementKey


class NoPass(NamedTuple):
    """Sentences for a frame without a backward pass, and what to do."""

    before_forward: str
    """Sentence before the first forward pass."""

    ready: str
    """Sentence if a backward pass can start."""

    script: str
    """Sentence if a script's own loop runs to its next backward pass."""

    unrecorded: str
    """Sentence if the last backward pass is not recorded."""

    over: str
    """Sentence if it is not recorded, and the script's loop is over."""


NO_PASS: Final = NoPass(
    "Nothing to go back through yet: forward ({forward}) computes the loss and builds autograd's graph.",
    "The graph is ready. {step_node} runs one autograd node at a time, {backward} the whole pass.",
    "{step_node} runs the loop to its next backward pass, and the first autograd node of it.",
    "The last pass is gone from the list. Run forward ({forward}), then {step_node}, to look into the next "
    "one.",
    "The loop is over. Its last rounds ran in one go, of which no list is kept. {undo} takes them back.",
)
"""Sentences of the bench; a name in braces is a key's id."""

RATE: Final = "learning rate"
"""Kind of mark that has a number."""

QUOTED: Final = 40
"""Largest number of characters of a script's output in one line."""

MOST_PARTS: Final = 6
"""Largest number of parts of a sum that are written out."""


ACTIONS: Final[Mapping[type, str]] = {
    actions.Forward: "forward",
    actions.Backward: "backward",
    actions.StepNode: "one node",
    actions.StepNodeBack: "one node back",
    actions.Update: "update",
    actions.Zero: "zero",
    actions.NextLine: "next line",
    actions.RunOuter: "one epoch of the outer loop",
    actions.ToggleZeroing: "zeroing on or off",
    actions.ToggleSetToNone: "zeroing to None or 0",
    actions.RaiseLearningRate: "learning rate up",
    actions.LowerLearningRate: "learning rate down",
    actions.Reset: "back to the start values",
    actions.Undo: "undo",
    actions.Redo: "redo",
}
"""Name of each action without arguments."""


def action_text(action: actions.Action | None, loop: Loop | ScriptLoop | None = None) -> str:
    """Return the name of an action.

    Args:
        action: The action; None for the start of a session.
        loop: The session's loop, in any state; None if it is not known.
    """
    match action:
        case None:
            return "start"
        case actions.Answer():
            return f"{action_text(actions.ran_by(action), loop)}, predicted"
        case actions.RunEpochs(count):
            unit = EPOCH if loop is None else unit_of(loop)
            return f"one {unit}" if count == 1 else f"run {counted(count, unit)}"
        case actions.ToggleStatement(int(key)) if isinstance(loop, ScriptLoop):
            return f"comment {quoted(loop.statement(key))}"
        case actions.MoveStatement(int(key), steps) if isinstance(loop, ScriptLoop):
            return f"move {'up' if steps < 0 else 'down'} {quoted(loop.statement(key))}"
        case actions.Answer(question, given):
            return f"predict {given}: {action_text(question.after[-1], loop)}"
        case actions.StepTo(event):
            return f"to event {event} of the pass"
        case actions.ToggleStatement(kind):
            return f"comment {_named(kind)} out or in"
        case actions.MoveStatement(kind, steps):
            return f"move {_named(kind)} {'up' if steps < 0 else 'down'}"
        case actions.SetLearningRate(value):
            return f"learning rate {rate(value)}"
        case actions.SetOptimizer(optimizer):
            return f"optimizer {optimizer.text}"
        case actions.SetBatches(batches):
            return batches_title(batches)
        case actions.GoTo(point, inside):
            return f"go to point {point}{f', inside at {inside}' if inside else ''}"
        case _:
            return ACTIONS[type(action)]


def _named(key: StatementKey) -> str:
    return f"statement {key + 1}" if isinstance(key, int) else str(key)


def phase(frame: Frame) -> str:
    """Return what comes next: a statement, or the rest of a backward pass."""
    if frame.in_pass and frame.backward is not None:
        return f"in backward {frame.backward.done}/{len(frame.backward.rows)}"
    return step_text(frame.loop)


def step_text(loop: Loop | ScriptLoop) -> str:
    """Return which statement of a loop comes next, and for which part of the samples."""
    if isinstance(loop, ScriptLoop):
        return _script_step_text(loop)
    step = loop.next_step
    if step is None:
        return "no next line"
    kind, part = step
    where = f" {part + 1}/{loop.parts}" if loop.is_inner(kind) else ""
    return f"next: {kind}{where}"


def _script_step_text(loop: ScriptLoop) -> str:
    if loop.over:
        return "the loop is over"
    return "no next line" if loop.next is None else f"next: line {loop.statement(loop.next).line}"


def empty_text(frame: Frame, words: NoPass = NO_PASS) -> str:
    """Return why there is no pass to show, and what to do.

    Args:
        frame: A frame without a backward pass.
        words: Sentences to choose from.
    """
    if isinstance(frame.loop, ScriptLoop) and frame.loop.over:
        text = words.over
    elif frame.refusal(actions.StepNode()) is None:
        text = words.script if isinstance(frame.loop, ScriptLoop) else words.ready
    else:
        text = words.before_forward if frame.loss is None else words.unrecorded
    return text.format(**SIGNS)


def duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def sum_note(parameter: ParameterFrame) -> str:
    """Return how `.grad` got its value; empty if the last actions did not change it."""
    written = parameter.accumulation
    if written is None:
        return "zeroed" if parameter.grad_changed and not has_nonzero(parameter.grad) else ""
    if written.before is None:
        return "None + new = sum"
    return "old + new = sum" if has_nonzero(written.before) else "0 + new = sum"


def has_nonzero(tensor: Tensor | None) -> bool:
    """Return whether there is a tensor with a number that is not 0."""
    return tensor is not None and bool(tensor.count_nonzero())


def passes_texts(parts: Sequence[Write], at: Element) -> tuple[str, str] | None:
    """Return what `.grad` is the sum of, in words and written out; None if it is at most one pass."""
    passes = len({part.number for part in parts})  # one pass may write more than once
    if passes < 2:
        return None
    start = [parts[0].before] if at.of(parts[0].before) else []  # what was there before the first of them
    numbers = [cell(at.of(tensor)) for tensor in (*start, *(part.part for part in parts))]
    if len(numbers) > MOST_PARTS:
        numbers = [*numbers[: MOST_PARTS - 2], "...", numbers[-1]]
    words = f"Accumulated across {passes} passes, since nothing zeroed it in between:"
    if all(part.share for part in parts) and len({part.epoch for part in parts}) == 1:
        words = f"Accumulated on purpose: the shares of {passes} parts of the samples, for one update:"
    return words, f"{' + '.join(numbers)} = {cell(at.of(parts[-1].after))}"


def part_text(frame: Frame) -> str:
    """Return, e.g. as `part 2 of 3`, the samples that the loss is of; empty if all."""
    loop = frame.loop
    if isinstance(loop, ScriptLoop) or loop.split is None:
        return ""
    return f"part {loop.at.part + 1} of {loop.parts}"


def share_text(write: Write) -> str:
    """Return, e.g. as `, part 2 of 3`, the samples that a write's gradient is of; empty if all."""
    return "" if write.share is None else f", part {write.share[0]} of {write.share[1]}"


def unrecorded_text(fact: Unrecorded, at: Element, unit: str = EPOCH) -> str:
    """Return what a run did whose epochs, or rounds, were not recorded."""
    after = cell(at.of(fact.after))
    if fact.epochs:
        return f"{fact.epochs:,} {unit}s ran at full speed, unrecorded; then it was {after}"
    return f"{fact.passes:,} passes ran at full speed, unrecorded; then it was {after}"


def forgotten_text(fact: Forgotten) -> str:
    """Return the bench's sentence that old entries are no longer kept, and how to get them back."""
    return (
        f"the first {fact.passes:,} passes are no longer kept: the timeline ({SIGNS['timeline']}) goes back "
        "to them"
    )


def mark_text(mark: Mark, unit: str = EPOCH) -> str:
    """Return what a mark stands for; `unit` is the word for an epoch."""
    what = f"{mark.what} {rate(mark.rate)}" if mark.what == RATE else str(mark.what)
    return f"{what} after {unit} {mark.epoch:,}"


def printed_text(printed: Printed) -> str:
    """Return that there is new output, and how to see it."""
    last = next(filter(str.strip, reversed(printed.lines)), "")
    cut = last if len(last) <= QUOTED else f"{last[:QUOTED]}..."
    return f"the script printed: {cut.strip()} ({SIGNS['printed']} shows all)"
