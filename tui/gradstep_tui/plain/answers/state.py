"""Describes a frame in sentences: status, parameters, loss, predictions, loop, losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.actions import NextLine
from gradstep.errors import BadInput
from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.plain.answers.elements import elements_texts, is_large
from gradstep_tui.plain.answers.numbers import operand_texts, row_texts, size_text
from gradstep_tui.plain.answers.refusals import refusal_text
from gradstep_tui.plain.answers.sums import memory_texts
from gradstep_tui.text.frames import part_text, phase
from gradstep_tui.text.losses.loss_moves import whole_move_text
from gradstep_tui.text.settings import batches_title, optimizer_title
from gradstep_tui.text.statements import (
    DOES,
    EPOCH,
    ROLES,
    code,
    counted,
    effect_text,
    head_text,
    optimizer_names,
    role_texts,
    statement_name,
    unit_of,
    visible,
    zeroes,
)
from gradstep_tui.text.tensors.numbers import cell, rate

if TYPE_CHECKING:
    from gradstep.frame import Frame, ParameterFrame
    from gradstep.loop.loop import StatementKey
    from gradstep.reasons import Refusal
    from gradstep.training.loss_history import Losses

EFFECTS: Final = {**DOES, "backward": "runs loss.backward(); node goes through it node by node"}
"""Effect of each kind of statement, with the command that helps."""

ROLE_EFFECTS: Final = {**ROLES, Role.BACKWARD: "node goes through it node by node"}
"""Effect of a script's statements of each role, with the command that helps."""

OVER: Final = "the script's loop is over: undo takes back, go N goes to any point, reset begins again"
"""Hint for a script's loop that is over."""

ZEROING: Final[Mapping[bool | None, str]] = {
    True: "on",
    False: "OFF, gradients pile up",
    None: "not known before a round has run",
}
"""Words for whether a round of the loop zeroes gradients."""

DEFAULT_LOSSES: Final = 10
"""Number of losses that `losses` lists by default."""

CURVE_POINTS: Final = 10
"""Largest number of epochs that are listed of the whole curve."""


def status_texts(frame: Frame) -> Iterator[str]:
    """Yield the status: problem, optimizer, learning rate, zeroing, epochs, phase, and undo."""
    zeroing, unit = ZEROING[zeroes(frame.loop)], unit_of(frame.loop)
    yield (
        f"{frame.problem}: {_optimizer_text(frame)}, zeroing {zeroing}; {_place_in_loops(frame)}"
        f"{split_text(frame)}{unit}s done {frame.epoch:,}; {phase(frame)}"
    )
    yield f"{_actions(frame.position)} can be undone, {frame.future:,} redone"


def _optimizer_text(frame: Frame) -> str:
    """Return the optimizer and its learning rate; a script that updates by hand keeps its rate to itself."""
    if not isinstance(frame.loop, ScriptLoop):
        name = optimizer_title(frame.loop.optimizer)
    elif frame.loop.optimizer_names:
        name = optimizer_names(frame.loop)
    else:
        return f"updated {optimizer_names(frame.loop)}"
    return f"{name}, learning rate {rate(frame.learning_rate)}"


def _place_in_loops(frame: Frame) -> str:
    """Return where the loops of a script stand, outermost first; empty for the built-in loop."""
    if not isinstance(frame.loop, ScriptLoop):
        return ""
    rounds = (head_text(frame.loop, depth) for depth in range(len(frame.loop.heads)))
    return "".join(f"{text}; " for text in [", ".join(filter(None, rounds))] if text)


def split_text(frame: Frame) -> str:
    """Return the text on how the samples are split; empty if they are not."""
    split = frame.loop.split
    return "" if split is None else f"{batches_title(split.batches)}, {split.parts} parts; "


def parameter_texts(frame: Frame) -> Iterator[str]:
    """Yield every parameter and its `.grad`; of a large model, summaries of them."""
    if is_large(frame):
        yield from elements_texts(frame, "")
        yield "numbers NAME shows more of one parameter, numbers NAME[INDEX] single numbers"
        return
    for parameter in frame.parameters:
        yield f"{parameter.name}, {size_text(parameter.value)}:"
        yield from (f"  {text}" for text in row_texts(parameter.name, parameter, parameter.value))
        yield from (f"  {text}" for text in _grad_texts(parameter))
        yield from (f"  {text}" for text in memory_texts(parameter, everything=True))


def loss_texts(frame: Frame) -> Iterator[str]:
    """Yield the loss, its change since the epoch before, and whether it was computed before the update."""
    if frame.loss is None:
        yield "no loss yet: type forward"
        return
    moved = "" if frame.loss_before is None else whole_move_text(frame.loss_before, frame.loss)
    before = f"since the {unit_of(frame.loop)} before"
    since = f", {moved} {before}" if moved else ""
    part = f", {part_text(frame)}" if frame.loop.split else ""
    yield f"loss {cell(frame.loss)}{part}{since}{', computed before the update' if frame.stale else ''}"


def prediction_texts(frame: Frame) -> Iterator[str]:
    """Yield the predictions of the last forward pass."""
    if frame.preds is None and isinstance(frame.loop, ScriptLoop):
        yield "the script's own statements make the predictions: look at a statement's numbers with step"
    elif frame.preds is None:
        yield "no predictions yet: type forward"
    else:
        yield from operand_texts("predictions", frame.preds)


