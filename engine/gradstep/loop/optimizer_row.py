"""Row of the table of optimizers: options, state, formulas and words of one optimizer, as data.

Importing this module does not import torch. The rows themselves are in `gradstep.loop.optimizer_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

Value: TypeAlias = float | bool | tuple[float, float]
"""Value of an option."""

LARGEST: Final = 1e30
"""Largest number that an option takes; larger ones overflow single precision when they are multiplied."""


class Accepts(NamedTuple):
    """A kind of option: the values that PyTorch accepts for it, so that mistakes are found without torch."""

    words: str
    """Noun phrase for the accepted values, as messages say it."""

    read: Callable[[Any], Value | None]
    """Return the value as PyTorch gets it, or None if PyTorch would refuse it."""

    type: Any
    """Type of the value in a session file."""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
        return None
    return float(value)


def _from_zero(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _share(value: Any) -> float | None:
    number = _from_zero(value)
    return number if number is not None and number <= 1 else None


def _switch(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _pair(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    first, second = map(_from_zero, value)
    if first is None or second is None or max(first, second) >= 1:
        return None
    return first, second


NUMBER: Final = Accepts("a number", _number, float)
FROM_ZERO: Final = Accepts("a number of at least 0", _from_zero, float)
SHARE: Final = Accepts("a number from 0 to 1", _share, float)
SWITCH: Final = Accepts("True or False", _switch, bool)
PAIR: Final = Accepts("two numbers from 0 to below 1, e.g. (0.9, 0.999)", _pair, tuple[float, float])


class Option(NamedTuple):
    """An option of an optimizer."""

    default: Value
    """PyTorch's default."""

    accepts: Accepts


class StateTensor(NamedTuple):
    """A tensor that PyTorch keeps for each parameter in `optimizer.state[p]`."""

    name: str
    scales_with_gradient: bool = False
    """Whether its elements are sums or averages of gradients, so that rounding errors are in proportion to
    the gradient's."""

    scalar: bool = False
    """Whether it is one number, however many the parameter has."""

    start: float | str | None = None
    """Value of every element when the optimizer is made: a number, or the name of the option that holds it.
    None if PyTorch makes the tensor in the first step."""


FIRST_STEP: Final = "  # a parameter's first step"
LATER_STEP: Final = "  # its later steps"
"""Comments on a formula, if a step is the first of some parameters only."""


class Formula(NamedTuple):
    """A line of an optimizer's formulas, `target = expression`, for some of the optimizer's options."""

    target: str
    """Name of the result: `p`, a state tensor, `g` for a changed gradient, or a new name."""

    expression: str
    """Python expression of `p`, `grad`, `lr`, the options (`beta1` and `beta2` for `betas`), the state
    tensors as they were before the step, and the targets of earlier lines. `{g}` stands for the gradient
    after the earlier lines: `g` if one of them has that target, else `grad`."""

    when: str = ""
    """Options that must be on (not 0 and not False) or off, e.g. `momentum, not nesterov`. `first` is on in
    the first step. Empty for a line that always applies."""


class Words(NamedTuple):
    """A sentence about an optimizer, for some of its options."""

    text: str
    when: str = ""
    """Options, as in `Formula.when`."""


def _no_conflict(options: Mapping[str, Value]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerRow:
    """An optimizer of `torch.optim`."""

    options: Mapping[str, Option]
    """Options by PyTorch's names, without the learning rate, which is the session's, and without switches
    that only choose an implementation."""

    state: tuple[StateTensor, ...] = ()
    """State tensors in PyTorch's order, which is the order in which they are shown."""

    formulas: tuple[Formula, ...] = ()
    """Formulas of a step, in the order in which PyTorch computes them."""

    words: tuple[Words, ...] = ()
    """Sentences about the step; the first that fits the options is shown."""

    fixed: Mapping[str, bool] = field(default_factory=dict)
    """Switches in PyTorch's `param_groups` that are always set like this: they are what the optimizer is."""

    conflict: Callable[[Mapping[str, Value]], str] = _no_conflict
    """Return why PyTorch refuses options that it accepts one by one, or an empty string."""

    @property
    def defaults(self) -> dict[str, Value]:
        """PyTorch's default of every option."""
        return {name: option.default for name, option in self.options.items()}

    def lines(
        self, options: Mapping[str, Value], *, first: bool, others_later: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Return the formulas that apply, as targets and Python expressions.

        Args:
            options: Values of all options.
            first: Whether the optimizer takes the first step of a parameter.
            others_later: Whether it also takes a later step of another parameter, which was not skipped
                before. A comment then says for which of them a formula is.
        """
        gradient = "grad"
        for line in self.formulas:
            now = _holds(line.when, {**options, "first": first})
            later = _holds(line.when, {**options, "first": False}) if others_later else now
            if now or later:
                which = "" if now == later else FIRST_STEP if now else LATER_STEP
                yield line.target, line.expression.replace("{g}", gradient) + which
                gradient = "g" if line.target == "g" else gradient

    def sentence(self, options: Mapping[str, Value]) -> str:
        """Return the sentence about a step with these values of all options."""
        return next(words.text for words in self.words if _holds(words.when, options))


def _holds(when: str, values: Mapping[str, object]) -> bool:
    conditions = when.split(", ") if when else []
    return all(bool(values[name.removeprefix("not ")]) != name.startswith("not ") for name in conditions)
