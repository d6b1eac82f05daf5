"""Elements of tensors: the index of an element, its place in the flattened tensor, and its name.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence


def element_name(parameter: str, index: Sequence[int]) -> str:
    """Return the name of an element as Python writes it, e.g. `w[0, 2]`, or `w` if `w` is a scalar."""
    return f"{parameter}[{', '.join(map(str, index))}]" if index else parameter


def index_at(shape: Sequence[int], place: int) -> tuple[int, ...]:
    """Return the index of the element at a place; places count a tensor's elements from 0, row by row."""
    index: list[int] = []
    for size in reversed(shape):
        place, here = divmod(place, max(size, 1))
        index.append(here)
    return tuple(reversed(index))


def place_of(shape: Sequence[int], index: Sequence[int]) -> int:
    """Return the place of the element at an index; a dimension that the index lacks counts as 0."""
    place = 0
    for dimension, size in enumerate(shape):
        place = place * size + (index[dimension] if dimension < len(index) else 0)
    return place
