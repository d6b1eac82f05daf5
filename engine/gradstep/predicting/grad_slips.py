"""What wrong ideas make of an element of a `.grad`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gradstep.ledger.ledger import GradientPath, Write
from gradstep.predicting.case import Case
from gradstep.predicting.loss_scale import loss_divisor
from gradstep.predictions.judging import Doing, Reply, Slip

Found = Iterator[tuple[Slip, Reply]]


def grad_slips(case: Case, truth: Reply) -> Found:
    """Yield the slips of a question about a `.grad`, with what each leads to."""
    if case.writes:
        yield from _after_pass(case, case.writes[0], truth)
    elif case.ran.doing is Doing.ZERO:
        yield from _after_zeroing(case, truth)
    elif case.ran.doing is Doing.CLIP:
        yield Slip.OLD, case.at(case.old_grad)
        yield Slip.ZERO, 0.0
    else:
        yield from _unchanged(case, truth)


def _after_pass(case: Case, write: Write, truth: Reply) -> Found:
    part, before, old = case.at(write.part), case.at(write.before), case.at(case.old_grad)
    if part is None or not isinstance(truth, float):
        return
    if write.before is None or case.ran.is_zero(write.before):
        yield Slip.OLD, old
    elif before is not None:
        yield Slip.NEW, part
        yield Slip.OLD, before
        yield Slip.ZERO, 0.0
        yield Slip.MEAN, (before + part) / 2
        yield Slip.WRONG_WAY, before - part
    yield Slip.NEGATED, -truth
    yield from times_rate(case, truth)
    kept = before or 0.0
    yield from _paths(case, write.paths, kept)
    divisor, rows = case.ran.once("divisor", lambda: loss_divisor(case.ran))
    if divisor > 1:
        yield Slip.TIMES_SAMPLES, kept + part * divisor
    elif rows > 1:
        yield Slip.PER_SAMPLE, kept + part / rows


def _paths(case: Case, paths: tuple[GradientPath, ...], kept: float) -> Found:
    parts = [part for path in paths if (part := case.at(path.grad)) is not None]
    if len(parts) < 2:
        return
    yield Slip.LAST_PATH, kept + parts[-1]
    if not case.ran.are_same(paths[0].grad, paths[-1].grad):
        yield Slip.FIRST_PATH, kept + parts[0]
    yield Slip.PRODUCT, kept + math.prod(parts)


def _after_zeroing(case: Case, truth: Reply) -> Found:
    old = case.at(case.old_grad)
    if case.old_grad is not None and not case.ran.is_zero(case.old_grad):
        yield Slip.OLD, old
    if truth is None:
        yield Slip.ZERO, 0.0
    else:
        yield Slip.NONE, None


def _unchanged(case: Case, truth: Reply) -> Found:
    if truth is None:
        yield Slip.ZERO, 0.0
        return
    yield Slip.NONE, None
    if case.old_grad is not None and not case.ran.is_zero(case.old_grad):
        yield Slip.ZERO, 0.0
    if case.ran.doing is Doing.UPDATE:
        yield from times_rate(case, truth)


def times_rate(case: Case, truth: Reply) -> Found:
    """Yield the slip of a gradient that is multiplied by the learning rate."""
    if isinstance(truth, float) and truth and not math.isnan(case.rate) and case.rate != 1:
        yield Slip.TIMES_RATE, case.rate * truth
