"""The step panel: explains the current event of the backward pass, or an update, with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, beside, length, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.refusals import place_text, raised_by_text
from gradstep_tui.text.steps import merged_formulas, merged_operands, written_by
from gradstep_tui.text.tensors.grids import column_names, grid_size, row_names
from gradstep_tui.text.tensors.numbers import WIDEST, cells, is_tensor, shape_text
from gradstep_tui.text.tensors.values import value_text
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.parameter_table import large_sum_lines
from gradstep_tui.widgets.parameters import LABEL, columns_in, sum_lines

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation, Operand, Product
    from gradstep.derivatives.explanation import OperandValue
    from gradstep.frame import Frame, ParameterFrame, PassFrame
    from gradstep.training.pytorch_errors import PyTorchError

MOST_NUMBERS = 6
"""Largest number of an operand's numbers that are shown on one line."""

MOST_ROWS = 12
"""Largest number of a matrix's rows that are drawn."""


class StepPanel(Panel):
    """The current event: its source line, formula, explanation, operands and results."""

    title = "this step"

    complaint: var[PyTorchError | None] = var(None)

    def title_text(self) -> str:
        """Return the title, which says so if PyTorch raised an error."""
        return self.title if self.complaint is None else raised_by_text(self.complaint)

    def watch_complaint(self) -> None:
        """Draw the error, or the step again."""
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the explanation in as much detail as fits, or PyTorch's error instead."""
        if self.complaint is not None:
            return complaint_lines(self.complaint, width - 1, height)
        if self.frame is not None and self.frame.update is not None:
            return update_lines(self.frame.update, width - 1, height)
        if self.frame is None or self.frame.backward is None:
            return []
        return step_lines(self.frame, self.frame.backward, width - 1, height)


def complaint_lines(complaint: PyTorchError, width: int, height: int) -> list[Line]:
    """Return the lines with an error's message, its place, and the sentence that explains it."""
    lesson = wrapped(complaint.lesson, width) if complaint.lesson else []
    place = place_text(complaint)
    where = wrapped(place, width, most=max(height - 2 - len(lesson), 1)) if place else []
    room = max(height - 1 - len(lesson) - len(where), 1)
    return [
        line(Span(complaint.kind, "warn")),
        *(wrapped(complaint.own_words, width, "dim", most=room) if complaint.own_words else []),
        *where,
        *lesson,
    ]


def step_lines(frame: Frame, backward: PassFrame, width: int, height: int) -> list[Line]:
    """Return the lines for the current step of a pass: in full if it fits, else one for each operand."""
    if backward.step is None:
        return wrapped(" the pass starts with the gradient of the loss by the loss itself, 1", width, "dim")
    written = written_by(frame, backward)
    if written is not None:
        return accumulation_lines(written, backward.step, width, height)
    if _tallest(backward.step) + 2 <= height:
        full = full_lines(backward.step, width)
        if len(full) <= height:
            return full
    return compact_lines(backward.step, width, height)


def _tallest(step: Explanation) -> int:
    """Return the number of lines that the tallest matrix of a step takes if drawn in full."""
    values = (operand.value for operand in (*step.operands, *step.results))
    rows = (grid_size(value)[0] for value in values if is_tensor(value) and value.dim())
    return 1 + min(max(rows, default=0), MOST_ROWS)


def update_lines(update: Explanation, width: int, height: int) -> list[Line]:
    """Return the lines for an optimizer's step: formulas, then as many numbers and words as fit."""
    made = [line(Span(f"{name} = ", "label"), text) for name, text in update.where]
    rows = [*_title(update, width), *made]
    numbers = [
        _operand_line(operand.name, operand.value, width) for operand in (*update.operands, *update.results)
    ]
    room = height - len(rows) - len(numbers)
    words = wrapped(update.words, width, "dim")
    if room >= len(words):
        return [*rows, *numbers, *words]
    if room >= 0 or height - len(rows) < 2:
        return [*rows, *numbers][:height]
    more = line(Span(f" {SIGNS['look']} shows all numbers", "dim"))
    return [*rows, *numbers[: height - len(rows) - 1], more]


def accumulation_lines(parameter: ParameterFrame, step: Explanation, width: int, height: int) -> list[Line]:
    """Return the lines for `old + new = sum` of the `.grad` that the current event writes to."""
    written = parameter.accumulation
    assert written is not None
    label = f"{parameter.name}.grad"
    if written.after is None:
        return [*wrapped(step.words, width)]
    columns = columns_in(width)
    rows, wide = grid_size(parameter.value)
    if rows > MOST_ROWS or wide > 4 * columns:
        sums = large_sum_lines(parameter, width)
        words = wrapped(step.words, width)
        return [*words, *sums] if len(words) + len(sums) <= height else [*sums, *words]
    names = [name or label for name in row_names(parameter)]
    head = [Span(f"{label:<{LABEL}}", "key")]
    head += [Span(f"{text[:WIDEST]:>{WIDEST}} ", "label") for text in column_names(parameter)[:columns]]
    sums = [tuple(head), *sum_lines(parameter, columns, names)]
    words = wrapped(step.words, width)
    return [*words, *sums][: max(height, len(sums))] if len(words) + len(sums) <= height else [*sums, *words]


