"""The loop's statements, and runs of epochs, as the lines of Python that a learner would write."""

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
    "    break  # the session ends an epoch with such a loss before its backward pass",
)


@dataclass(frozen=True, slots=True)
class Style:
    """What the lines of an export have that the loop on screen has not."""

    watched: bool = False
    """Whether hooks keep what goes through the nodes of each backward pass."""

    retained: bool = False
    """Whether a backward pass keeps its graph, for the session went back to before it."""

    losses: bool = False
    """Whether each loss goes into a list."""

    ends_diverged: bool = False
    """Whether epochs end where a loss is inf or nan."""


def style_of(passing: Pass | None) -> Style:
    """Give the style for a statement that begins a pass; None for one that begins none."""
    return Style() if passing is None else Style(watched=passing.watched, retained=passing.taken_back)


def statement_lines(loop: Loop, kind: Kind, style: Style) -> list[str]:
    """Write a statement, enabled or not."""
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
    """Write a statement that runs now; before a forward pass through a part of the samples, choose them.

    Args:
        loop: As it stood before.
        epoch: How many epochs had run to their end.
        kind: The statement.
        style: What its lines have that those on screen have not.
    """
    lines = statement_lines(loop, kind, style)
    if kind is not Kind.FORWARD or loop.split is None:
        return lines
    after, ended = loop.ran(kind)
    return [*pick_lines(loop.split, epoch + ended - int(after.complete), after.at.part), *lines]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of epochs did: the rest of the epoch under way, and whole ones after it."""

    rest: tuple[Step, ...]
    """What was left of an epoch under way; empty where none was."""

    begun: int
    """That epoch, counted from 0."""

    whole: int
    """How many whole epochs were asked for."""

    first: int
    """The first of them."""

    losses: tuple[float, ...]
    """All that it computed; where the samples are split, those of its whole epochs."""

    diverged: bool
    """Whether it ended with a loss that is inf or nan."""


def run_of(before: Frame, after: Frame, count: int) -> Run:
    """Work out from the frames around it what a run of `count` epochs did."""
    loop = before.loop
    rest = loop.rest_steps() if loop.rest() != loop.epoch else ()
    first = before.epoch + (loop.ended_by_rest() if rest else 0)
    computed = tuple(after.losses[at] for at in range(_first_loss(before, first), len(after.losses)))
    diverged = after.loss is not None and not math.isfinite(after.loss)
    if diverged and len(after.losses) <= first:
        rest = rest[: rest.index((Kind.FORWARD, after.loop.at.part)) + 1]
        return Run(rest, before.epoch, 0, first, computed, diverged)
    return Run(rest, before.epoch, count - bool(rest), first, computed, diverged)


def run_lines(loop: Loop, run: Run, style: Style) -> list[str]:
    """Write a run of epochs."""
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
    """Write the rest of an epoch; where the samples are split, its loss is not kept."""
    epoch, lines = run.begun, list[str]()
    style = replace(style, losses=style.losses and loop.split is None)
    for kind, _ in run.rest:
        lines += statement_now(loop, epoch, kind, style)
        loop, ended = loop.ran(kind)
        epoch += ended
    return lines


def _body(loop: Loop, style: Style) -> list[str]:
    """Write an epoch, with what is commented out as comments."""
    split = loop.split
    if split is None:
        return list(chain.from_iterable(_written(one, loop, style) for one in loop.statements))
    before, inner, after = (
        list(chain.from_iterable(_written(one, loop, style) for one in loop.statements[places]))
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
    """Give the epoch, counted from 0, of the first loss that a run keeps; `whole` is its first whole one."""
    loop, epoch = before.loop, before.epoch
    if loop.split is not None:
        return whole
    for kind in (*loop.rest(), *loop.epoch):
        loop, ended = loop.ran(kind)
        epoch += ended
        if kind is Kind.FORWARD:
            return epoch - int(loop.complete)
    return len(before.losses)
