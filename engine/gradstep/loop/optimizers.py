"""Which optimizer updates the parameters: the loop's own line, or one of `torch.optim`'s, with its options.

Importing this module does not import torch.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from msgspec import Struct, structs

from gradstep.errors import BadInput
from gradstep.loop.literals import literal, shown, unknown

Name: TypeAlias = Literal["hand", "SGD", "RMSprop", "Adam", "AdamW"]
Option: TypeAlias = float | bool | tuple[float, float]

NAMES: Final[tuple[Name, ...]] = get_args(Name)
EXAMPLE: Final = "SGD(momentum=0.9, nesterov=True)"


class Optimizer(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An optimizer, by PyTorch's names; an option that is None has PyTorch's default."""

    name: Name = "hand"
    """`hand` is the loop's own `w -= w.grad * lr`, which has no options."""

    momentum: float | None = None
    dampening: float | None = None
    weight_decay: float | None = None
    nesterov: bool | None = None
    alpha: float | None = None
    eps: float | None = None
    centered: bool | None = None
    betas: tuple[float, float] | None = None
    amsgrad: bool | None = None
    maximize: bool | None = None

    @property
    def by_hand(self) -> bool:
        """Whether the update is the loop's own line."""
        return self.name == "hand"

    @property
    def options(self) -> dict[str, Option]:
        """The options that are not PyTorch's defaults, by PyTorch's names."""
        found = {name: getattr(self, name) for name in self.__struct_fields__[1:]}
        return {name: value for name, value in found.items() if value is not None}

    def value(self, option: str) -> Option:
        """Give an option's value; where it was not chosen, PyTorch's default."""
        return self.options.get(option, OPTIONS[self.name][option])

    @property
    def text(self) -> str:
        """How a learner types it: `SGD(momentum=0.9)`."""
        if not self.options:
            return self.name
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"

    @property
    def title(self) -> str:
        """How it is named on screen; the notebook's update is SGD, too."""
        return "SGD by hand" if self.by_hand else self.text


HAND: Final = Optimizer()
SGD: Final = Optimizer("SGD")

_SHARED: Final[Mapping[str, Option]] = {"weight_decay": 0.0, "maximize": False}
_ADAM: Final[Mapping[str, Option]] = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False}

OPTIONS: Final[Mapping[Name, Mapping[str, Option]]] = {
    "hand": {},
    "SGD": {"momentum": 0.0, "dampening": 0.0, "nesterov": False, **_SHARED},
    "RMSprop": {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False, **_SHARED},
    "Adam": {**_ADAM, **_SHARED},
    "AdamW": {**_ADAM, **_SHARED, "weight_decay": 0.01},
}
"""Each optimizer's options, with PyTorch's defaults."""

DIGITS: Final = 1e30
"""Larger numbers overflow single precision as soon as they meet another one."""


class _Rule(NamedTuple):
    """What an option takes."""

    words: str
    read: Callable[[Any], Option | None]
    """Gives the value, or None where PyTorch would refuse it."""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= DIGITS:
        return None
    return float(value)


def _from_zero(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _switch(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _pair(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    one, other = (_from_zero(part) for part in value)
    return (one, other) if one is not None and other is not None and max(one, other) < 1 else None


_FROM_ZERO: Final = _Rule("a number from 0", _from_zero)
_SWITCH: Final = _Rule("True or False", _switch)
RULES: Final[Mapping[str, _Rule]] = {
    "momentum": _FROM_ZERO,
    "dampening": _Rule("a number", _number),
    "weight_decay": _FROM_ZERO,
    "nesterov": _SWITCH,
    "alpha": _FROM_ZERO,
    "eps": _FROM_ZERO,
    "centered": _SWITCH,
    "betas": _Rule("two numbers from 0 to below 1, e.g. (0.9, 0.999)", _pair),
    "amsgrad": _SWITCH,
    "maximize": _SWITCH,
}
"""What each option takes: no more than PyTorch takes, so that it is told before PyTorch is there."""


def checked_optimizer(optimizer: Optimizer) -> Optimizer:
    """Give an optimizer without the options that have PyTorch's defaults anyway.

    Raises:
        BadInput: PyTorch has no such optimizer, or would refuse an option.
    """
    if not isinstance(optimizer, Optimizer):
        raise BadInput(f"{shown(optimizer)} is no optimizer: type e.g. {EXAMPLE}")
    return _checked(_known_name(optimizer.name), optimizer.options)


def optimizer_from(text: str) -> Optimizer:
    """Read an optimizer as one would write it in Python: `Adam`, `SGD(momentum=0.9)`; capitals do not matter.

    Raises:
        BadInput: PyTorch has no such optimizer, or would refuse an option; the message lists the known ones
            and the closest match.
    """
    plain = text.strip()
    if plain.casefold() in ("", "hand", "by hand", "sgd by hand"):
        return HAND
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        tree = None
    match tree:
        case ast.Call(func=func, args=[], keywords=keywords) if all(one.arg for one in keywords):
            given = {str(one.arg): one.value for one in keywords}
        case ast.Name() | ast.Attribute():
            func, given = tree, {}
        case _:
            raise BadInput(f"{shown(plain)} is no optimizer: type its name and options, e.g. {EXAMPLE}")
    name = _known_name(ast.unparse(func).removeprefix("torch.").removeprefix("optim."))
    return _checked(
        name,
        {option: literal(option, value, "number, pair, True or False") for option, value in given.items()},
    )


def _checked(name: Name, given: Mapping[str, Any]) -> Optimizer:
    options = OPTIONS[name]
    chosen: dict[str, Option] = {}
    for option, value in given.items():
        if option not in options:
            raise BadInput(_no_option(name, option))
        read = RULES[option].read(value)
        if read is None:
            raise BadInput(f"{option}={shown(value)} cannot be: {name}'s {option} is {RULES[option].words}")
        if read != options[option]:
            chosen[option] = read
    if chosen.get("nesterov") and (not chosen.get("momentum") or chosen.get("dampening")):
        raise BadInput("nesterov=True needs a momentum above 0 and no dampening, e.g. " + EXAMPLE)
    return structs.replace(Optimizer(name), **chosen)


def _known_name(given: str) -> Name:
    found = next((name for name in NAMES if name.casefold() == str(given).casefold()), None)
    if found is not None:
        return found
    raise BadInput(unknown("optimizer", str(given), NAMES))


def _no_option(name: Name, option: str) -> str:
    if option == "lr":
        return "lr is no option here: the learning rate is set by itself (l, or --lr)"
    if not OPTIONS[name]:
        return f"the update by hand has no options, so no {shown(option)}"
    close = get_close_matches(option, OPTIONS[name], n=1, cutoff=0.0)[0]
    known = ", ".join(OPTIONS[name])
    return f"{name} has no option {shown(option)}: did you mean {close!r}? Known: {known}"
