"""Choice of what updates the parameters: the loop's own line, or a `torch.optim` optimizer with its options.

The optimizers are the rows of `gradstep.loop.optimizer_table`. Importing this module does not import torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from msgspec import Struct, defstruct, structs

from gradstep.errors import BadInput
from gradstep.loop.literals import literal, named, parsed, shown, unknown
from gradstep.loop.optimizer_row import OptimizerRow, Value
from gradstep.loop.optimizer_table import EXAMPLE, ROWS

Name: TypeAlias = str
"""Either `hand`, or the name of an optimizer in `torch.optim`."""

PYTORCH_NAMES: Final[tuple[Name, ...]] = tuple(ROWS)
NAMES: Final[tuple[Name, ...]] = ("hand", *PYTORCH_NAMES)

OPTIONS: Final[Mapping[Name, Mapping[str, Value]]] = {
    "hand": {},
    **{name: row.defaults for name, row in ROWS.items()},
}
"""PyTorch's defaults of each optimizer's options."""


class _Chosen(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Fields and methods of `Optimizer` that do not depend on the table."""

    name: Name = "hand"
    """`hand` for the loop's own `w -= w.grad * lr`, which has no options."""

    @property
    def by_hand(self) -> bool:
        """Whether the update is the loop's own line."""
        return self.name == "hand"

    @property
    def row(self) -> OptimizerRow:
        """The optimizer's row of the table; `hand` has none."""
        return ROWS[self.name]

    @property
    def options(self) -> dict[str, Value]:
        """Options that differ from PyTorch's defaults, by PyTorch's names."""
        values = {option: getattr(self, option) for option in self.__struct_fields__[1:]}
        return {option: value for option, value in values.items() if value is not None}

    @property
    def values(self) -> dict[str, Value]:
        """Values of all options, by PyTorch's names."""
        return {**OPTIONS[self.name], **self.options}

    @property
    def text(self) -> str:
        """The optimizer as a learner types it: `SGD(momentum=0.9)`."""
        if not self.options:
            return self.name
        return f"{self.name}({', '.join(f'{option}={value!r}' for option, value in self.options.items())})"


if TYPE_CHECKING:

    class Optimizer(_Chosen, frozen=True):
        """An optimizer and its options, by PyTorch's names; an option that is None has PyTorch's default."""

        def __init__(self, name: Name = "hand", **options: Value | None) -> None:
            """Take options of any optimizer; `checked_optimizer` refuses those of other optimizers."""

else:
    _ACCEPTS = {option: each.accepts for row in ROWS.values() for option, each in row.options.items()}

    Optimizer = defstruct(
        "Optimizer",
        [
            ("name", Literal[NAMES], "hand"),
            *((option, accepts.type | None, None) for option, accepts in _ACCEPTS.items()),
        ],
        bases=(_Chosen,),
        module=__name__,
        namespace={
            "__doc__": "An optimizer and its options, by PyTorch's names; None stands for PyTorch's default."
        },
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )

HAND: Final = Optimizer()
SGD: Final = Optimizer("SGD")


def checked_optimizer(optimizer: Optimizer) -> Optimizer:
    """Return an optimizer without the options that are set to PyTorch's defaults.

    Raises:
        BadInput: the program knows no such optimizer, or PyTorch would refuse an option.
    """
    if not isinstance(optimizer, Optimizer):
        raise BadInput(f"{shown(optimizer)} is not an optimizer: write e.g. {EXAMPLE}")
    return _checked(_known_name(optimizer.name), optimizer.options)


def optimizer_from(text: str) -> Optimizer:
    """Read an optimizer written as in Python, `Adam` or `SGD(momentum=0.9)`; names may be in any case.

    Raises:
        BadInput: the program knows no such optimizer, or PyTorch would refuse an option; the message lists
            the known names and the closest match.
    """
    plain = text.strip()
    if plain.casefold() in ("", "hand", "by hand", "sgd by hand"):
        return HAND
    match parsed(plain):
        case ast.Call(func=func, args=[], keywords=keywords) if all(keyword.arg for keyword in keywords):
            given = named(keywords)
        case ast.Name() | ast.Attribute() as func:
            given = {}
        case _:
            raise BadInput(f"{shown(plain)} is not an optimizer: write its name and options, e.g. {EXAMPLE}")
    name = _known_name(ast.unparse(func).removeprefix("torch.").removeprefix("optim."))
    return _checked(
        name,
        {option: literal(option, value, "number, pair, True or False") for option, value in given.items()},
    )


def _checked(name: Name, given: Mapping[str, Any]) -> Optimizer:
    options = ROWS[name].options if name in ROWS else {}
    chosen: dict[str, Value] = {}
    for option, value in given.items():
        if option not in options:
            raise BadInput(_no_option(name, option))
        accepts = options[option].accepts
        read = accepts.read(value)
        if read is None:
            raise BadInput(
                f"{option}={shown(value)} cannot be used: {name}'s {option} must be {accepts.words}"
            )
        if read != options[option].default:
            chosen[option] = read
    optimizer = structs.replace(Optimizer(name), **chosen)
    conflict = "" if optimizer.by_hand else optimizer.row.conflict(optimizer.values)
    if conflict:
        raise BadInput(conflict)
    return optimizer


def _known_name(given: str) -> Name:
    found = next((name for name in NAMES if name.casefold() == str(given).casefold()), None)
    if found is not None:
        return found
    raise BadInput(unknown("optimizer", str(given), NAMES))


def _no_option(name: Name, option: str) -> str:
    if option == "lr":
        return "lr is not an option here: the learning rate is set separately, for every optimizer"
    if not OPTIONS[name]:
        return f"{shown(option)} is not an option: the update by hand has no options"
    return unknown(f"option of {name}", option, OPTIONS[name])
