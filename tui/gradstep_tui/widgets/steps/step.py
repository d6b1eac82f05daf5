"""The step panel: explains the current event of the backward pass, or an update, with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep.equations.equation import Operator
from gradstep_tui.drawing.lines import Line, Span, length, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.lessons.equations import gradient_name
from gradstep_tui.text.lessons.update_texts import options_text
from gradstep_tui.text.refusals import place_text, raised_by_text
from gradstep_tui.text.steps import event_name, event_text
from gradstep_tui.text.tensors.numbers import is_tensor, shape_text
from gradstep_tui.text.tensors.values import value_text
from gradstep_tui.widgets.lessons.statement_step import statement_lines, statement_title
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.steps.equation import WHOLE, equations_lines, least_lines
from gradstep_tui.widgets.steps.optimizer_update import optimizer_lines, whole_optimizer_lines
from gradstep_tui.widgets.steps.predicted import prediction_lines

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation
    from gradstep.derivatives.explanation import OperandValue
    from gradstep.equations.equation import Equation
    from gradstep.frame import Frame, PassFrame
    from gradstep.problem import Labels
    from gradstep.training.pytorch_errors import PyTorchError

MOST_NUMBERS = 6
"""Largest number of an operand's numbers that are shown on one line."""

WORDS = 2
"""Number of lines of words that are kept free below an equation, if it can be drawn in what is left."""

LEAST = 5
"""Number of lines from which an equation leaves room for words."""

PRODUCTS = (Operator.TIMES, Operator.MATMUL, Operator.MATMUL_LEFT)
"""Operators of equations with a formula that is worth a line of its own."""

BETWEEN = "between nodes, {name}"
"""Start of the title of what is no node of the graph but the engine's own work, or a hook's."""

COMPUTED = "as PyTorch computes it: {formula}, with g = {arrived}"


class StepPanel(Panel):
    """The current event: its source line, formula, explanation, operands and results."""

    title = "this step"

    complaint: var[PyTorchError | None] = var(None)

    looked: var[int | None] = var(None)
    """Event of the pass that is looked at again, counted from 0; None for what happened last."""

    chosen: var[int | None] = var(None)
    """Element of the step's result that is explained, counted in reading order; None for the first."""

    def watch_looked(self) -> None:
        """Draw the event that is looked at."""
        self.chosen = None
        self.redraw()

    def watch_frame(self) -> None:
        """Draw the new step, and explain its first element."""
        self.chosen = None
        super().watch_frame()

    def watch_chosen(self) -> None:
        """Mark and explain another element."""
        self.redraw()

    def walk(self, steps: int) -> None:
        """Choose another element of the step's result."""
        number = self._event
        backward = None if self.frame is None else self.frame.backward
        if number is None or backward is None:
            return
        values = [each.downstream.value for each in backward.equations[number]]
        count = max((value.numel() for value in values if is_tensor(value)), default=1)
        self.chosen = 0 if self.chosen is None else min(max(self.chosen + steps, 0), count - 1)

    @property
    def _event(self) -> int | None:
        """Number of the event of the pass that is drawn; None if something else is."""
        frame = self.frame
        if frame is None or frame.backward is None or self.complaint is not None:
            return None
        if self.looked is not None:
            return self.looked
        ended = frame.update is not None or frame.backward.over or not frame.backward.done
        return None if ended else frame.backward.done - 1

    def title_text(self) -> str:
        """Return the title: the current event, or what PyTorch or the learner's code raised."""
        if self.complaint is not None:
            return raised_by_text(self.complaint)
        if self.frame is None:
            return self.title
        backward = self.frame.backward
        if backward is not None and self.looked is not None:
            text = f"looking back at {self.looked + 1}: {event_title(backward, self.looked)}"
        elif backward is not None and backward.done and not backward.over:
            text = event_title(backward, backward.done - 1)
        elif self.frame.update is not None and self.frame.update.updates:
            text = options_text(self.frame.update.updates[0])
        else:
            text = statement_title(self.frame) or self.title
        return shortened_title(text, self.size.width - 4)

    @property
    def title_end(self) -> str:
        """The key that shows the step in full."""
        return f"{SIGNS['look']}: look closer" if self.frame is not None and self.complaint is None else ""

    def watch_complaint(self) -> None:
        """Draw the error, or the step again."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the explanation in as much detail as fits, or PyTorch's error instead."""
        if self.complaint is not None:
            return complaint_lines(self.complaint, width - 1, height)
        frame = self.frame
        if frame is None:
            return []
        if frame.prediction is None or self.looked is not None:
            return self._step_lines(frame, width, height)
        head = prediction_lines(frame.prediction, frame, width - 1)[:height]
        return [*head, *self._step_lines(frame, width, height - len(head))][:height]

    def _step_lines(self, frame: Frame, width: int, height: int) -> list[Line]:
        if height <= 0:
            return []
        if frame.backward is not None and self._event is not None:
            labels = labels_of(frame)
            return event_lines(frame.backward, self._event, width - 1, height, self.chosen, labels)
        if frame.update is not None:
            return update_lines(frame.update, width - 1, height, labels_of(frame))
        return statement_lines(frame, width - 1, height)


def labels_of(frame: Frame) -> dict[str, Labels]:
    """Return the names of the rows and columns of each parameter."""
    return {parameter.name: parameter.labels for parameter in frame.parameters}


