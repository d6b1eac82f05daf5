"""What a learner reads about one event of a backward pass: formula, words, and the numbers in and out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from engine.derivatives.expressions import TROUBLE, factors
from engine.derivatives.worksheet import Worksheet, worksheet_for
from engine.events import (
    ACCUMULATE_GRAD,
    Event,
    HookEvent,
    NodeEvent,
    Overwritten,
    PathsEvent,
    ReduceEvent,
    Unreadable,
)
from engine.trace import Trace

Value: TypeAlias = Tensor | bool | int | float | str | tuple[Any, ...] | None

NO_EXPLANATION = "no explanation yet"


@dataclass(frozen=True, slots=True)
class Operand:
    """A named value: a tensor, a number, a shape (a tuple); None means that there is none, as in `.grad` is None."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Product:
    """Two matrices and their product, which is a gradient or, with a factor such as `alpha`, leads to one."""

    left: Operand
    """Shape `(n, k)`."""

    right: Operand
    """Shape `(k, m)`, or `(k,)`."""

    result: Operand
    """Shape `(n, m)`, or `(n,)`; named like the result that it is, e.g. `grad of mat2`."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One event, explained."""

    title: str
    """Autograd's name of the node, or what the engine did between nodes."""

    source: str | None
    """The forward expression that made the node, e.g. `x @ w.t()`; None where it is not known."""

    formulas: tuple[tuple[str, str], ...]
    """For each input that needs a gradient, its name and the formula, which is a Python expression."""

    words: str
    """What happens, in plain words."""

    operands: tuple[Operand, ...]
    """The gradient that came in, `g`, then the values that the formulas mention."""

    results: tuple[Operand, ...]
    """The gradients that came out, as PyTorch made them."""

    where: tuple[tuple[str, str], ...] = ()
    """Expressions that the formulas refer to by name."""

    products: tuple[Product, ...] = ()
    """One for each formula that is a product of matrices."""

    @property
    def product(self) -> Product | None:
        """Give the first of `products`; None where no matrices are multiplied."""
        return self.products[0] if self.products else None


def explain(event: Event, trace: Trace) -> Explanation:
    """Explain one event of `trace`.

    Every event has an explanation; that of an unknown node says "no explanation yet" and shows its numbers.
    """
    match event:
        case NodeEvent(name=name) if name == ACCUMULATE_GRAD:
            return _accumulation(event)
        case NodeEvent():
            sheet = worksheet_for(event)
            return _unknown(event) if sheet is None else _node(sheet)
        case ReduceEvent():
            return _reduction(event, trace)
        case PathsEvent():
            return _paths(event, trace)
        case HookEvent():
            return _hook(event, trace)


def _node(sheet: Worksheet) -> Explanation:
    event = sheet.event
    words = sheet.text(sheet.rule.words)
    if event.grads_out is None:
        words += "; PyTorch raised an error here, so no gradient came out"
    return Explanation(
        title=event.name,
        source=_source(event),
        formulas=sheet.formulas(),
        words="; ".join([words, *_missing(sheet)]),
        operands=tuple(_operands(sheet)),
        results=tuple(_results(event, sheet)),
        where=sheet.where(),
        products=tuple(_products(sheet)),
    )


def _unknown(event: NodeEvent) -> Explanation:
    grads = [Operand(_g(event, number), grad) for number, grad in enumerate(event.grads_in)]
    saved = [Operand(name, value) for name, value in event.saved.items() if _showable(value)]
    return Explanation(
        title=event.name,
        source=_source(event),
        formulas=(),
        words=f"{NO_EXPLANATION}: what went in and what came out is shown as PyTorch's engine saw it",
        operands=(*grads, *saved),
        results=tuple(_results(event, None)),
    )


def _accumulation(event: NodeEvent) -> Explanation:
    kept = event.accumulation
    sheet = worksheet_for(event)
    grad = grad_name(event)
    if kept is None or kept.part is None or sheet is None:
        dense = "no gradient arrived" if kept is not None and kept.part is None else NO_EXPLANATION
        formulas: tuple[tuple[str, str], ...] = ()
        words = f"{dense}, so {grad} stays as it was" if dense != NO_EXPLANATION else dense
    else:
        formulas = ((grad, sheet.formula(0)),)
        words = sheet.text(sheet.rule.words).replace("{grad}", grad)
    before, part, after = (kept.before, kept.part, kept.after) if kept is not None else (None, None, None)
    return Explanation(
        title=ACCUMULATE_GRAD,
        source=None,
        formulas=formulas,
        words=words,
        operands=(Operand("old", before), Operand("new", part)),
        results=(Operand("sum", after),),
    )


