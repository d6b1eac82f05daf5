"""A number of a parameter, and counting them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from gradstep.errors import BadInput
from gradstep.tensors.elements import element_name, index_at, place_of

Pair: TypeAlias = tuple[float, float]
"""Two numbers of the parameters."""

Spots: TypeAlias = Sequence[tuple[int, int]]
"""Where they are: which parameter, and which of its numbers, both counted from 0."""


@dataclass(frozen=True, slots=True)
class ParameterElement:
    """One element of one parameter."""

    parameter: str
    index: tuple[int, ...]

    @property
    def name(self) -> str:
        """As Python writes it, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)


def count_places(parameters: Mapping[str, Tensor]) -> int:
    """Count the elements of all parameters."""
    return sum(one.numel() for one in parameters.values())


def place_at(parameters: Mapping[str, Tensor], number: int) -> ParameterElement:
    """Give an element by its number, counted from 0 through all parameters in their order.

    Raises:
        IndexError: there is none.
    """
    for name, parameter in parameters.items():
        if number < parameter.numel():
            return ParameterElement(name, index_at(parameter.shape, number))
        number -= parameter.numel()
    raise IndexError(number)


def number_of(parameters: Mapping[str, Tensor], name: str) -> int:
    """Give an element's number by its name, e.g. `w[0, 2]`; blanks do not matter.

    Raises:
        BadInput: there is none of that name.
    """
    called, _, rest = "".join(name.split()).partition("[")
    known, before = parameters.get(called), 0
    texts = [text for text in rest.removesuffix("]").split(",") if text]
    index = tuple(int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10)
    shape = () if known is None else tuple(known.shape)
    fits = len(index) == len(shape) == len(texts) and all(map(int.__lt__, index, shape))
    if known is None or not fits:
        raise BadInput(f"{name[:40]!r} is no number of a parameter: write it as Python does, e.g. w[0, 2]")
    for other, parameter in parameters.items():
        if other == called:
            break
        before += parameter.numel()
    return before + place_of(shape, index)


def pair_of(values: Sequence[Tensor], spots: Spots) -> Pair:
    """Read two numbers of the parameters; each is given flat."""
    one, other = (float(values[parameter][place].item()) for parameter, place in spots)
    return one, other


def put(values: Sequence[Tensor], spots: Spots, pair: Sequence[float]) -> None:
    """Write them."""
    for (parameter, place), value in zip(spots, pair, strict=True):
        values[parameter][place] = value
