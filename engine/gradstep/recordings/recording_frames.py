"""Frames of a recording: what a screen shows of one of its places."""

from __future__ import annotations

from typing import Final

from gradstep.actions import (
    Backward,
    LowerLearningRate,
    MoveStatement,
    RaiseLearningRate,
    RefusalKey,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Zero,
)
from gradstep.derivatives import Explanation, Operand
from gradstep.derivatives.optimizer_step import SOURCE
from gradstep.derivatives.sentence import Sentence
from gradstep.frame import Frame, ParameterFrame
from gradstep.frame_builder import pass_frame
from gradstep.ledger.ledger import PassPage
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import LoopHead, RecordedLoop, ScriptStatement
from gradstep.notices import Notice, PassRaised
from gradstep.reasons import Reason, Refusal
from gradstep.recordings.recorded_points import RecordedPoint
from gradstep.recordings.recording import CodeAround, Recording
from gradstep.recordings.recording_moves import AHEAD, BACK
from gradstep.recordings.recording_place import Standing
from gradstep.tensors.bitwise import same_bits
from gradstep.training.pytorch_errors import lesson_of

NO_LOOP: Final = "# not in a loop"
"""Text for the head of a loop if the pass stands in none."""

CHANGED: Final = "In this step {moved} of {count} parameters changed."
BY_HAND: Final = "Statements of the program, without an optimizer, changed {moved} of {count} parameters."

CHANGES: Final = (
    Zero,
    ToggleZeroing,
    ToggleSetToNone,
    ToggleStatement,
    SetLearningRate,
    SetOptimizer,
    SetBatches,
    RaiseLearningRate,
    LowerLearningRate,
)
"""Actions that a recording always refuses."""


def frame_of(place: Standing, before: Standing | None, recording: Recording) -> Frame:
    """Return the frame of a place.

    Args:
        place: The place.
        before: Standing that was shown before, for what has changed; None if there was none.
        recording: The recording.
    """
    point, settled = place.point, place.settled
    loop = script_loop(place, recording)
    over = point.step is not None
    known = None if place.following is not None and not place.inside and not point.ran else point.record.trace
    cursor = place.inside or (len(point.record.trace) if known is not None else 0)
    written = list(place.writes())[-1:] if not over else []
    ledger = settled.ledger
    if place.inside:
        page = PassPage(ledger.passes + 1, settled.rounds + 1, point.record.trace, place.inside)
        ledger = ledger.with_page(page)
    earlier = settled.losses[settled.rounds - 1] if 0 < settled.rounds < len(settled.losses) else None
    return Frame(
        problem=recording.origin.program,
        learning_rate=settled.rate,
        epoch=settled.rounds,
        loop=loop,
        next=loop.next,
        parameters=tuple(_parameter(name, place, before) for name in place.points[0].values),
        preds=None,
        loss=point.record.loss,
        loss_changed=before is not None and before.point.record is not point.record,
        loss_before=earlier,
        stale=over,
        losses=settled.losses,
        ledger=ledger,
        backward=None
        if known is None
        else pass_frame(known, cursor, written[0] if written else None, over=over, loss=""),
        update=_update(place) if over else None,
        notice=_notice(place),
        refusals=refusals_at(place),
        position=place.number,
        future=len(place.points) - 1 - place.number + bool(place.inside),
    )


def refusals_at(place: Standing) -> dict[RefusalKey, Refusal]:
    """Return the refusal of every action that cannot work at a place."""
    refused: dict[RefusalKey, Refusal] = dict.fromkeys(CHANGES, Refusal(Reason.READ_ONLY))
    for number in range(len(place.point.record.code.statements)):
        refused |= {MoveStatement(number, steps): Refusal(Reason.READ_ONLY) for steps in (-1, 1)}
    if place.following is None:
        refused |= dict.fromkeys(AHEAD, Refusal(Reason.END_OF_RECORDING))
    if not place.number:
        refused |= dict.fromkeys(BACK, Refusal(Reason.START_OF_RECORDING))
    return refused


