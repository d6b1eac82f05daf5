"""Describes the backward pass in sentences: the list of its events, and one event with its equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gradstep.equations.equation import Operator
from gradstep.errors import BadInput
from gradstep.frame import Between
from gradstep_tui.plain.answers.numbers import operand_text, operand_texts, size_text
from gradstep_tui.plain.answers.refusals import NO_PASS
from gradstep_tui.plain.answers.sums import sum_texts
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.lessons.equations import arithmetic, gradient_name, merged
from gradstep_tui.text.lessons.update_texts import numbers_texts, options_text, worked_number
from gradstep_tui.text.steps import event_name, event_text, written_by
from gradstep_tui.text.tensors.numbers import is_tensor, shape_text

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation
    from gradstep.derivatives.explanation import OperandValue
    from gradstep.equations.equation import Equation
    from gradstep.frame import Frame, PassFrame, TraceRow

AT_START: Final = "the pass starts with the gradient of the loss by the loss itself, 1"
NO_STEP: Final = "there is no step to show yet: type node to run a node"
NO_EVENT: Final = "the pass has no event {number} yet: {done} of {count} events are done"

TOLD: Final[Mapping[Operator, str]] = {
    Operator.TIMES: "{upstream} times {local} gives {made}",
    Operator.EXPAND: "{upstream} times {local} for each element gives {made}",
    Operator.MATMUL: "{upstream} @ {local} gives {made}",
    Operator.MATMUL_LEFT: "{local} @ {upstream} gives {made}",
    Operator.SAME: "{upstream} is passed on unchanged: it is {made}",
    Operator.SUM: "{made} is what arrived, {before}, summed to the shape of {tensor}, {after}",
    Operator.CAST: "{made} is what arrived, cast to the dtype of {tensor}",
    Operator.ADD: "{made} is the sum of the {count} gradients that arrived",
    Operator.MOVE: "{upstream} with its numbers in other places gives {made}",
    Operator.RULE: "{made} is {formula}, in which g is {upstream}",
    Operator.REPLACE: "a hook replaced {upstream}",
}
"""Sentences for an equation, by its operator; that of an accumulation is told as the change of a `.grad`."""

ROOM: Final = 72
"""Most characters of the arithmetic of one number."""

MOST_DIGITS: Final = 9
"""Largest number of digits that the number of an event may have."""

BETWEEN: Final = (Operator.SUM, Operator.CAST, Operator.ADD, Operator.REPLACE)
"""Operators of what happens between nodes, to the gradient of one tensor."""

NO_FORMULA: Final = "{upstream} makes {made}, by no formula that gradstep knows"


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
    """Yield a few lines on the current event: what it does, its equations, and each value on one line."""
    backward = frame.backward
    if backward is None or backward.step is None:
        yield NO_STEP if backward is None else AT_START
        return
    number = backward.done - 1
    yield from _head_texts(backward, number)
    if written_by(frame, backward) is not None:
        return  # the answer describes the write to the `.grad`, `old + new = sum`, as a change
    yield from _equations_texts(backward, number, lambda name, value: iter((operand_text(name, value),)))


def whole_step_texts(frame: Frame, text: str = "") -> Iterator[str]:
    """Yield an event, or an optimizer's step, with all numbers, a line for each row of a matrix.

    Args:
        frame: The frame.
        text: Number of an event of the pass, counted from 1; empty for what happened last.

    Raises:
        BadInput: `text` is not a number.
    """
    backward = frame.backward
    if text:
        number = _number(text)
        if backward is None:
            yield empty_text(frame, NO_PASS)
        elif not 1 <= number <= backward.done:
            yield NO_EVENT.format(number=number, done=backward.done, count=len(backward.rows))
        else:
            yield from _whole_event_texts(backward, number - 1)
        return
    if frame.update is not None:
        yield from update_texts(frame)
        for operand in (*frame.update.operands, *frame.update.results):
            yield from operand_texts(operand.name, operand.value)
        return
    if backward is None or backward.step is None:
        yield NO_STEP
        return
    written = written_by(frame, backward)
    if written is None:
        yield from _whole_event_texts(backward, backward.done - 1)
        return
    yield from _head_texts(backward, backward.done - 1)
    yield from sum_texts(written)
    yield from _reason_texts(backward.step)


def update_texts(frame: Frame) -> Iterator[str]:
    """Yield an optimizer's step, its formulas, and one number through all of them; none without a step.

    All numbers of each parameter are described elsewhere.
    """
    update = frame.update
    if update is None:
        return
    yield f"{update.title}, {update.source}: {update.words}"
    yield from (f"formula: {name} = {text}" for name, text in update.where)
    labels = {parameter.name: parameter.labels for parameter in frame.parameters}
    found = worked_number(update, labels)
    if found is not None:
        yield f"{found.element} in full, with {options_text(found.update)}"
        yield from (next(numbers_texts(each, found.update, found.element)) for each in found.formulas)


def equation_text(equation: Equation, names: Sequence[str], fallback: str) -> str:
    """Return an equation as a sentence: `dL/d(diff * diff) times diff gives dL/d diff`.

    Args:
        equation: The equation.
        names: Names of all tensors that get the same gradient from it.
        fallback: What to call a tensor that the script has no name for.
    """
    before, after = equation.upstream.value, equation.downstream.value
    told = TOLD[equation.operator]
    if equation.operator is Operator.RULE and not equation.formula:
        told = NO_FORMULA
    made = " and ".join(_made_name(name, equation, fallback) for name in dict.fromkeys(names))
    return told.format(
        upstream=gradient_name(equation.upstream.name, fallback),
        local=equation.local.name or "the local derivative" if equation.local else "",
        made=f"{made}, {len(names)} times" if len(set(names)) < len(names) else made,
        tensor=names[0] or fallback,
        before=size_text(before) if is_tensor(before) else "one number",
        after=size_text(after) if is_tensor(after) else "one number",
        count=len(equation.parts),
        formula=equation.formula,
    )


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise BadInput(f"{text[:40]!r} is not the number of an event: trace lists them, e.g. look 3")
    return int(text)


def _whole_event_texts(backward: PassFrame, number: int) -> Iterator[str]:
    yield from _head_texts(backward, number)
    yield from _equations_texts(backward, number, operand_texts)
    yield from _reason_texts(backward.steps[number])


def _reason_texts(step: Explanation) -> Iterator[str]:
    if step.reason is not None:
        yield f"why: {step.reason}"


def _head_texts(backward: PassFrame, number: int) -> Iterator[str]:
    """Yield an event's number and name, the code that it belongs to, and what it does."""
    row, step = backward.rows[number], backward.steps[number]
    kind = "node" if row.is_node else "between nodes,"
    source = f", from {step.source}" if step.source else ""
    depth = f", in a pass inside this pass, depth {row.depth}" if row.depth else ""
    yield f"{kind} {number + 1} of {len(backward.rows)}: {step.title}{source}{depth}"
    yield step.words