def loop_texts(frame: Frame) -> Iterator[str]:
    """Yield the loop's lines in order, and say which runs next and which are commented out."""
    if isinstance(frame.loop, ScriptLoop):
        yield from _script_texts(frame, frame.loop)
        return
    inner, split = frame.loop.inner, frame.loop.split
    for number, statement in enumerate(frame.loop.statements, 1):
        if split is not None and number - 1 == inner.start:
            yield f"for each of {split.parts} parts: {'; '.join([*split.order_lines, split.head])}"
        if inner and number - 1 == inner.stop:
            yield "after all parts:"
        marks = [f"line {number}, {statement.kind} ({BY_ID[statement.kind].sign})"]
        marks += [] if statement.enabled else ["commented out"]
        marks += ["next"] if statement.key == frame.next else []
        yield f"{', '.join(marks)}: {code(statement)}"


def _script_texts(frame: Frame, loop: ScriptLoop) -> Iterator[str]:
    """Yield the heads of a script's loops, and the statements of the stepped one by their numbers."""
    for depth, head in enumerate(loop.heads):
        within = f" in {head.function}" if head.function else ""
        begun = f", {text}" if (text := head_text(loop, depth)) else ""
        yield f"loop at {Path(loop.file).name}:{head.line}{within}{begun}: {visible(head.text)}"
    for statement in loop.statements:
        marks = [shown_key(statement.key), f"line {statement.line}", *role_texts(statement)]
        marks += [] if statement.enabled else ["commented out"]
        marks += ["next"] if statement.key == frame.next else []
        yield f"{', '.join(marks)}: {code(statement)}"


def hint_text(frame: Frame) -> str:
    """Return the hint that names the command to type next."""
    if frame.in_pass:
        return "next: type node to run one node, or next to run the rest of the pass"
    if isinstance(frame.loop, ScriptLoop) and frame.loop.over:
        return OVER
    if frame.next is None and isinstance(frame.loop, ScriptLoop):
        return "every line of the loop is commented out: comment N brings line N of the loop back"
    if frame.next is None:
        return "every line of the loop is commented out: type comment forward to bring that line back"
    refusal = frame.refusal(NextLine())
    name = statement_name(frame.loop, frame.next)
    if refusal is not None:
        return f"next: {name}, which cannot run now: {refusal_text(refusal)}"
    if isinstance(frame.loop, ScriptLoop) and isinstance(frame.next, int):
        effect = effect_text(frame.loop.statement(frame.next), ROLE_EFFECTS)
        return f"next: {name}{f': {effect}' if effect else ''}; type next"
    return f"next: {name} {EFFECTS[name]}; type next, or {BY_ID[name].sign}"


def losses_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield the latest losses, as many as `text` says or `DEFAULT_LOSSES`."""
    count = _count(text) if text else DEFAULT_LOSSES
    known = len(frame.losses)
    unit = unit_of(frame.loop)
    yield summary_text(frame.losses, unit)
    yield from (_epoch_text(frame.losses, epoch, unit) for epoch in range(max(known - count, 0), known))


def curve_texts(frame: Frame) -> Iterator[str]:
    """Yield the losses of some epochs at equal distances, from the first to the last."""
    unit = unit_of(frame.loop)
    yield summary_text(frame.losses, unit)
    yield from (_epoch_text(frame.losses, epoch, unit) for epoch in sampled_epochs(len(frame.losses)))


def sampled_epochs(known: int) -> list[int]:
    """Return some of `known` epochs, counted from 0, at equal distances, from the first to the last."""
    points = min(CURVE_POINTS, known)
    return sorted({round(point * (known - 1) / max(points - 1, 1)) for point in range(points)})


def cannot_texts(frame: Frame) -> Iterator[str]:
    """Yield the commands that cannot work now, and why; the bench dims their keys."""
    refused: dict[Refusal, list[str]] = {}
    for key in KEYS:
        keys = [None] if key.edit is None else [statement.key for statement in frame.loop.statements]
        for statement in keys:
            refusal = key.refusal(frame, statement)
            if refusal is not None:
                which = "" if statement is None else f" {shown_key(statement)}"
                refused.setdefault(refusal, []).append(f"{key.label}{which}")
    if not refused:
        yield "every command can work now"
    yield from (f"{', '.join(names)}: {refusal_text(refusal)}" for refusal, names in refused.items())


def shown_key(key: StatementKey) -> str:
    """Return what to type for a statement: its kind, or its number in the script's own order, from 1."""
    return key.value if isinstance(key, Kind) else str(key + 1)


def summary_text(losses: Losses, unit: str = EPOCH) -> str:
    """Return the text on the number of epochs in the loss history, and its lowest and highest loss."""
    if not len(losses):
        return "no loss yet: type forward"
    ((low, high),) = losses.sampled(1)
    span = "no finite loss among them" if math.isnan(low) else f"lowest {cell(low)}, highest {cell(high)}"
    return f"losses of {counted(len(losses), unit)}: {span}"


def _grad_texts(parameter: ParameterFrame) -> Iterator[str]:
    name = f"{parameter.name}.grad"
    if parameter.grad is None:
        return iter((f"{name}: None",))
    return row_texts(name, parameter, parameter.grad)


def _epoch_text(losses: Losses, epoch: int, unit: str) -> str:
    loss = losses[epoch]
    return f"{unit} {epoch + 1:,}: {'nan, or no loss computed' if math.isnan(loss) else cell(loss)}"


def _count(text: str) -> int:
    plain = text.replace(",", "").replace("_", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10 and int(plain)):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise BadInput(f"{shown!r} is not a number of losses: enter a whole number from 1, e.g. losses 20")
    return int(plain)


def _actions(count: int) -> str:
    return "1 action" if count == 1 else f"{count:,} actions"