def full_lines(step: Explanation, width: int) -> list[Line]:
    """Return the lines for a step with whole matrices; the two matrices of a product are side by side."""
    rows = [*_title(step, width), *wrapped(step.words, width), *_formula_lines(step)]
    for product in step.products:
        rows += [line(), *product_lines(product, width)]
    in_products = {
        operand.name for product in step.products for operand in (product.left, product.right, product.result)
    }
    rest = [operand for operand in (*step.operands, *step.results) if operand.name not in in_products]
    if not step.products:
        rows += [line(), *_flow([operand_block(operand) for operand in rest], width)]
    return rows


def compact_lines(step: Explanation, width: int, height: int) -> list[Line]:
    """Return the lines for a step: one for each operand, and one for each formula with its result."""
    numbers = [_operand_line(names, value, width) for names, value in merged_operands(step.operands)]
    numbers += _result_lines(step, width)
    title = _title(step, width)
    words = wrapped(step.words, width, most=max(height - len(title) - len(numbers), 1))
    return [*title, *words, *numbers]


def product_lines(product: Product, width: int) -> list[Line]:
    """Return the lines for `left @ right = result`, side by side if it fits, else one below the other."""
    left, right, result = map(operand_block, (product.left, product.right, product.result))
    row = beside(beside(left, _sign("@", left, right)), right)
    row = beside(beside(row, _sign("=", row, result)), result)
    if max(map(length, row)) <= width:
        return row
    return [*_flow([left, right], width), *result]


def operand_block(operand: Operand) -> list[Line]:
    """Return the lines for an operand: its name and shape, then its rows."""
    value = operand.value
    if not is_tensor(value) or not value.dim():
        return [line(Span(operand.name, "label"), f" = {value_text(value)}")]
    if value.is_meta:
        head = line(Span(operand.name, "label"), f" {shape_text(tuple(value.shape))}")
        return [head, *wrapped(value_text(value), 40, "dim")]
    grid = cells(value, MOST_ROWS, 8)
    wide = max(len(number) for row in grid for number in row) if grid and grid[0] else 1
    rows = [line(" ", *(f"{number:>{wide}} " for number in row)) for row in grid]
    hidden = value.numel() - sum(len(row) for row in grid)
    tail = [line(Span(f" … {hidden} more", "dim"))] if hidden else []
    return [line(Span(operand.name, "label"), f" {shape_text(tuple(value.shape))}"), *rows, *tail]


def _title(step: Explanation, width: int) -> list[Line]:
    name, source = Span(step.title, "key"), Span(f"  {step.source}" if step.source else "")
    together = line(name, source)
    return [together] if length(together) <= width else [line(name), line(source)]


def _formula_lines(step: Explanation) -> list[Line]:
    rows = [
        line(Span(f"grad of {', '.join(names)}: ", "label"), formula)
        for formula, names in merged_formulas(step).items()
    ]
    return [*rows, *(line(Span(f"  where {name} = ", "label"), text) for name, text in step.where)]


def _result_lines(step: Explanation, width: int) -> list[Line]:
    formulas = {f"grad of {name}": formula for name, formula in step.formulas}
    rows = []
    for result in step.results:
        formula = formulas.get(result.name)
        head = f"{result.name} = {formula}" if formula else result.name
        rows.append(_operand_line(head if len(head) < width - 16 else result.name, result.value, width, "= "))
    return rows


def _operand_line(name: str, value: OperandValue, width: int, sign: str = "") -> Line:
    shape = f" {shape_text(tuple(value.shape))}" if is_tensor(value) and value.dim() and not sign else ""
    head = line(Span(name, "label"), f"{shape} {sign}")
    texts = (value_text(value, most) for most in range(MOST_NUMBERS, 0, -1))
    fitting = (text for text in texts if length(head) + len(text) <= width)
    return line(*head, next(fitting, value_text(value, 1)))


def _sign(sign: str, *blocks: list[Line]) -> list[Line]:
    middle = max(map(len, blocks)) // 2
    return [*([line(" ")] * middle), line(Span(sign, "key"))]


def _flow(blocks: list[list[Line]], width: int) -> list[Line]:
    """Return blocks side by side as far as they fit, the others below."""
    rows: list[Line] = []
    current: list[Line] = []
    for block in blocks:
        joined = beside(current, block, gap=3) if current else block
        if current and max(map(length, joined)) > width:
            rows += [*current, line()]
            joined = block
        current = joined
    return [*rows, *current]