def _reduction(event: ReduceEvent, trace: Trace) -> Explanation:
    before, after = event.before, event.after
    maker = f"{_node_name(event.node, trace)}'s gradient for its {ordinal(event.output + 1)} input"
    formula, words = "g", []
    if before.shape != after.shape:
        formula += f".sum_to_size({tuple(after.shape)})"
        words.append(
            f"that input was broadcast from {tuple(after.shape)} to {tuple(before.shape)}; "
            f"the engine sums its gradient back {_over(tuple(before.shape), tuple(after.shape))}"
        )
    if before.dtype != after.dtype:
        formula += f".to({after.dtype})"
        words.append(f"the engine casts it to the input's dtype, {_dtype(after)}")
    return Explanation(
        title="the engine fits a gradient to its input",
        source=None,
        formulas=(("after", formula),),
        words=f"{maker}: {'; then '.join(words)}",
        operands=(Operand("g", before),),
        results=(Operand("after", after),),
    )


def _paths(event: PathsEvent, trace: Trace) -> Explanation:
    makers = [_node_name(producer, trace) for producer in event.producers]
    names = [f"g{number}" for number in range(1, len(event.parts) + 1)]
    return Explanation(
        title="the engine adds gradients",
        source=None,
        formulas=(("total", " + ".join(names)),),
        words=f"{len(names)} paths met here, from {' and '.join(makers)}: their gradients are added",
        operands=tuple(Operand(name, part) for name, part in zip(names, event.parts, strict=True)),
        results=(Operand("total", event.total),),
    )


def _hook(event: HookEvent, trace: Trace) -> Explanation:
    return Explanation(
        title="a hook replaced a gradient",
        source=None,
        formulas=(),
        words=f"a hook changed the gradient on its way into {_node_name(event.node, trace)}; "
        "the pass goes on with what the hook gave",
        operands=(Operand("before", event.before),),
        results=(Operand("after", event.after),),
    )


def _operands(sheet: Worksheet) -> Iterator[Operand]:
    for name in sheet.mentioned():
        if name not in sheet.rule.given:
            value = sheet.values[name]
            if _showable(value):
                yield Operand(name, value)
            continue
        for slot in sheet.slots:
            try:
                value = sheet.value(name, slot)
            except TROUBLE:
                continue
            if _showable(value) and name != "grads":
                yield Operand(f"{name} for {sheet.input_name(slot)}" if len(sheet.slots) > 1 else name, value)


def _results(event: NodeEvent, sheet: Worksheet | None) -> Iterator[Operand]:
    for slot, grad in enumerate(event.grads_out or ()):
        if grad is not None:
            name = f"{ordinal(slot + 1)} input" if sheet is None else sheet.input_name(slot)
            yield Operand(f"grad of {name}", grad)


def _products(sheet: Worksheet) -> Iterator[Product]:
    for slot in sheet.slots:
        pair = factors(sheet.formula(slot))
        grad = (sheet.event.grads_out or (None,) * (slot + 1))[slot]
        if pair is None or grad is None or grad.dim() > 2:
            continue
        try:
            left, right = (sheet.value(text, slot) for text in pair)
        except TROUBLE:
            continue
        yield Product(
            Operand(pair[0], left),
            Operand(pair[1], right),
            Operand(f"grad of {sheet.input_name(slot)}", grad),
        )


def _missing(sheet: Worksheet) -> Iterator[str]:
    """Say in words which of the values that the formulas mention cannot be shown."""
    for name in sheet.mentioned():
        match sheet.values.get(name):
            case Overwritten():
                yield f"{name} was overwritten in place since, so it cannot be shown"
            case Unreadable(why=why):
                yield f"{name} cannot be shown: {why}"


def _showable(value: Any) -> bool:
    return value is not None and not isinstance(value, (Overwritten, Unreadable))


def _source(event: NodeEvent) -> str | None:
    return None if event.source is None else event.source.expression


def _g(event: NodeEvent, number: int) -> str:
    return "g" if len(event.grads_in) == 1 else f"g{number}"


def _node_name(node: int, trace: Trace) -> str:
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.node == node:
            return grad_name(event) if event.name == ACCUMULATE_GRAD else event.name
    return "a node"


def grad_name(event: NodeEvent) -> str:
    """Give how a learner calls the `.grad` that a leaf's node writes to, e.g. `w.grad`."""
    name = None if event.accumulation is None else event.accumulation.parameter
    return "a tensor's .grad" if name is None else f"{name}.grad"


def ordinal(number: int) -> str:
    """Give `1st`, `2nd`, `3rd`, `4th`, ..."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _over(large: tuple[int, ...], small: tuple[int, ...]) -> str:
    """Say over what a broadcast is summed, e.g. `over 5 rows`."""
    padded = (1,) * (len(large) - len(small)) + small
    dims = [dim for dim, (many, one) in enumerate(zip(large, padded, strict=True)) if many != one]
    if len(large) == 2 and len(dims) == 1:
        count, kind = large[dims[0]], ("row", "column")[dims[0]]
        return f"over {count} {kind}{'s' * (count != 1)}"
    if len(dims) == len(large):
        return "over all elements"
    return "over dim " + " and ".join(f"{dim} ({large[dim]} long)" for dim in dims)
