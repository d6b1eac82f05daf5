"""Describes an action in sentences: the code that ran, and everything that changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gradstep.actions import (
    Action,
    Answer,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    RunOuter,
    StepNodeBack,
    Undo,
    Update,
    Zero,
    ran_by,
)
from gradstep.loop.loop import Kind, Loop
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.plain.answers.elements import is_large, large_change_texts
from gradstep_tui.plain.answers.prediction_answers import prediction_texts
from gradstep_tui.plain.answers.refusals import COMMANDS, notice_text
from gradstep_tui.plain.answers.state import hint_text, loop_texts, loss_texts, shown_key
from gradstep_tui.plain.answers.statement_answers import moved_texts, ran_texts
from gradstep_tui.plain.answers.steps import step_texts, update_texts
from gradstep_tui.plain.answers.sums import grad_texts, memory_texts
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.notices import frame_remark
from gradstep_tui.text.settings import batches_title, optimizer_title
from gradstep_tui.text.statements import code, counted, round_text, statement_name, unit_of, zeroes
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.frame import Frame, PassFrame
    from gradstep.loop.loop import StatementKey

RUNS: Final[Mapping[type[Action], Kind]] = {
    Forward: Kind.FORWARD,
    Backward: Kind.BACKWARD,
    Update: Kind.UPDATE,
    Zero: Kind.ZERO,
}
"""Statement that each of these actions runs."""


def answer_texts(action: Action, before: Frame, after: Frame) -> Iterator[str]:
    """Yield the answer to an action: the code that ran, the changes, the notice, and the next command."""
    if isinstance(action, Answer) and after.prediction is not None:
        yield from prediction_texts(after.prediction, after)
        action = ran_by(action)
    yield from _done_texts(action, before, after)
    yield from ran_texts(action, after)
    yield from change_texts(before, after)
    yield from filter(None, [str(frame_remark(after, notice_text, COMMANDS))])
    yield hint_text(after)


def change_texts(before: Frame, after: Frame) -> Iterator[str]:
    """Yield everything that is different after an action."""
    yield from _pass_texts(before, after)
    if after.loss_changed or not _same(before.loss, after.loss) or after.stale is not before.stale:
        yield from loss_texts(after)
    if is_large(after):
        yield from large_change_texts(after)
    else:
        yield from _number_texts(after)
    was, now = before.loop.optimizer, after.loop.optimizer
    if now != was:
        yield f"the update is now {optimizer_title(now)}; before, {optimizer_title(was)}"
    if after.update is not None and after.update is not before.update:
        yield from update_texts(after)
    if after.loop.split != before.loop.split:
        yield f"the samples now go through the loop as {batches_title(after.loop.batches)}"
        yield from loop_texts(after)
    if after.learning_rate != before.learning_rate and not math.isnan(after.learning_rate):
        yield f"learning rate {rate(before.learning_rate)} becomes {rate(after.learning_rate)}"
    yield from _loop_texts(before.loop, after.loop)
    if after.epoch != before.epoch:
        yield f"{unit_of(after.loop)}s done: {after.epoch:,}"


def _number_texts(after: Frame) -> Iterator[str]:
    for parameter in after.parameters:
        yield from moved_texts(after, parameter)
    for parameter in after.parameters:
        yield from grad_texts(parameter)
    for parameter in after.parameters:
        yield from memory_texts(parameter)


def _done_texts(action: Action, before: Frame, after: Frame) -> Iterator[str]:
    kind = RUNS.get(type(action))
    if isinstance(before.loop, ScriptLoop) and kind is not None:
        yield from (_ran_text(key, before, after) for key in before.loop.keys_of(kind))
        return
    ran = before.next if isinstance(action, NextLine) else kind
    if ran is not None:
        yield _ran_text(ran, before, after)
        return
    tell = DONE.get(type(action))
    if tell is not None:
        yield tell(before, after)
    elif isinstance(action, GoTo):
        yield action_text(action)


def _ran_text(key: StatementKey, before: Frame, after: Frame) -> str:
    """Return the line that names the statement that ran, with its code."""
    statement = next(statement for statement in after.loop.statements if statement.key == key)
    name = key.value if isinstance(key, Kind) else f"statement {key + 1}"
    is_pass = before.in_pass or key == Kind.BACKWARD or _place(before.backward) != _place(after.backward)
    rest = " to its end" if before.in_pass and is_pass else ""
    count = f", {len(after.backward.rows)} events" if is_pass and after.backward else ""
    return f"ran {name}{rest}{count}: {code(statement)}"


def _ran_epochs(before: Frame, after: Frame) -> str:
    ran = f"ran {counted(after.epoch - before.epoch, unit_of(after.loop))}"
    if not isinstance(after.loop, ScriptLoop):
        return f"{ran} with learning rate {rate(before.learning_rate)}"
    return f"{ran}; the script's loop is at {round_text(after.loop)}" if not after.loop.over else ran


def _went_back(before: Frame, after: Frame) -> str:
    if after.backward is None or after.backward.done == 0:
        return "one event back: the pass is at its start"
    return "one event back"


DONE: Final[Mapping[type, Callable[[Frame, Frame], str]]] = {
    RunEpochs: _ran_epochs,
    RunOuter: _ran_epochs,
    StepNodeBack: _went_back,
    Undo: lambda _, after: f"undone; {_more(after.position)} can be undone",
    Redo: lambda _, after: f"redone; {_more(after.future)} can be redone",
    Reset: lambda *_: "back at the start values; the loop and the learning rate stay",
}
"""First line of the answer to an action that runs no statement; other actions have none."""


def _pass_texts(before: Frame, after: Frame) -> Iterator[str]:
    """Yield the current event if the action stepped through a backward pass."""
    now = after.backward
    if now is None or now.over or _place(before.backward) == _place(now):
        return
    if now.finished and not _steps_by_one(before.backward, now):
        return  # the pass ran as a whole, and the changes of each .grad describe it
    yield from step_texts(after)
    if now.finished:
        yield "the backward pass is finished"


def _steps_by_one(before: PassFrame | None, now: PassFrame) -> bool:
    done = before.done if before is not None and before.rows is now.rows else 0
    return abs(now.done - done) == 1


def _place(backward: PassFrame | None) -> tuple[int, int] | None:
    return None if backward is None else (id(backward.rows), backward.done)


def _loop_texts(before: Loop | ScriptLoop, after: Loop | ScriptLoop) -> Iterator[str]:
    """Yield the changes of the loop: lines commented out or in, their order, and the way of zeroing."""
    enabled = {statement.key: statement.enabled for statement in before.statements}
    for statement in after.statements:
        name, was_enabled = statement_name(after, statement.key), enabled.get(statement.key)
        if was_enabled and not statement.enabled:
            consequence = ": gradients pile up" if zeroes(before) and zeroes(after) is False else ""
            yield f"{name} is commented out of the loop{consequence}"
        elif statement.enabled and was_enabled is False:
            yield f"{name} is in the loop again"
    order, was = ([statement.key for statement in loop.statements] for loop in (after, before))
    if order != was:
        yield f"the loop's order is now {', '.join(map(shown_key, order))}"
    if isinstance(after, Loop) and isinstance(before, Loop) and after.set_to_none is not before.set_to_none:
        zero = next(statement for statement in after.statements if statement.kind is Kind.ZERO)
        yield f"zeroing is now: {code(zero)}"


def _more(count: int) -> str:
    return "no more actions" if count == 0 else "1 more action" if count == 1 else f"{count:,} more actions"


def _same(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return before == after or (math.isnan(before) and math.isnan(after))