def _equations_texts(
    backward: PassFrame, number: int, tell: Callable[[str, OperandValue], Iterator[str]]
) -> Iterator[str]:
    """Yield an event's equations, each with one element in full arithmetic, then all of its terms once.

    Args:
        backward: The pass.
        number: Number of the event, counted from 0.
        tell: Returns the lines for a named value.
    """
    terms: dict[str, OperandValue] = {}
    fallback = backward.rows[number].name
    for equation, names in merged(backward.equations[number]):
        if equation.operator is Operator.ACCUMULATE:
            terms[f"{equation.downstream.name}.grad before"] = _value(equation.local)
            terms[f"new {gradient_name(equation.downstream.name)}"] = equation.upstream.value
            terms[f"{equation.downstream.name}.grad"] = equation.downstream.value
            continue
        text = equation_text(equation, names, fallback)
        made = equation.downstream.value
        first = arithmetic(equation, (0,) * made.dim(), ROOM) if is_tensor(made) and made.numel() else ""
        first = first.replace("×", "x").replace("…", "...")
        where = "" if is_tensor(made) and made.numel() == 1 else "first number "
        yield f"{text}: {where}{first}" if first else text
        terms |= dict(_terms(equation, fallback))
    for name, value in terms.items():
        yield from tell(name, value)


def _terms(equation: Equation, fallback: str) -> Iterator[tuple[str, OperandValue]]:
    """Yield the terms of an equation with their names; two gradients of one name are told apart."""
    upstream, downstream = equation.upstream, equation.downstream
    made = _made_name(downstream.name, equation, fallback)
    if equation.operator is Operator.ADD:
        for number, part in enumerate(equation.parts, 1):
            yield f"{made} by path {number}", part.value
    else:
        arrived = gradient_name(upstream.name, fallback)
        yield f"{arrived} as it arrived" if arrived == made else arrived, upstream.value
    if equation.local is not None and equation.operator is not Operator.EXPAND:
        yield equation.local.name or "the local derivative", equation.local.value
    yield made, downstream.value


def _made_name(name: str, equation: Equation, fallback: str) -> str:
    """Return the name of the gradient that an equation makes; without one, it is that of the node's input."""
    is_of_node = equation.operator not in BETWEEN
    return gradient_name(name, f"the input of {fallback}" if is_of_node else fallback)


def _value(term: object) -> OperandValue:
    return getattr(term, "value", None)


def _row_text(row: TraceRow) -> str:
    name = (
        event_name(row)
        if row.is_node
        else f"between nodes, {'sum' if row.between is Between.ADDS else event_name(row)}"
    )
    text = event_text(row)
    belongs = f", {'from ' if row.source else ''}{text}" if text and row.parameter is None else ""
    depth = f", depth {row.depth}" if row.depth else ""
    size = shape_text(row.shape) if row.shape else "of one number"
    return f"{name}{belongs}, gradient {size}{depth}"
