"""The loop's statements, and runs of epochs, as the lines of Python that a learner would write."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from engine.exports.nodes import WATCH
from engine.exports.passes import Pass
from engine.frame import Frame
from engine.loop import Kind, Loop

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
    lines = list(next(one.lines for one in loop.statements if one.kind is kind))
    if kind is Kind.BACKWARD:
        if style.retained:
            lines = [line.replace("backward()", "backward(retain_graph=True)") for line in lines]
        if style.watched:
            lines.insert(0, WATCH)
    if kind is Kind.FORWARD:
        lines += [KEEP_LOSS] if style.losses else []
        lines += DIVERGED if style.ends_diverged else ()
    return lines


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of epochs did: the rest of the epoch under way, and whole ones after it."""

    rest: tuple[Kind, ...]
    """What was left of an epoch under way; empty where none was."""

    whole: int
    """How many whole epochs were asked for."""

    losses: tuple[float, ...]
    """All that it computed."""

    diverged: bool
    """Whether it ended with a loss that is inf or nan."""


def run_of(before: Frame, after: Frame, count: int) -> Run:
    """Work out from the frames around it what a run of `count` epochs did."""
    loop = before.loop
    rest = loop.rest() if loop.rest() != loop.enabled else ()
    first = _first_loss(before)
    computed = () if first is None else tuple(after.losses[at] for at in range(first, len(after.losses)))
    diverged = bool(computed) and not math.isfinite(computed[-1])
    return Run(rest, count - bool(rest), computed, diverged)


def run_lines(loop: Loop, run: Run, style: Style) -> list[str]:
    """Write a run of epochs."""
    style = replace(style, losses=len(run.losses) > 1)
    if run.diverged and len(run.losses) == 1 and Kind.FORWARD in run.rest:
        return _in_a_row(loop, run.rest[: run.rest.index(Kind.FORWARD) + 1], style)
    lines = _in_a_row(loop, run.rest, style)
    if style.losses:
        lines.insert(0 if Kind.FORWARD in run.rest else len(lines), "losses = []")
    if run.whole == 1 and not run.diverged:
        lines += _body(loop, style)
    elif run.whole:
        lines.append(f"for epoch in range({run.whole}):")
        lines += [f"    {line}" for line in _body(loop, replace(style, ends_diverged=run.diverged))]
    return lines


def _in_a_row(loop: Loop, kinds: Iterable[Kind], style: Style) -> list[str]:
    return list(chain.from_iterable(statement_lines(loop, kind, style) for kind in kinds))


def _body(loop: Loop, style: Style) -> Iterator[str]:
    """Write an epoch, with what is commented out as comments."""
    for one in loop.statements:
        if one.enabled:
            yield from statement_lines(loop, one.kind, style)
        else:
            yield from (f"# {line}" for line in one.lines)


def _first_loss(before: Frame) -> int | None:
    """Give the epoch, counted from 0, of the first loss that a run computes; None where it computes none."""
    loop, epoch = before.loop, before.epoch
    for kind in (*loop.rest(), *loop.enabled):
        loop, ended = loop.ran(kind)
        epoch += ended
        if kind is Kind.FORWARD:
            return epoch - int(loop.complete)
    return None
