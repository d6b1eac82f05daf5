"""Worksheets: the rule of a node with the numbers of one event filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, NodeEvent, Overwritten, Unreadable
from gradstep.derivatives.expressions import TROUBLE, names_in, value_of
from gradstep.derivatives.rules.registry import rule_for
from gradstep.derivatives.rules.rule import Rule, Text, When

_MAY_BE_WRAPPED: Final = ("self", "other")
"""Names of saved operands that may have been plain Python numbers, which autograd wraps in tensors."""


class Worksheet:
    """A node event with its rule: the formulas that apply, the values in them, and their results."""

    def __init__(self, event: NodeEvent, rule: Rule) -> None:
        """Collect the values that formulas may mention; formulas are chosen when they are asked for."""
        self.event = event
        self.rule = rule
        self.values = _values(event)
        self.slots = tuple(_needed_slots(event, rule))
        self.values["needed"] = tuple(rule.input_name(slot) for slot in self.slots)
        self.values["twice"] = _twice(event, self.slots)

    def text(self, text: Text) -> str:
        """Return the form of a text that fits the saved values."""
        while isinstance(text, When):
            text = text.then if self._holds(text.when) else text.otherwise
        return text

    def _holds(self, condition: str) -> bool:
        try:
            return bool(value_of(condition, self.values))
        except TROUBLE:  # e.g. a value in the condition was not saved
            return False

    def formulas(self) -> tuple[tuple[str, str], ...]:
        """Return the name and the formula of every input that needs a gradient."""
        return tuple((self.input_name(slot), self.formula(slot)) for slot in self.slots)

    def input_name(self, slot: int) -> str:
        """Return the name of the forward input whose gradient is in a slot of `grads_out`."""
        return self.rule.input_name(slot) or f"input {slot + 1}"

    def formula(self, slot: int) -> str:
        """Return the formula of the gradient in a slot of `grads_out`."""
        return self.text(self.rule.gradient(slot) or "")

    def where(self) -> tuple[tuple[str, str], ...]:
        """Return the names and expressions that the formulas refer to, in the order of evaluation."""
        used = {name for _, formula in self.formulas() for name in names_in(formula)}
        lines = []
        for name, text in reversed(list(self.rule.where.items())):
            if name in used:
                chosen = self.text(text)
                used.update(names_in(chosen))
                lines.append((name, chosen))
        return tuple(reversed(lines))

    def mentioned(self) -> tuple[str, ...]:
        """Return the names of the values in the formulas, incoming gradients first."""
        texts = [formula for _, formula in (*self.formulas(), *self.where())]
        names = [name for text in texts for name in names_in(text)]
        if "grads" in names:
            names = [f"g{number}" for number in range(len(self.event.grads_in))] + names
        else:
            names = ["g", *names]
        known = self.values.keys() | self.rule.given.keys()
        return tuple(name for name in dict.fromkeys(names) if name in known and name not in ("grads", "i"))

    def value(self, formula: str, slot: int) -> Any:
        """Return the value of a formula for a slot of `grads_out`.

        Raises:
            LookupError: a value in the formula is missing, overwritten or unreadable.
            Exception: one of `TROUBLE`, if the values are of a kind that the formula was not written for.
        """
        values = {**self.values, "i": slot}
        wanted = [formula, *(text for _, text in self.where())]
        for name in {name for text in wanted for name in names_in(text)}:
            if isinstance(values.get(name), (Overwritten, Unreadable)):
                raise LookupError(name)
            if name in self.rule.given:
                values[name] = self.rule.given[name](self.event, slot)
        with torch.no_grad():
            for name, text in self.where():
                values[name] = value_of(text, values)
            return value_of(formula, values)

    def gradient(self, slot: int) -> Tensor | None:
        """Return the gradient that the formula of a slot gives; None if it cannot be evaluated."""
        if self.event.grads_in[:1] == (None,) and "grads" not in names_in(self.formula(slot)):
            return None
        try:
            made = self.value(self.formula(slot), slot)
        except TROUBLE:
            return None
        return made if isinstance(made, Tensor) else None


def worksheet_for(event: NodeEvent) -> Worksheet | None:
    """Return an event's worksheet; None if no rule covers it: an unknown node, complex or sparse tensors."""
    rule = rule_for(event.name)
    if rule is None or not _covered(event):
        return None
    return Worksheet(event, rule)


def evaluate(event: NodeEvent) -> tuple[Tensor | None, ...]:
    """Evaluate the formulas of a node.

    Returns:
        One tensor per slot of `grads_out`, of the same shape, before the engine sums over broadcasts; None if
        the input needs no gradient, has no formula, or a value in its formula cannot be read. For
        `AccumulateGrad`, one tensor: the new `.grad`.
    """
    sheet = worksheet_for(event)
    count = 1 if event.name == ACCUMULATE_GRAD else len(event.grads_out or event.edges)
    if sheet is None:
        return (None,) * count
    return tuple(sheet.gradient(slot) if slot in sheet.slots else None for slot in range(count))


def _needed_slots(event: NodeEvent, rule: Rule) -> Iterator[int]:
    if event.name == ACCUMULATE_GRAD:
        yield 0
        return
    for slot, edge in enumerate(event.edges):
        made = event.grads_out is None or (slot < len(event.grads_out) and event.grads_out[slot] is not None)
        if edge is not None and made and rule.gradient(slot) is not None:
            yield slot


def _twice(event: NodeEvent, slots: tuple[int, ...]) -> bool:
    """Return whether at least two inputs need a gradient and all of them are the same tensor."""
    return len(slots) > 1 and len({event.edges[slot] for slot in slots}) == 1


def _everything(event: NodeEvent) -> tuple[Any, ...]:
    return (*event.grads_in, *(event.grads_out or ()), *event.saved.values())


def _covered(event: NodeEvent) -> bool:
    if event.name == ACCUMULATE_GRAD:
        return True
    tensors = [value for value in _everything(event) if isinstance(value, Tensor)]
    return all(
        tensor.layout == torch.strided and not tensor.is_complex() and not tensor.is_nested
        for tensor in tensors
    )


def _values(event: NodeEvent) -> dict[str, Any]:
    """Return every value that a formula may mention, by name."""
    if event.accumulation is not None:
        return {
            "g": event.accumulation.part,
            "old": event.accumulation.before,
            "new": event.accumulation.part,
        }
    grads = event.grads_in
    g = grads[0] if grads else None
    numbered = {f"g{number}": grad for number, grad in enumerate(grads)}
    return {"g": g, "grads": grads, **numbered, **_plain(event.saved, g)}


def _plain(saved: Mapping[str, Any], g: Tensor | None) -> dict[str, Any]:
    """Return saved values; those that autograd wrapped in tensors, e.g. the 10 of `x / 10`, become numbers.

    A wrapped number never decides a result's dtype; a copy of the tensor would.
    """

    def is_wrapped(name: str, value: Any) -> bool:
        if name not in _MAY_BE_WRAPPED or not isinstance(value, Tensor) or value.dim() > 0:
            return False
        return g is not None and value.dtype not in (g.dtype, torch.bool)

    return {name: value.item() if is_wrapped(name, value) else value for name, value in saved.items()}
