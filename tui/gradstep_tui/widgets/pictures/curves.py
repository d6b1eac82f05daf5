"""Sizes of gradients, and losses, over the epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.history.annotations import What
from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, scale_of
from gradstep_tui.text.frames import mark_text
from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.history.annotations import Mark
    from gradstep.ledger.gradient_norms import Size, Sizes
    from gradstep.training.loss_history import Losses

ADDED, HELD, BOTH = "#", "o", "@"
BAR: Final = "#"
LOSS, STEEP_WAY = "*", ":"

SIGNS: Final = {What.ZEROING_OFF: "Z", What.ZEROING_ON: "z", What.RATE: "r", What.BRANCH: "B"}
"""What stands below the curve where something was done."""

MOST_TOLD: Final = 3
"""Marks that are told in words at the most, the latest ones."""


def size_lines(found: Sizes, epoch: int, width: int, height: int, is_log: bool | None = None) -> list[Line]:
    """Draw how large one parameter's gradients were.

    Args:
        found: Its recorded passes.
        epoch: Epochs run to their end.
        width: Cells per line.
        height: Lines.
        is_log: Whether the scale is logarithmic; None leaves it to the sizes.
    """
    up = scale_of([size for one in found.passes for size in (one.added, one.held)], is_log)
    if up is None:
        text = f"No pass of {found.parameter} is recorded yet: run backward (b), or epochs one by one (e)."
        return wrapped(f"{text} {_unrecorded(found)}".rstrip(), width)
    name = f"{found.parameter}.grad"
    text = (
        f"{ADDED} the gradient of a pass, {HELD} what {name} held after it, {BOTH} both the same; size: root "
        f"of the sum of squares, {up.name}. {_unrecorded(found)}"
    )
    below = wrapped(text.rstrip(), width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    across = Scale(1, max(epoch, *(one.epoch for one in found.passes), 2))
    for one in found.passes:
        canvas.point(across, up, one.epoch, one.held, HELD, "mark")
    for one in found.passes:
        place = canvas.place(across, up, one.epoch, one.added)
        if place is not None:
            canvas.put(*place, BOTH if canvas.at(*place) in (HELD, BOTH) else ADDED, "key")
    head = line(Span(f"size of {name} up, epochs across; up and down: the parameter", "label"))
    return [head, *canvas.with_axes(across, up, "epoch", _whole), *below]


def layer_lines(found: Sequence[Sizes], width: int, height: int, is_log: bool | None = None) -> list[Line]:
    """Draw how large the gradients of all parameters were in the latest recorded pass, as bars.

    Args:
        found: The parameters' recorded passes, in the model's order.
        width: Cells per line.
        height: Lines.
        is_log: Whether the scale is logarithmic; None leaves it to the sizes.
    """
    latest = [one.passes[-1] if one.passes else None for one in found]
    scale = scale_of([one.added for one in latest if one is not None], is_log)
    if scale is None:
        return wrapped("No pass is recorded yet: run backward (b), or epochs one by one (e).", width)
    scale = scale if scale.is_log else Scale(0, scale.high)
    epoch = max(one.epoch for one in latest if one is not None)
    head = line(Span(f"size of each gradient, in the pass of epoch {epoch:,}", "label"))
    text = (
        f"Parameters in the model's order. Bars from {cell(scale.low)} to {cell(scale.high)}, "
        f"{scale.name} (l changes that); size: root of the sum of squares. Down: each one over the epochs."
    )
    below = wrapped(text, width)
    room = height - len(below) - 2
    names = [f"{one.parameter}.grad" for one in found]
    longest = max(map(len, names))
    rows = [_bar(name, size, scale, longest, width) for name, size in zip(names, latest, strict=True)]
    more = [line(Span(f"{len(rows) - room + 1} more", "dim"))] if len(rows) > room else []
    return [head, *rows[: room - len(more)], *more, line(""), *below]


def _bar(name: str, latest: Size | None, scale: Scale, longest: int, width: int) -> Line:
    added = None if latest is None else latest.added
    number = "no pass" if added is None else cell(added)
    room = width - longest - AXIS - 2
    share = math.nan if added is None else scale.share(added)
    length = 0 if math.isnan(share) else max(round(share * room), int(bool(added)))
    return line(f"{name:<{longest}} {number:>{AXIS}} ", Span(BAR * length, "mark"))


def loss_lines(
    losses: Losses, marks: Sequence[Mark], width: int, height: int, is_log: bool | None = None
) -> list[Line]:
    """Draw the loss over the epochs, and below it what was done."""
    canvas = Canvas(width - AXIS, height)
    pairs = losses.sampled(canvas.width)
    up = scale_of([one for pair in pairs for one in pair], is_log)
    if up is None:
        text = "No loss yet: run an epoch (e)." if not len(losses) else "No loss is a finite number."
        return wrapped(text, width)
    last = len(losses)
    below = _mark_lines(marks, last, up, width)
    canvas = Canvas(width - AXIS, height - len(below) - 2)
    across = Scale(1, max(last, 2))
    before: int | None = None
    for number, pair in enumerate(pairs):
        column = across.place(1 + number * (last - 1) / max(len(pairs) - 1, 1), canvas.width)
        low, high = (up.place(one, canvas.height) for one in pair)
        if column is not None and low is not None and high is not None:
            if before is not None:  # a steep way down, or up, is a line as well
                for row in range(min(before, low) + 1, max(before, high)):
                    canvas.put(column, canvas.height - 1 - row, STEEP_WAY, "dim")
            for row in range(low, high + 1):
                canvas.put(column, canvas.height - 1 - row, LOSS, "mark")
            before = low
    head = line(Span(f"loss up, {up.name} (l changes that), epochs across", "label"))
    return [head, *canvas.with_axes(across, up, "epoch", _whole), *below]


def _mark_lines(marks: Sequence[Mark], last: int, up: Scale, width: int) -> list[Line]:
    """Draw a row of signs below the epochs, and say what they stand for."""
    row, across = Canvas(width - AXIS, 1), Scale(1, max(last, 2))
    for mark in marks:
        column = across.place(min(max(mark.epoch, 1), max(last, 2)), row.width)
        if column is not None:
            sign = SIGNS[mark.what]
            row.put(column, 0, sign if row.at(column, 0) in (" ", sign) else "+", "key")
    if not marks:
        return wrapped("Nothing was changed on the way.", width, "dim")
    told = [mark_text(mark) for mark in marks[-MOST_TOLD:]]
    more = f"{len(marks) - MOST_TOLD} more before; " if len(marks) > MOST_TOLD else ""
    signs = ", ".join(f"{sign} {what}" for what, sign in SIGNS.items())
    return [
        line(" " * AXIS, *row.lines()[0]),
        *wrapped(f"{signs}, + several. {more}{'; '.join(told)}.", width),
    ]


def _unrecorded(found: Sizes) -> str:
    if not found.unrecorded:
        return ""
    return f"{found.unrecorded:,} passes ran at full speed, unrecorded, or are forgotten: gaps."


def _whole(epoch: float) -> str:
    return f"{epoch:,.0f}"
