"""What one row of the table of derivatives holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gradstep.autograd.events import NodeEvent


@dataclass(frozen=True, slots=True)
class When:
    """A text that depends on what was saved: `then` where the expression `when` holds, else `otherwise`.

    Beside the saved values, `when` may use `needed`, the names of the inputs that need a gradient, and
    `twice`, whether these are one and the same tensor.
    """

    when: str
    then: Text
    otherwise: Text


Text: TypeAlias = str | When


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of autograd node makes its gradients.

    The formulas are Python expressions of torch tensors. What a learner reads is what is evaluated. They
    follow PyTorch's `derivatives.yaml` and its helpers in `FunctionsManual.cpp`, for real, dense tensors.
    """

    gradients: Mapping[str, Text]
    """Formula by input, in the order of the node's slots. A name ending in `[]` stands for all further slots.

    `g` is the gradient that came in, of the output's shape; for nodes with several outputs also `g0`, `g1`,
    ... and the tuple `grads`. `i` is the number of the slot. Every saved value goes by PyTorch's name.
    """

    words: Text
    """One sentence, in plain words."""

    brief: Text
    """What a one-line list shows."""

    where: Mapping[str, Text] = field(default_factory=dict)
    """Expressions that the formulas refer to by name; each may use those before it."""

    given: Mapping[str, Callable[[NodeEvent, int], Any]] = field(default_factory=dict)
    """What autograd keeps of a slot without showing it, read off the shapes and dtypes around the node."""

    def input_name(self, slot: int) -> str | None:
        """Give the forward input that a slot belongs to, e.g. `other` or `tensors[2]`; None where unknown."""
        key, member = self._place(slot)
        if key is None or not key.endswith("[]"):
            return key
        return f"{key[:-2]}[{member}]"

    def gradient(self, slot: int) -> Text | None:
        """Give the formula of a slot's gradient; None where the rule knows no such slot."""
        key, _ = self._place(slot)
        return None if key is None else self.gradients[key]

    def _place(self, slot: int) -> tuple[str | None, int]:
        keys = list(self.gradients)
        if slot < len(keys):
            return keys[slot], 0
        if keys[-1].endswith("[]"):
            return keys[-1], slot - len(keys) + 1
        return None, 0


def by_need(everything: str, **single: str) -> Text:
    """Choose by which inputs need a gradient: one of `single` where it is the only one, else `everything`."""
    text: Text = everything
    for name, brief in single.items():
        text = When(f"needed == ('{name}',)", brief, text)
    return text
