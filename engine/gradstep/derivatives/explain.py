"""Explanation of one event of a backward pass: formulas, words, and the numbers that went in and came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from gradstep.autograd.events import (
    ACCUMULATE_GRAD,
    Event,
    HookEvent,
    NodeEvent,
    Overwritten,
    PathsEvent,
    ReduceEvent,
    Unreadable,
)
from gradstep.autograd.trace import Trace
from gradstep.derivatives.engine_events import explain_hook, explain_paths, explain_reduction
from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.expressions import TROUBLE
from gradstep.derivatives.labels import grad_name
from gradstep.derivatives.rules.paragraphs import reason_for
from gradstep.derivatives.sentence import Sentence
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.derivatives.value_names import ScriptNames
from gradstep.derivatives.worksheet import Worksheet, worksheet_for

NO_EXPLANATION: Final = Sentence(
    "There is no explanation of this node yet; these are the numbers that PyTorch's engine passed in and "
    "got back."
)
FAILED: Final = Sentence("PyTorch raised an error here, so no gradient came out.")
NOTHING_ARRIVED: Final = "No gradient arrived, so {grad} does not change."
OVERWRITTEN: Final = "One number cannot be shown: {name} was overwritten in place after the forward pass."
UNREADABLE: Final = "One number cannot be shown: {name} is missing, because {why}."


def explain(event: Event, trace: Trace, names: TensorNames | None = None) -> Explanation:
    """Return the explanation of one event of a pass.

    Every event has one; that of a node without a rule says so and shows the node's numbers.

    Args:
        event: One of `trace.events`.
        trace: Recording of the pass.
        names: Names of the pass's tensors; None to read them from `trace`.
    """
    names = names or TensorNames(trace)
    match event:
        case NodeEvent(name=name) if name == ACCUMULATE_GRAD:
            return _accumulation(event, names)
        case NodeEvent():
            sheet = worksheet_for(event)
            return _unknown(event) if sheet is None else _node(sheet, names)
        case ReduceEvent():
            return explain_reduction(event, trace, names)
        case PathsEvent():
            return explain_paths(event, trace, names)
        case HookEvent():
            return explain_hook(event, trace, names)


def _node(sheet: Worksheet, names: TensorNames) -> Explanation:
    event = sheet.event
    script_names = ScriptNames(event, sheet, names)
    failed = (FAILED,) if event.grads_out is None else ()
    formulas = sheet.formulas()
    return Explanation(
        title=event.name,
        source=_source(event),
        formulas=formulas,
        sentences=(*_sentences(sheet, script_names), *failed, *_missing(sheet, script_names)),
        operands=tuple(_operands(sheet)),
        results=tuple(_results(event, sheet)),
        where=sheet.where(),
        reason=reason_for(event.name, formulas),
    )


def _sentences(sheet: Worksheet, script_names: ScriptNames) -> Iterator[Sentence]:
    for text in sheet.rule.sentences:
        if template := sheet.text(text):
            yield script_names.sentence(template)


def _unknown(event: NodeEvent) -> Explanation:
    grads = [Operand(_g(event, number), grad) for number, grad in enumerate(event.grads_in)]
    saved = [Operand(name, value) for name, value in event.saved.items() if _showable(value)]
    return Explanation(
        title=event.name,
        source=_source(event),
        formulas=(),
        sentences=(NO_EXPLANATION,),
        operands=(*grads, *saved),
        results=tuple(_results(event, None)),
    )


def _accumulation(event: NodeEvent, names: TensorNames) -> Explanation:
    grad, kept, sheet = grad_name(event), event.accumulation, worksheet_for(event)
    if kept is None or sheet is None:
        return _unknown(event)
    arrived = kept.part is not None
    script_names = ScriptNames(event, sheet, names)
    told = tuple(_sentences(sheet, script_names)) if arrived else (script_names.sentence(NOTHING_ARRIVED),)
    return Explanation(
        title=ACCUMULATE_GRAD,
        source=None,
        formulas=((grad, sheet.formula(0)),) if arrived else (),
        sentences=told,
        operands=(Operand("old", kept.before), Operand("new", kept.part)),
        results=(Operand("sum", kept.after),),
        reason=reason_for(event.name),
    )


def _operands(sheet: Worksheet) -> Iterator[Operand]:
    for name in sheet.mentioned():
        if name not in sheet.rule.given:
            if _showable(sheet.values[name]):
                yield Operand(name, sheet.values[name])
            continue
        for slot in sheet.slots:
            label = name if len(sheet.slots) == 1 else f"{name} for {sheet.input_name(slot)}"
            with suppress(*TROUBLE):
                yield Operand(label, sheet.value(name, slot))


def _results(event: NodeEvent, sheet: Worksheet | None) -> Iterator[Operand]:
    for slot, grad in enumerate(event.grads_out or ()):
        if grad is not None and event.edges[slot] is not None:
            name = f"input {slot + 1}" if sheet is None else sheet.input_name(slot)
            yield Operand(f"grad of {name}", grad)


def _missing(sheet: Worksheet, script_names: ScriptNames) -> Iterator[Sentence]:
    """Return a sentence about each value in the formulas that cannot be shown."""
    for name in sheet.mentioned():
        match sheet.values.get(name):
            case Overwritten():
                yield Sentence(OVERWRITTEN, {"name": script_names.prose(name)})
            case Unreadable(why=why):
                yield Sentence(UNREADABLE, {"name": script_names.prose(name), "why": why})


def _showable(value: Any) -> bool:
    return value is not None and not isinstance(value, (Overwritten, Unreadable))


def _source(event: NodeEvent) -> str | None:
    return None if event.source is None else event.source.expression


def _g(event: NodeEvent, number: int) -> str:
    return "g" if len(event.grads_in) == 1 else f"g{number}"