def script_loop(place: Standing, recording: Recording) -> RecordedLoop:
    """Return the loop around the pass of a place, marked where the program goes on."""
    following = place.following
    point = place.point if following is None else following
    code, zeroes = point.record.code, _zeroes(place.points)
    alone = {Role.ZERO} if zeroes and len(code.statements) == 1 else frozenset[Role]()
    statements = tuple(
        ScriptStatement(number, each.lines, each.line, frozenset(each.roles) | alone)
        for number, each in enumerate(code.statements)
    )
    rounds = recording.first_round + place.settled.rounds - (following is None)
    heads = tuple(LoopHead(head.text, head.line, head.function, rounds) for head in code.heads)
    if not heads:
        heads = (LoopHead(NO_LOOP, statements[0].line, "", rounds),)
    at = _statement_of(point, code)
    return RecordedLoop(
        file=code.file or recording.origin.program,
        heads=heads,
        statements=statements,
        last=at if following is None else at - 1 if at else None,
        optimizer_names=_optimizers(place.points) or recording.optimizers,
        zeroes=zeroes,
    )


def _zeroes(points: tuple[RecordedPoint, ...]) -> bool | None:
    """Return whether gradients were zeroed between passes; None if there is only one pass."""
    if any(point.zeroed for point in points):
        return True
    passes = [point for point in points if isinstance(point.action, Backward)]
    return None if len(passes) < 2 else False


def _statement_of(point: RecordedPoint, code: CodeAround) -> int:
    """Return the index of the statement that leads to a point."""
    if point.step is None:
        return code.at if point.ran else 0
    line = point.step.line
    for number, each in enumerate(code.statements):
        if line is not None and each.line <= line < each.line + len(each.lines):
            return number
    return min(code.at + 1, len(code.statements) - 1)


def _optimizers(points: tuple[RecordedPoint, ...]) -> tuple[str, ...]:
    named = (point.step.optimizer for point in points if point.step is not None and point.step.optimizer)
    return tuple(dict.fromkeys(named))


def _parameter(name: str, place: Standing, before: Standing | None) -> ParameterFrame:
    value, grad = place.settled.values[name], place.grads()[name]
    was = value if before is None else before.settled.values[name]
    old = grad if before is None else before.grads()[name]
    return ParameterFrame(
        name=name,
        labels=((),) * value.dim(),
        value=value,
        value_before=None if same_bits(value, was) else was,
        grad=grad,
        grad_changed=not same_bits(grad, old),
        accumulation=place.writes().get(name),
    )


def _update(place: Standing) -> Explanation:
    """Return an explanation of the step that led to a point: PyTorch's numbers before and after it."""
    point = place.point
    step, earlier = point.step, place.points[place.number - 1]
    assert step is not None
    operands = [] if step.rate is None else [Operand("lr", step.rate)]
    results, moved = list[Operand](), 0
    for name, value in step.values.items():
        was = earlier.values[name]
        if not same_bits(value, was):
            moved += 1
            operands += [Operand(f"{name} before", was), Operand(f"{name}.grad", step.grads[name])]
            results.append(Operand(name, value))
    many = {"moved": str(moved), "count": str(len(step.values))}
    if step.optimizer:
        told = Sentence(CHANGED, many), Sentence(SOURCE, {"optimizer": step.optimizer})
        return Explanation(
            "optimizer.step()", f"torch.optim.{step.optimizer}", (), told, (*operands,), (*results,)
        )
    return Explanation("update", None, (), (Sentence(BY_HAND, many),), (*operands,), (*results,))


def _notice(place: Standing) -> Notice | None:
    error = place.point.record.error
    at_end = (place.inside or place.point.ran) and place.following in (None, place.point)
    return PassRaised(error, lesson_of(error)) if error and at_end else None
