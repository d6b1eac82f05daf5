"""Places in a tensor of any shape: as rows and columns to draw, and as they are typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gradstep.errors import BadInput
from gradstep.tensors.element_index import index_at

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Gap
    from gradstep.frame import Frame
    from gradstep.pictures.elements import ParameterElement

_SIGNS = str.maketrans("[](),:", "      ")


class Layout(NamedTuple):
    """Layout of a drawn tensor: the last dimension runs across, and a vector is broken into rows."""

    shape: tuple[int, ...]
    across: int
    """Numbers in a row."""

    @classmethod
    def of(cls, shape: Sequence[int], columns: int) -> Layout:
        """Return the layout of a shape in a limited number of columns."""
        return cls(tuple(shape), max(shape[-1], 1) if len(shape) > 1 else max(columns, 1))

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return -(-self.size // self.across)

    def at(self, place: int) -> tuple[int, ...]:
        """Return the index of a place; places are counted from 0, row by row."""
        return index_at(self.shape, place)

    def moved(self, place: int, rows: int, columns: int) -> int:
        """Return the place some rows and columns away, or the nearest place in the layout."""
        row, column = divmod(place, self.across)
        row = min(max(row + rows, 0), max(self.rows - 1, 0))
        column = min(max(column + columns, 0), self.across - 1)
        return max(min(row * self.across + column, self.size - 1), 0)


def element_text(frame: Frame, element: ParameterElement | Gap) -> str:
    """Return an element's name with the table's names for rows and columns: `w[apples, temp]`.

    A dimension without names keeps its number, as Python writes it.
    """
    parameter = next((one for one in frame.parameters if one.name == element.parameter), None)
    if parameter is None or not element.index or not any(parameter.labels):
        return element.name
    labels = parameter.labels
    parts = (names[at] if names else str(at) for names, at in zip(labels, element.index, strict=True))
    return f"{element.parameter}[{', '.join(parts)}]"


def with_numbers(frame: Frame, name: str) -> str:
    """Return an element's name with numbers for the table's names: `w[0, 1]` for `w[apples, rainfall]`.

    What is no name of the table stays as it is.
    """
    called, _, inside = name.partition("[")
    parameter = next((one for one in frame.parameters if one.name == called.strip()), None)
    parts = [part.strip() for part in inside.removesuffix("]").split(",")]
    if parameter is None or len(parts) != len(parameter.labels):
        return name
    pairs = zip(parts, parameter.labels, strict=True)
    return (
        f"{called}[{', '.join(str(names.index(part)) if part in names else part for part, names in pairs)}]"
    )


def index_from(text: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Read an index as it is typed, `3,17` or `[3, 17]`; negative numbers count from the end, as in PyTorch.

    Raises:
        BadInput: it is no index of such a tensor.
    """
    words = text.translate(_SIGNS).split()
    if len(words) > len(shape):
        raise BadInput(f"{text[:40]!r} has {len(words)} numbers: there are {len(shape)} dimensions")
    return tuple(_number(word, size) for word, size in zip(words, shape, strict=False))


def _number(word: str, size: int) -> int:
    digits = word.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise BadInput(f"{word[:40]!r} is no number of a row or column")
    number = int(word)
    if not -size <= number < size:
        raise BadInput(f"{number} is outside: there is 0 to {size - 1}")
    return number % size
