"""Draws gradient sizes, and losses, over the epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gradstep.history.annotations import What
from gradstep_tui.drawing.canvas import AXIS, Canvas
from gradstep_tui.drawing.chart import AXIS as PLOT_AXIS
from gradstep_tui.drawing.chart import RISES, Curve, curve_of, curve_scale, plot_lines
from gradstep_tui.drawing.dot_plot import DotPlot
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.scales import Scale, rounded, scale_of
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.frames import mark_text
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.history.annotations import Mark
    from gradstep.ledger.gradient_norms import Size, Sizes
    from gradstep.training.loss_history import Losses

ADDED, HELD, BOTH = "x", "o", "@"
ADDED_ROLE, HELD_ROLE = "label", "mark"
BAR: Final = " ▏▎▍▌▋▊▉█"
"""Characters for the end of a bar, by the eighths of a cell that it fills."""

LINE_FROM_TWO: Final = "From the second on, a line shows the losses."

CHANGES: Final = {What.ZEROING_OFF: "Z", What.ZEROING_ON: "z", What.RATE: "r", What.BRANCH: "B"}
"""Sign below the loss curve for each kind of change."""

NO_PASS: Final = "No backward pass is recorded yet: press {backward}, or {epoch} for single epochs."
NO_PASS_FOR: Final = (
    "No backward pass for {parameter} is recorded yet: press {backward}, or {epoch} for single epochs."
)

MOST_TOLD: Final = 3
"""Largest number of changes that are described in words; the latest are."""


def size_lines(
    found: Sizes, epoch: int, width: int, height: int, is_log: bool | None = None, unit: str = EPOCH
) -> list[Line]:
    """Return the picture of the sizes of one parameter's gradients over the epochs.

    Args:
        found: Sizes of the parameter's gradient in its recorded passes.
        epoch: Number of complete epochs.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        is_log: Whether the scale is logarithmic; None to decide by the sizes.
        unit: Word for an epoch.
    """
    up = scale_of([size for recorded in found.passes for size in (recorded.added, recorded.held)], is_log)
    if up is None:
        text = NO_PASS_FOR.format(parameter=found.parameter, **SIGNS)
        return wrapped(f"{text} {_unrecorded(found)}".rstrip(), width)
    name = f"{found.parameter}.grad"
    text = (
        f"{BOTH} is both; size is the root of the sum of squares, {up.name} (y: other scale). "
        f"{_unrecorded(found)}"
    )
    below = [
        line(
            Span(f"{ADDED} the gradient of a pass   ", ADDED_ROLE),
            Span(f"{HELD} {name} after the pass", HELD_ROLE),
        ),
        *wrapped(text.rstrip(), width),
    ]
    across = Scale(1, max(epoch, *(recorded.epoch for recorded in found.passes), 2))
    plot = DotPlot(across, rounded(up), width, height - len(below) - 1)
    stretches = _stretches(found.passes)
    for stretch in stretches:
        plot.curve([(size.epoch, size.held) for size in stretch], HELD_ROLE, dotted=True)
        plot.curve([(size.epoch, size.added) for size in stretch], ADDED_ROLE)
    plot.signs(((size.epoch, size.held) for size in found.passes), HELD, HELD_ROLE)
    plot.signs(((size.epoch, size.added) for size in found.passes), ADDED, ADDED_ROLE, BOTH)
    head = line(Span(f"size of {name} up, {unit}s across; ↑ ↓ choose the parameter", "label"))
    return [head, *plot.lines(unit, _whole), *below]


def _stretches(passes: Sequence[Size]) -> list[list[Size]]:
    """Return the passes in stretches without an epoch missing between two of them."""
    stretches: list[list[Size]] = []
    for size in passes:
        if stretches and size.epoch - stretches[-1][-1].epoch <= 1:
            stretches[-1].append(size)
        else:
            stretches.append([size])
    return stretches


def layer_lines(
    found: Sequence[Sizes], width: int, height: int, is_log: bool | None = None, unit: str = EPOCH
) -> list[Line]:
    """Return the picture of the sizes of all parameters' gradients in the latest recorded pass, as bars.

    Args:
        found: Sizes of each parameter's gradients in the recorded passes, in the model's order.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        is_log: Whether the scale is logarithmic; None to decide by the sizes.
        unit: Word for an epoch.
    """
    latest = [sizes.passes[-1] if sizes.passes else None for sizes in found]
    scale = scale_of([size.added for size in latest if size is not None], is_log)
    if scale is None:
        return wrapped(NO_PASS.format(**SIGNS), width)
    scale = scale if scale.is_log else Scale(0, scale.high)
    epoch = max(size.epoch for size in latest if size is not None)
    head = line(Span(f"size of each gradient, in the pass of {unit} {epoch:,}", "label"))
    text = (
        f"Parameters in the model's order; bars from {cell(scale.low)} to {cell(scale.high)}, "
        f"{scale.name} (y: other scale); size is the root of the sum of squares. ↓ shows a parameter over "
        f"the {unit}s."
    )
    below = wrapped(text, width)
    room = height - len(below) - 2
    names = [f"{sizes.parameter}.grad" for sizes in found]
    longest = max(map(len, names))
    rows = [_bar(name, size, scale, longest, width) for name, size in zip(names, latest, strict=True)]
    more = [line(Span(f"{len(rows) - room + 1} more", "dim"))] if len(rows) > room else []
    return [head, *rows[: room - len(more)], *more, line(""), *below]


def _bar(name: str, latest: Size | None, scale: Scale, longest: int, width: int) -> Line:
    added = None if latest is None else latest.added
    number = "no pass" if added is None else cell(added)
    room = width - longest - AXIS - 2
    share = math.nan if added is None else scale.share(added)
    eighths = 0 if math.isnan(share) else max(round(8 * share * room), int(bool(added)))
    bar = BAR[-1] * (eighths // 8) + BAR[eighths % 8].strip()
    return line(f"{name:<{longest}} {number:>{AXIS}} ", Span(bar, "mark"))


def loss_lines(
    losses: Losses,
    marks: Sequence[Mark],
    width: int,
    height: int,
    is_log: bool | None = None,
    unit: str = EPOCH,
) -> list[Line]:
    """Return the picture of the loss over the epochs, with signs for the learner's changes below.

    Args:
        losses: Loss of each epoch.
        marks: Changes of the loop or the learning rate, and branches.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        is_log: Whether the scale is logarithmic; None to decide by the losses.
        unit: Word for an epoch.
    """
    curve = curve_of(losses, max(width - PLOT_AXIS, 1), whole=True)
    scale = curve_scale(curve, is_log)
    if scale is None:
        text = (
            f"No loss yet: press {SIGNS['epoch']} to run {'an' if unit == EPOCH else 'a'} {unit}."
            if not len(losses)
            else "No loss is a finite number."
        )
        return wrapped(text, width)
    below = _mark_lines(marks, curve, len(losses), width, unit)
    if len(losses) == 1:
        return [*wrapped(f"{unit.capitalize()} 1 had loss {cell(losses[0])}. {LINE_FROM_TWO}", width), *below]
    text = f"loss up, {scale.name} (y: other scale), {unit}s across; {RISES} marks a rise"
    room = max(height - len(below) - 1, 3)
    return [line(Span(text, "label")), *plot_lines(curve, scale, len(losses), width, room, unit), *below]


def _mark_lines(marks: Sequence[Mark], curve: Curve, last: int, width: int, unit: str) -> list[Line]:
    """Return a row of signs below the epochs, and the lines that explain them."""
    row = Canvas(width - PLOT_AXIS, 1)
    for mark in marks:
        column, sign = curve.cell_of(mark.epoch, last), CHANGES[mark.what]
        row.put(column, 0, sign if row.at(column, 0) in (" ", sign) else "+", "key")
    if not marks:
        return wrapped("The loop and the learning rate were never changed.", width, "dim")
    texts = [mark_text(mark, unit) for mark in marks[-MOST_TOLD:]]
    more = f"{len(marks) - MOST_TOLD} earlier; " if len(marks) > MOST_TOLD else ""
    signs = ", ".join(f"{sign} {what}" for what, sign in CHANGES.items())
    return [
        line(" " * PLOT_AXIS, *row.lines()[0]),
        *wrapped(f"{signs}, + several. {more}{'; '.join(texts)}.", width),
    ]


def _unrecorded(found: Sizes) -> str:
    if not found.unrecorded:
        return ""
    return f"Gaps: {found.unrecorded:,} passes that ran at full speed, unrecorded, or were forgotten."


def _whole(epoch: float) -> str:
    return f"{epoch:,.0f}"
