"""The script's words for the values in a node's formulas, which PyTorch calls `self`, `other` or `mat2`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gradstep.autograd.events import ACCUMULATE_GRAD, NodeEvent
from gradstep.derivatives.labels import grad_name
from gradstep.derivatives.script_formula import in_names
from gradstep.derivatives.sentence import Sentence, fields_of
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.derivatives.worksheet import Worksheet

LONGEST: Final = 32
"""Most characters of an expression that stands in a sentence; a longer one is said in plain words."""


class ScriptNames:
    """Names of the values that one node's formulas and sentences mention."""

    def __init__(self, event: NodeEvent, sheet: Worksheet, names: TensorNames) -> None:
        """Find the names.

        Args:
            event: The node.
            sheet: Its rule with the numbers of the event.
            names: Names of the pass's tensors.
        """
        self._event, self._called = event, sheet.rule.called
        self._found = dict(_found(event, sheet, names))
        for name, text in sheet.where():
            if len(text) <= LONGEST:
                self._found[name] = self.formula(text)

    def formula(self, formula: str) -> str:
        """Return a formula in the script's names; a value without one has a plain word, e.g. `divisor`."""
        plain = {name: words.replace(" ", "_") for name, words in self._called.items()}
        return in_names(formula, {**plain, **self._found})

    def sentence(self, template: str) -> Sentence:
        """Return a sentence whose fields, names or formulas, are filled in."""
        return Sentence(template, {part: self._field(part) for part in fields_of(template)})

    def _field(self, part: str) -> str:
        if part == "grad" and self._event.name == ACCUMULATE_GRAD:
            return grad_name(self._event)
        if not part.isidentifier():
            short = {name: text for name, text in self._found.items() if len(text) <= LONGEST}
            plain = {name: words.replace(" ", "_") for name, words in self._called.items()}
            return in_names(part, {**plain, **short})
        return self.prose(part)

    def prose(self, name: str) -> str:
        """Return what a sentence calls a value: the script's name, or plain words, e.g. `the divisor`."""
        text = self._found.get(name, "")
        return text if text and len(text) <= LONGEST else f"the {self._called.get(name, name)}"


def _found(event: NodeEvent, sheet: Worksheet, names: TensorNames) -> Iterator[tuple[str, str]]:
    """Yield PyTorch's name and the script's words of each value that the script has words for."""
    inputs = dict[str, int]()
    for slot in range(max(len(sheet.rule.gradients), len(event.edges))):
        name = sheet.rule.input_name(slot)
        if name is not None and name.isidentifier():
            inputs[name] = slot
    if 0 not in inputs.values():
        inputs.setdefault("self", 0)
    if 1 not in inputs.values():
        inputs.setdefault("other", 1)
    for name, value in sheet.values.items():
        if plain := _plain(value):
            yield name, plain
    for name, slot in inputs.items():
        if text := names.of_input(event, slot):
            yield name, text
    if text := names.of_result(event):
        yield "result", text


def _plain(value: Any) -> str:
    """Return a number or a shape as text; empty for anything else."""
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple) and all(isinstance(part, int) for part in value):
        return str(value)
    return ""
