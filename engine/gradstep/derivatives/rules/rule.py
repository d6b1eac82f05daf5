"""Type of a row in the table of derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gradstep.autograd.events import NodeEvent


@dataclass(frozen=True, slots=True)
class When:
    """A text that depends on the saved values: `then` if the expression `when` is true, else `otherwise`.

    Besides the saved values, `when` may use `needed`, the names of the inputs that need a gradient, and
    `twice`, which is true if all of these are the same tensor.
    """

    when: str
    then: Text
    otherwise: Text


Text: TypeAlias = str | When

PLAIN: Final[Mapping[str, str]] = {"self": "input", "other": "second input", "result": "result"}
"""Plain words for values that the script has no name for; in a formula their spaces are underscores."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The gradients that one kind of autograd node computes.

    Formulas are Python expressions on torch tensors; a learner reads the text that is evaluated. They follow
    PyTorch's `derivatives.yaml` and its helpers in `FunctionsManual.cpp`, for real, dense tensors.
    """

    gradients: Mapping[str, Text]
    """Formulas by input, in the order of the node's slots; a name ending in `[]` is for all further slots.

    In a formula, `g` is the incoming gradient, of the output's shape; a node with several outputs also has
    `g0`, `g1`, ... and the tuple `grads`. `i` is the number of the slot. Saved values have PyTorch's names.
    """

    words: Text | tuple[Text, ...]
    """Sentences about the gradients; an empty one is left out.

    A name or a formula in braces, e.g. `{self}` or `{1 - result**2}`, is filled in with the script's names.
    A sentence begins with a word of its own, because a name may be in lower case.
    """

    where: Mapping[str, Text] = field(default_factory=dict)
    """Expressions that the formulas refer to by name; each may use earlier ones."""

    given: Mapping[str, Callable[[NodeEvent, int], Any]] = field(default_factory=dict)
    """Values that autograd does not expose, computed per slot from shapes and dtypes around the node."""

    plain: Mapping[str, str] = field(default_factory=dict)
    """Plain words for values that the script has no name for, if those of `PLAIN` do not fit."""

    @property
    def called(self) -> Mapping[str, str]:
        """Plain words, without an article, for values that the script has no name for."""
        return {**PLAIN, **self.plain}

    @property
    def sentences(self) -> tuple[Text, ...]:
        """Sentences about the gradients, each with all its forms."""
        return self.words if isinstance(self.words, tuple) else (self.words,)

    def input_name(self, slot: int) -> str | None:
        """Return the name of a slot's forward input, e.g. `other` or `tensors[2]`; None if unknown."""
        key, member = self._place(slot)
        if key is None or not key.endswith("[]"):
            return key
        return f"{key[:-2]}[{member}]"

    def gradient(self, slot: int) -> Text | None:
        """Return the formula of a slot's gradient; None if the rule has no such slot."""
        key, _ = self._place(slot)
        return None if key is None else self.gradients[key]

    def _place(self, slot: int) -> tuple[str | None, int]:
        keys = list(self.gradients)
        if slot < len(keys):
            return keys[slot], 0
        if keys[-1].endswith("[]"):
            return keys[-1], slot - len(keys) + 1
        return None, 0


def if_needed(name: str, sentence: Text) -> Text:
    """Return a sentence that is said only if an input needs a gradient."""
    return When(f"'{name}' in needed", sentence, "")
