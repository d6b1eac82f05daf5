"""Turns a sequence of actions into cells of plain PyTorch that assert every number the screen showed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from gradstep.actions import (
    LowerLearningRate,
    RaiseLearningRate,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
)
from gradstep.exports.code.assertions import check_changes, check_losses
from gradstep.exports.code.batch_lines import generator_lines
from gradstep.exports.code.cells import Cell
from gradstep.exports.code.loop_lines import built_in, run_lines, run_of, statement_now, style_of
from gradstep.exports.code.node_assertions import check_event
from gradstep.exports.code.parameter_expressions import expression
from gradstep.exports.code.start_lines import NOTHING, Changing, optimizer_lines, rate_lines, reset_lines
from gradstep.exports.recording.moments import Moment
from gradstep.exports.recording.passes import Pass, passes_of
from gradstep.exports.titles import INSIDE, TAKEN_BACK, kind_of, title, words
from gradstep.loop.loop import Kind
from gradstep.training.pytorch_errors import LESSONS, PyTorchError

LEFT_INSIDE = Cell(
    "The end",
    "The session ended inside a backward pass. Here the pass has run to its end, so the gradients "
    "are those after the whole pass; only the part that the session had reached was asserted.",
)


def retell(moments: Sequence[Moment], changing: Changing = NOTHING) -> Iterator[Cell]:
    """Yield a cell for every moment, and a closing one if the session ended inside a backward pass.

    Args:
        moments: The session's actions, each with the frames before and after it.
        changing: State that a reset restores in addition to the parameters.
    """
    passes = passes_of(moments)
    for moment in moments:
        passing = passes.get(moment.number)
        begun = passing if passing is not None and passing.first == moment.number else None
        lines = _lines(moment, begun, passing, changing)
        code = lines if moment.error is None else _refused(lines, moment.error)
        if moment.before.preds is not None and moment.after.preds is None:
            code.append("del preds, loss")
        explained = words(moment, anew=passing is not None and passing.new_at(moment) is not None)
        if begun is not None and moment.after.in_pass:
            explained = f"{explained} {INSIDE}"
        if passing is not None and moment.after.backward is None:
            explained = TAKEN_BACK
        yield Cell(title(moment), explained, tuple(code), tuple(_checks(moment, passing)))
    if moments and moments[-1].after.in_pass:
        yield LEFT_INSIDE


def _lines(moment: Moment, begun: Pass | None, passing: Pass | None, changing: Changing) -> list[str]:
    """Return the lines of plain PyTorch that do the same as a moment's action.

    Args:
        moment: The action, with the frames before and after it.
        begun: Backward pass that the action begins; None if it begins none.
        passing: Backward pass that the action begins, steps through or undoes; None if it touches none.
        changing: State that a reset restores in addition to the parameters.
    """
    before, after, style = moment.before, moment.after, style_of(begun)
    match moment.action:
        case SetLearningRate() | RaiseLearningRate() | LowerLearningRate():
            return rate_lines(after)
        case SetOptimizer():
            return optimizer_lines(after)
        case SetBatches():
            return generator_lines(after.loop.split)
        case Reset():
            return list(reset_lines(after, changing))
        case RunEpochs(count):
            return run_lines(built_in(before), run_of(before, after, count), style)
    if passing is not None and after.backward is None:
        return [f'{expression(name)}.grad = old["{name}"]' for name in passing.written]
    kind = kind_of(moment.action, before.next)
    if kind is None or (kind is Kind.BACKWARD and before.in_pass):
        return []  # the whole pass ran in the cell that began it
    return statement_now(built_in(before), before.epoch, kind, style)


def _refused(lines: Sequence[str], error: PyTorchError) -> list[str]:
    part = _lasting_part(error)
    return [
        "try:",
        *(f"    {line}" for line in lines),
        f"except {error.caught_as} as error:",
        f"    assert {json.dumps(part)} in str(error), error" if part else f"    pass  # {error.kind}",
        "else:",
        '    raise AssertionError("PyTorch refused this in the session")',
    ]


def _lasting_part(error: PyTorchError) -> str:
    """Return a part of an exception's message that is the same whenever the exception is raised."""
    if error.caught_as == "SystemExit":
        return ""  # its text is the exit code
    known = (part for part, _ in LESSONS if part in error.first_line)
    return next(known, error.first_line.removesuffix("...").partition(" at 0x")[0])


def _checks(moment: Moment, passing: Pass | None) -> Iterator[str]:
    before, after = moment.before, moment.after
    runs = isinstance(moment.action, RunEpochs)
    if isinstance(moment.action, RunEpochs):
        losses = run_of(before, after, moment.action.count).losses
        if len(losses) > 1:
            yield from check_losses(losses)
    yield from check_changes(before, after, everything=runs)
    place = None if passing is None else passing.new_at(moment)
    if passing is not None and place is not None and after.backward is not None and after.backward.step:
        yield from check_event(passing, place, after.backward.step)