def event_title(backward: PassFrame, number: int) -> str:
    """Return the title of an event of a pass: its name, and the expression that it belongs to."""
    row = backward.rows[number]
    text = event_text(row)
    name = event_name(row) if row.is_node else BETWEEN.format(name=event_name(row))
    return f"{name}: {text}" if text else name


def shortened_title(text: str, room: int) -> str:
    """Return a title of at most `room` characters."""
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"


def complaint_lines(complaint: PyTorchError, width: int, height: int) -> list[Line]:
    """Return the lines with the sentence that explains an error, its message, and its place."""
    lesson = wrapped(complaint.lesson, width) if complaint.lesson else []
    place = place_text(complaint)
    where = wrapped(place, width, most=max(height - 2 - len(lesson), 1)) if place else []
    room = max(height - len(where) - len(lesson), 1)
    own_words = f": {complaint.own_words}" if complaint.own_words else ""
    return [*lesson, *wrapped(f"{complaint.kind}{own_words}", width, "warn", most=room), *where]


def event_lines(
    backward: PassFrame,
    number: int,
    width: int,
    height: int,
    chosen: int | None = None,
    labels: Mapping[str, Labels] | None = None,
) -> list[Line]:
    """Return the lines for one event of a pass: its equations, its words if they fit, and then why.

    Args:
        backward: The pass.
        number: Number of the event, counted from 0.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        chosen: Element of the result that is marked and explained, in reading order; None for the first,
            unmarked.
        labels: Names of the rows and columns of parameters.
    """
    equations = backward.equations[number]
    room = min(max(height - WORDS, least_lines(equations)), height) if height >= LEAST else height
    name = backward.rows[number].name
    rows = equations_lines(equations, name, width, room, chosen, labels)
    words = wrapped(backward.steps[number].words, width - 1, "dim")
    if len(rows) + len(words) > height:
        room = max(height - len(words), room)
        rows = equations_lines(equations, name, width, room, chosen, labels)
    if height - len(rows) < len(words):
        return rows
    reason = backward.steps[number].reason
    why = [line(), *wrapped(str(reason), width - 1, "dim")] if reason is not None else []
    told = [*rows, *words]
    return [*told, *why] if len(told) + len(why) <= height else told


def whole_lines(
    backward: PassFrame, number: int, width: int, labels: Mapping[str, Labels] | None = None
) -> list[Line]:
    """Return all lines of an event of a pass: title, words, every number of its equations, and why."""
    title = event_title(backward, number)
    name = backward.rows[number].name
    equations, step = backward.equations[number], backward.steps[number]
    formulas = [_formula_text(each, name) for each in equations if each.operator in PRODUCTS]
    return [
        *wrapped(title, width, "key"),
        *wrapped(step.words, width),
        *(row for text in dict.fromkeys(formulas) for row in wrapped(text, width, "label")),
        line(),
        *equations_lines(equations, name, width, WHOLE, labels=labels),
        *([line(), *wrapped(str(step.reason), width, "dim")] if step.reason is not None else []),
    ]


def _formula_text(equation: Equation, fallback: str) -> str:
    """Return the formula by which PyTorch computes a product, with the gradient that arrives as `g`."""
    return COMPUTED.format(formula=equation.formula, arrived=gradient_name(equation.upstream.name, fallback))


def update_lines(
    update: Explanation, width: int, height: int, labels: Mapping[str, Labels] | None = None
) -> list[Line]:
    """Return the lines for an optimizer's step: formulas, then as many numbers and words as fit."""
    if update.updates:
        return optimizer_lines(update, width, height, labels or {})
    made = [line(Span(f"{name} = ", "label"), text) for name, text in update.where]
    rows = [*_title(update, width), *made]
    numbers = [
        _operand_line(operand.name, operand.value, width) for operand in (*update.operands, *update.results)
    ]
    room = height - len(rows) - len(numbers)
    words = wrapped(update.words, width - 1, "dim")
    if room >= len(words):
        return [*rows, *numbers, *words]
    if room >= 0 or height - len(rows) < 2:
        return [*rows, *numbers][:height]
    more = line(Span(f" {SIGNS['look']} shows all numbers", "dim"))
    return [*rows, *numbers[: height - len(rows) - 1], more]


def whole_update_lines(
    update: Explanation, width: int, labels: Mapping[str, Labels] | None = None
) -> list[Line]:
    """Return all lines of an optimizer's step."""
    if update.updates:
        return whole_optimizer_lines(update, width, labels or {})
    return update_lines(update, width, WHOLE)


def _title(step: Explanation, width: int) -> list[Line]:
    name, source = Span(step.title, "key"), Span(f"  {step.source}" if step.source else "")
    together = line(name, source)
    return [together] if length(together) <= width else [line(name), line(source)]


def _operand_line(name: str, value: OperandValue, width: int, sign: str = "") -> Line:
    shape = f" {shape_text(tuple(value.shape))}" if is_tensor(value) and value.dim() and not sign else ""
    head = line(Span(name, "label"), f"{shape} {sign}")
    texts = (value_text(value, most) for most in range(MOST_NUMBERS, 0, -1))
    fitting = (text for text in texts if length(head) + len(text) <= width)
    return line(*head, next(fitting, value_text(value, 1)))
