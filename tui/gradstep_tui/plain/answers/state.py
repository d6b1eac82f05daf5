"""Describes a frame in sentences: status, parameters, loss, predictions, loop, losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gradstep.actions import NextLine
from gradstep.errors import BadInput
from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ScriptStatement
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.plain.answers.elements import elements_texts, is_large
from gradstep_tui.plain.answers.numbers import operand_texts, row_texts, size_text
from gradstep_tui.plain.answers.refusals import refusal_text
from gradstep_tui.plain.answers.sums import memory_texts
from gradstep_tui.text.frames import change_texts, part_text, phase
from gradstep_tui.text.settings import batches_title, optimizer_title
from gradstep_tui.text.statements import DOES, code, effect_text, statement_name, zeroes
from gradstep_tui.text.tensors.numbers import cell, rate

if TYPE_CHECKING:
    from gradstep.frame import Frame, ParameterFrame
    from gradstep.loop.loop import Statement, StatementKey
    from gradstep.reasons import Refusal
    from gradstep.training.loss_history import Losses

EFFECTS: Final = {**DOES, "backward": "runs loss.backward(); node goes through it node by node"}
"""Effect of each kind of statement, with the command that helps."""

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
    zeroing = ZEROING[zeroes(frame.loop)]
    optimizer = optimizer_title(frame.loop.optimizer)
    yield (
        f"{frame.problem}: {optimizer}, learning rate {rate(frame.learning_rate)}, "
        f"zeroing {zeroing}; {split_text(frame)}epochs done {frame.epoch:,}; {phase(frame)}"
    )
    yield f"{_actions(frame.position)} can be undone, {frame.future:,} redone"


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
    change, percent = change_texts(frame)
    since = f", changed by{change}{percent} since the epoch before" if percent else ""
    part = f", {part_text(frame)}" if frame.loop.split else ""
    yield f"loss {cell(frame.loss)}{part}{since}{', computed before the update' if frame.stale else ''}"


def prediction_texts(frame: Frame) -> Iterator[str]:
    """Yield the predictions of the last forward pass."""
    if frame.preds is None:
        yield "no predictions yet: type forward"
    else:
        yield from operand_texts("predictions", frame.preds)


def loop_texts(frame: Frame) -> Iterator[str]:
    """Yield the loop's lines in order, and say which runs next and which are commented out."""
    inner, split = frame.loop.inner, frame.loop.split
    statements: Sequence[Statement | ScriptStatement] = frame.loop.statements
    for number, statement in enumerate(statements, 1):
        if split is not None and number - 1 == inner.start:
            yield f"for each of {split.parts} parts: {'; '.join([*split.order_lines, split.head])}"
        if inner and number - 1 == inner.stop:
            yield "after all parts:"
        marks = [_place_text(number, statement)]
        marks += [] if statement.enabled else ["commented out"]
        marks += ["next"] if statement.key == frame.next else []
        yield f"{', '.join(marks)}: {code(statement)}"


def _place_text(number: int, statement: Statement | ScriptStatement) -> str:
    if isinstance(statement, ScriptStatement):
        return f"{number}, line {statement.line}{f', {statement.role}' if statement.roles else ''}"
    return f"line {number}, {statement.kind} ({BY_ID[statement.kind].shown})"


def hint_text(frame: Frame) -> str:
    """Return the hint that names the command to type next."""
    if frame.in_pass:
        return "next: type node to run one node, or next to run the rest of the pass"
    if frame.next is None:
        return "every line of the loop is commented out: type comment forward to bring that line back"
    refusal = frame.refusal(NextLine())
    name, effect = statement_name(frame.loop, frame.next), effect_text(frame.loop, frame.next, EFFECTS)
    if refusal is not None:
        return f"next: {name}, which cannot run now: {refusal_text(refusal)}"
    if not isinstance(frame.next, Kind):
        return f"next: {name}{f', {effect}' if effect else ''}; type next"
    return f"next: {name} {effect}; type next, or {BY_ID[frame.next].shown}"


def losses_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield the latest losses, as many as `text` says or `DEFAULT_LOSSES`."""
    count = _count(text) if text else DEFAULT_LOSSES
    known = len(frame.losses)
    yield summary_text(frame.losses)
    yield from (_epoch_text(frame.losses, epoch) for epoch in range(max(known - count, 0), known))


def curve_texts(frame: Frame) -> Iterator[str]:
    """Yield the losses of some epochs at equal distances, from the first to the last."""
    yield summary_text(frame.losses)
    yield from (_epoch_text(frame.losses, epoch) for epoch in sampled_epochs(len(frame.losses)))


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


def summary_text(losses: Losses) -> str:
    """Return the text on the number of epochs in the loss history, and its lowest and highest loss."""
    if not len(losses):
        return "no loss yet: type forward"
    ((low, high),) = losses.sampled(1)
    span = "no finite loss among them" if math.isnan(low) else f"lowest {cell(low)}, highest {cell(high)}"
    return f"losses of {len(losses):,} epoch{'' if len(losses) == 1 else 's'}: {span}"


def _grad_texts(parameter: ParameterFrame) -> Iterator[str]:
    name = f"{parameter.name}.grad"
    if parameter.grad is None:
        return iter((f"{name}: None",))
    return row_texts(name, parameter, parameter.grad)


def _epoch_text(losses: Losses, epoch: int) -> str:
    loss = losses[epoch]
    return f"epoch {epoch + 1:,}: {'nan, or no loss computed' if math.isnan(loss) else cell(loss)}"


def _count(text: str) -> int:
    plain = text.replace(",", "").replace("_", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10 and int(plain)):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise BadInput(f"{shown!r} is not a number of losses: enter a whole number from 1, e.g. losses 20")
    return int(plain)


def _actions(count: int) -> str:
    return "1 action" if count == 1 else f"{count:,} actions"
