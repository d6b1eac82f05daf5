"""Draws what the statement that ran last did, with its numbers: forward, update, zero, epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.statement_steps.statement_facts import EpochsStep, ForwardStep, OwnStep, UpdateStep, ZeroStep
from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.text.lessons.about_texts import about_texts, is_fresh
from gradstep_tui.text.lessons.statement_reasons import statement_reason
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.tensors.digits import number_text
from gradstep_tui.text.tensors.numbers import shape_text
from gradstep_tui.widgets.lessons.epoch_table import epoch_table
from gradstep_tui.widgets.lessons.parameter_changes import epochs_lines, update_lines, zero_lines
from gradstep_tui.widgets.lessons.sample_tables import samples_lines

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.training.snapshots import VariableValue

MOST_LINES: Final = 300
"""Largest number of lines of a pane that can be scrolled."""

MOST_EPOCHS: Final = 13
"""Largest number of lines of the table of epochs."""

TITLES: Final = {
    ForwardStep: "forward: predictions, and how the loss comes about",
    UpdateStep: "update: each number minus learning rate times gradient",
    ZeroStep: "zero: gradients before and after",
    OwnStep: "this line",
}
"""Title of the pane after each kind of statement."""


def statement_title(frame: Frame) -> str:
    """Return the title for `statement_lines`; empty if it has no lines."""
    step = frame.statement
    if step is None:
        return "what this is" if has_nothing_else(frame) else ""
    if isinstance(step, UpdateStep) and not step.by_rule:
        return "update: before and after"
    if isinstance(step, EpochsStep):
        unit = unit_of(frame.loop)
        return (
            f"what this {unit} changed" if step.epochs == 1 else f"what these {step.epochs:,} {unit}s changed"
        )
    if isinstance(step, ZeroStep) and not step.zeroes:
        return "gradients: before and after"
    return TITLES[type(step)]


def has_nothing_else(frame: Frame) -> bool:
    """Return whether neither a statement nor a pass can be told of, so that the problem is described."""
    is_idle = frame.backward is None or frame.backward.over
    return is_fresh(frame) or (frame.lesson is not None and frame.statement is None and is_idle)


def statement_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """Return the lines for what ran last, or for the problem before anything ran; none after a backward pass.

    Args:
        frame: The frame.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
    """
    step, made = frame.statement, list[Line]()
    match step:
        case None:
            made = _about_lines(frame, width, height) if has_nothing_else(frame) else []
        case ForwardStep():
            made = _forward_lines(step, width, height)
        case UpdateStep():
            made = update_lines(step, width, height)
        case ZeroStep():
            made = zero_lines(step, width, height)
        case EpochsStep():
            unit = unit_of(frame.loop)
            made = epochs_lines(step, width, height, unit)
            table = epoch_table(step, frame.losses, min(height - len(made) - 1, MOST_EPOCHS), unit)
            made = [*made, line(" "), *table] if table else made
        case OwnStep():
            made = _own_lines(step, width, height)
    reason = statement_reason(frame)
    why = [line(" "), *wrapped(reason, width - 1, "dim")] if reason else []
    return [*made, *why] if len(made) + len(why) <= height else made[:height]


def whole_statement_lines(frame: Frame, width: int) -> list[Line]:
    """Return the same for a pane that can be scrolled."""
    return statement_lines(frame, width, MOST_LINES)


def _about_lines(frame: Frame, width: int, height: int) -> list[Line]:
    blocks = [wrapped(text, width - 1) for text in about_texts(frame)]
    if sum(map(len, blocks)) > height:
        blocks = [wrapped(text, width - 1) for text in about_texts(frame, is_short=True)]
    if (over := sum(map(len, blocks)) - height) > 0 and len(blocks) > 1:
        kept = max(
            len(blocks[-2]) - over, 1
        )  # what to press is worth more than the end of what the data mean
        blocks[-2] = blocks[-2][:kept]
    gaps = height >= sum(map(len, blocks)) + len(blocks) - 1
    rows: list[Line] = []
    for block in blocks:
        rows += [*([line(" ")] if gaps and rows else []), *block]
    return rows[:height]


def _forward_lines(step: ForwardStep, width: int, height: int) -> list[Line]:
    preds, loss = step.expressions
    return samples_lines(
        step.samples, step.loss, f"{step.samples.names[2]} = {preds}   loss = {loss}", width, height
    )


def _own_lines(step: OwnStep, width: int, height: int) -> list[Line]:
    if step.samples is not None and step.loss is not None:
        return samples_lines(step.samples, step.loss, "", width, height)
    rows: list[Line] = []
    for title, values in (("assigned", step.assigned), ("used", step.used)):
        if values:
            wide = max(len(value.name) for value in values)
            rows.append(line(Span(title, "label")))
            rows += [_value_line(value, wide, width) for value in values]
    return rows


def _value_line(value: VariableValue, wide: int, width: int) -> Line:
    kind = value.kind if value.shape is None else f"{shape_text(value.shape)} {value.kind}"
    start = line(Span(f" {value.name:<{wide}}", "key"), Span(f"  {kind}  ", "dim"))
    return (*start, Span(value_numbers(value, width - length(start))))


def value_numbers(value: VariableValue, room: int) -> str:
    """Return the numbers of a variable of a script, as many as fit into `room` characters."""
    if value.value is None:
        return "" if value.shape is None else "too many numbers to show here"
    if isinstance(value.value, str):
        return repr(value.value)[:room]
    if isinstance(value.value, int | float):
        return number_text(value.value, 9)
    text = ""
    numbers = value.value.flatten().tolist()
    for place, number in enumerate(numbers):
        more = f"{text}{' ' if text else ''}{number_text(number)}"
        if len(more) + 2 * (place + 1 < len(numbers)) > room:
            return f"{text} …"
        text = more
    return text
