"""Lines of Python for the loop's statements and for runs of epochs, as a learner would write them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain

from gradstep.exports.code.batch_lines import PARTS, indented, keep_line, pick_lines
from gradstep.exports.code.name_conflicts import scripts
from gradstep.exports.code.node_assertions import WATCH
from gradstep.exports.recording.passes import Pass
from gradstep.frame import Frame
from gradstep.loop.loop import Kind, Loop, Statement, Step

KEEP_LOSS = "losses.append(loss.item())"
DIVERGED = (
    "if not loss.isfinite():",
    "    break  # gradstep ends the run at such a loss, before the backward pass",
)


@dataclass(frozen=True, slots=True)
class Style:
    """Additions to the loop's lines in an export that the loop on screen does not have."""

    watched: bool = False
    """Whether hooks record the gradients at the nodes of the backward pass."""

    retained: bool = False
    """Whether the backward pass retains its graph, because the session stepped back to before the pass."""

    losses: bool = False
    """Whether each loss is appended to a list."""

    ends_diverged: bool = False
    """Whether the run ends if a loss is inf or nan."""


def style_of(passing: Pass | None) -> Style:
    """Return the additions for a statement that begins `passing`; none if `passing` is None."""
    return Style() if passing is None else Style(watched=passing.watched, retained=passing.taken_back)


def statement_lines(loop: Loop, kind: Kind, style: Style) -> list[str]:
    """Return the lines of a statement, whether it is enabled or not."""
    lines = [scripts(line) for line in loop.lines(kind)]
    if kind is Kind.BACKWARD:
        if style.retained:
            lines = [line.replace("backward()", "backward(retain_graph=True)") for line in lines]
        if style.watched:
            lines.insert(0, WATCH)
    if kind is Kind.FORWARD:
        lines += [KEEP_LOSS if loop.split is None else keep_line(loop.split)] if style.losses else []
        lines += DIVERGED if style.ends_diverged else ()
    return lines


def statement_now(loop: Loop, epoch: int, kind: Kind, style: Style) -> list[str]:
    """Return the lines of a statement that runs now; a forward pass on a batch first chooses its samples.

    Args:
        loop: The loop before the statement runs.
        epoch: Number of complete epochs before the statement runs.
        kind: The statement.
        style: Additions to the statement's lines.
    """
    lines = statement_lines(loop, kind, style)
    if kind is not Kind.FORWARD or loop.split is None:
        return lines
    after, ended = loop.ran(kind)
    return [*pick_lines(loop.split, epoch + ended - int(after.complete), after.at.part), *lines]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of epochs: the rest of an unfinished epoch, then whole epochs."""

    rest: tuple[Step, ...]
    """Statements left of the unfinished epoch; empty if the run began with a whole epoch."""

    begun: int
    """Number of the epoch in which the run began, counted from 0."""

    whole: int
    """Number of whole epochs that were asked for."""

    first: int
    """Number of the first whole epoch, counted from 0."""

    losses: tuple[float, ...]
    """All losses computed in the run; if the samples are split into batches, only those of whole epochs."""

    diverged: bool
    """Whether the run ended with a loss that is inf or nan."""

    in_pass: bool
    """Whether the run first finishes a backward pass, which ran as a whole where it was begun."""


def run_of(before: Frame, after: Frame, count: int) -> Run:
    """Return what a run of `count` epochs did, worked out from the frames before and after it."""
    loop = built_in(before)
    rest = loop.rest_steps() if before.in_pass or loop.rest() != loop.epoch else ()
    first = before.epoch + (loop.ended_by_rest() if rest else 0)
    computed = tuple(after.losses[at] for at in range(_first_loss(before, first), len(after.losses)))
    diverged = after.loss is not None and not math.isfinite(after.loss)
    if diverged and len(after.losses) <= first:
        rest = rest[: rest.index((Kind.FORWARD, built_in(after).at.part)) + 1]
        return Run(rest, before.epoch, 0, first, computed, diverged, before.in_pass)
    return Run(rest, before.epoch, count - bool(rest), first, computed, diverged, before.in_pass)


def run_lines(loop: Loop, run: Run, style: Style) -> list[str]:
    """Return the lines of a run of epochs."""
    style = replace(style, losses=len(run.losses) > 1)
    lines = _in_a_row(loop, run, style)
    if style.losses:
        begins = loop.split is None and any(kind is Kind.FORWARD for kind, _ in run.rest)
        lines.insert(0 if begins else len(lines), "losses = []")
    style = replace(style, ends_diverged=run.diverged)
    if run.whole == 1:
        shuffled = loop.split is not None and loop.split.batches.shuffle
        lines += [f"epoch = {run.first}"] if shuffled else []
    if run.whole == 1 and not run.diverged:
        lines += _body(loop, style)
    elif run.whole:
        after = run.first + run.whole
        epochs = f"{run.whole}" if loop.split is None else f"{run.first}, {after}"
        lines.append(f"for epoch in range({epochs}):")
        lines += indented(_body(loop, style))
    return lines


def _in_a_row(loop: Loop, run: Run, style: Style) -> list[str]:
    """Return the lines of the rest of an epoch; its loss is not kept if the samples come in batches."""
    epoch, lines = run.begun, list[str]()
    style = replace(style, losses=style.losses and loop.split is None)
    for number, (kind, _) in enumerate(run.rest):
        if number or not run.in_pass:
            lines += statement_now(loop, epoch, kind, style)
        loop, ended = loop.ran(kind)
        epoch += ended
    return lines


def _body(loop: Loop, style: Style) -> list[str]:
    """Return the lines of an epoch, with disabled statements as comments."""
    split = loop.split
    if split is None:
        return list(chain.from_iterable(_written(statement, loop, style) for statement in loop.statements))
    before, inner, after = (
        list(chain.from_iterable(_written(statement, loop, style) for statement in loop.statements[places]))
        for places in (
            slice(loop.inner.start),
            slice(loop.inner.start, loop.inner.stop),
            slice(loop.inner.stop, None),
        )
    )
    kept = [f"{PARTS} = []"] if style.losses else []
    if all(line.startswith("#") for line in inner):
        inner.append("pass")
    lines = [*split.order_lines, *before, *kept, split.head, *indented(inner)]
    lines += [f"losses.append(sum({PARTS}))"] if style.losses else []
    lines += DIVERGED if style.ends_diverged else ()
    return lines + after


def _written(statement: Statement, loop: Loop, style: Style) -> list[str]:
    if statement.enabled:
        return statement_lines(loop, statement.kind, style)
    return [f"# {line}" for line in statement.lines]


def _first_loss(before: Frame, whole: int) -> int:
    """Return the epoch of the first loss that a run keeps; `whole` is the first whole epoch of the run."""
    loop, epoch = built_in(before), before.epoch
    if loop.split is not None:
        return whole
    for kind in (*loop.rest(), *loop.epoch):
        loop, ended = loop.ran(kind)
        epoch += ended
        if kind is Kind.FORWARD:
            return epoch - int(loop.complete)
    return len(before.losses)


def built_in(frame: Frame) -> Loop:
    """Return a frame's loop, which is one of the four kinds of statements."""
    assert isinstance(frame.loop, Loop)
    return frame.loop
