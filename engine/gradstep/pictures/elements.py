"""Elements of the parameters: counted through all parameters, named, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from gradstep.errors import BadInput
from gradstep.tensors.element_index import element_name, index_at, place_of

Pair: TypeAlias = tuple[float, float]
"""Two numbers, one for each of the two elements that a picture is about."""

Spots: TypeAlias = Sequence[tuple[int, int]]
"""Positions of elements: the parameter's number, and the element's place in it; both counted from 0."""


@dataclass(frozen=True, slots=True)
class ParameterElement:
    """One element of one parameter."""

    parameter: str
    """Name of the parameter."""

    index: tuple[int, ...]
    """Index of the element in the parameter, one number for each dimension."""

    @property
    def name(self) -> str:
        """Name of the element as Python writes it, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)


def count_places(parameters: Mapping[str, Tensor]) -> int:
    """Return the number of elements of all parameters together."""
    return sum(parameter.numel() for parameter in parameters.values())


def place_at(parameters: Mapping[str, Tensor], number: int) -> ParameterElement:
    """Return the element with a number, which counts from 0 through all parameters in their order.

    Raises:
        IndexError: the parameters have no more than `number` elements.
    """
    for name, parameter in parameters.items():
        if number < parameter.numel():
            return ParameterElement(name, index_at(parameter.shape, number))
        number -= parameter.numel()
    raise IndexError(number)


def number_of(parameters: Mapping[str, Tensor], name: str) -> int:
    """Return the number of the element with a name such as `w[0, 2]`; blanks in the name do not matter.

    Raises:
        BadInput: no element has that name.
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
    """Return the two elements at `spots`.

    Args:
        values: Every parameter's numbers, each of shape `(numel,)`.
        spots: Positions of the two elements.
    """
    first, second = (float(values[parameter][place].item()) for parameter, place in spots)
    return first, second


def put(values: Sequence[Tensor], spots: Spots, pair: Sequence[float]) -> None:
    """Write the two numbers of `pair` into the elements at `spots`; for arguments, see `pair_of`."""
    for (parameter, place), value in zip(spots, pair, strict=True):
        values[parameter][place] = value
