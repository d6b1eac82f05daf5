"""Describes the backward pass in sentences: the list of its events, and the current event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradstep_tui.plain.answers.numbers import operand_text, operand_texts
from gradstep_tui.plain.answers.refusals import NO_PASS
from gradstep_tui.plain.answers.sums import sum_texts
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.steps import brief_text, merged_formulas, merged_operands, written_by
from gradstep_tui.text.tensors.numbers import shape_text

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation, Product
    from gradstep.frame import Frame, PassFrame, TraceRow

AT_START = "the pass starts with the gradient of the loss by the loss itself, 1"
NO_STEP = "there is no step to show yet: type node to run a node"


def trace_texts(frame: Frame) -> Iterator[str]:
    """Yield a line for every event of the pass, in the order of autograd's engine."""
    backward = frame.backward
    if backward is None:
        yield empty_text(frame, NO_PASS)
        return
    yield f"loss.backward(): {backward.done} of {len(backward.rows)} events are done"
    for number, row in enumerate(backward.rows, 1):
        current = ", current" if number == backward.done and not backward.over else ""
        to_come = ", to come" if number > backward.done else ""
        yield f"{number}{current}{to_come}: {_row_text(row)}"


def step_texts(frame: Frame) -> Iterator[str]:
    """Yield a few lines on the current event: its explanation and formulas, and each value on one line."""
    backward = frame.backward
    if backward is None or backward.step is None:
        yield NO_STEP if backward is None else AT_START
        return
    step = backward.step
    yield from _head_texts(backward, step)
    if written_by(frame, backward) is not None:
        return  # the answer describes the write to the `.grad`, `old + new = sum`, as a change
    yield from (operand_text(name, value) for name, value in merged_operands(step.operands))
    yield from map(_product_text, step.products)
    yield from (operand_text(result.name, result.value) for result in step.results)


def whole_step_texts(frame: Frame) -> Iterator[str]:
    """Yield the current event, or an optimizer's step, with all numbers, a line for each row of a matrix."""
    if frame.update is not None:
        yield from update_texts(frame.update)
        for operand in (*frame.update.operands, *frame.update.results):
            yield from operand_texts(operand.name, operand.value)
        return
    backward = frame.backward
    if backward is None or backward.step is None:
        yield NO_STEP
        return
    step = backward.step
    yield from _head_texts(backward, step)
    written = written_by(frame, backward)
    if written is not None:
        yield from sum_texts(written)
        return
    for name, value in merged_operands(step.operands):
        yield from operand_texts(name, value)
    known = {operand.name for operand in step.operands}
    for product in step.products:
        yield _product_text(product)
        for factor in (product.left, product.right):
            if factor.name not in known:
                yield from operand_texts(factor.name, factor.value)
    for result in step.results:
        yield from operand_texts(result.name, result.value)


def update_texts(update: Explanation) -> Iterator[str]:
    """Yield an optimizer's step and its formulas; each parameter's numbers are described elsewhere."""
    yield f"{update.title}, {update.source}: {update.words}"
    yield from (f"formula: {name} = {text}" for name, text in update.where)


def _head_texts(backward: PassFrame, step: Explanation) -> Iterator[str]:
    """Yield the current event's number and name, its explanation, and its formulas."""
    row = backward.rows[backward.done - 1]
    kind = "node" if row.is_node else "between nodes,"
    source = f" for {step.source}" if step.source else ""
    depth = f", in a pass inside this pass, depth {row.depth}" if row.depth else ""
    yield f"{kind} {backward.done} of {len(backward.rows)}: {step.title}{source}{depth}"
    yield step.words
    for formula, names in merged_formulas(step).items():
        yield f"formula: {', '.join(_grad_name(name, step) for name in names)} = {formula}"
    yield from (f"where {name} = {text}" for name, text in step.where)


def _grad_name(name: str, step: Explanation) -> str:
    """Return `grad of NAME` if a result of the step is called so, otherwise the plain name."""
    grad = f"grad of {name}"
    return grad if any(result.name == grad for result in step.results) else name


def _product_text(product: Product) -> str:
    left, right, result = (operand.name for operand in (product.left, product.right, product.result))
    return f"matrix product: {left} @ {right} = {result}"


def _row_text(row: TraceRow) -> str:
    name = row.name if row.is_node else "between nodes, a hook" if row.name == "hook" else "between nodes"
    brief = f", {text}" if (text := brief_text(row)) else ""
    source = f", for {row.source}" if row.source else ""
    depth = f", depth {row.depth}" if row.depth else ""
    size = shape_text(row.shape) if row.shape else "of one number"
    return f"{name}{brief}, gradient {size}{source}{depth}"
