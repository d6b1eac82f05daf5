"""A tensor as named rows of numbers: what a screen draws and a conversation reads out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradstep_tui.text.tensors.numbers import NOT_KEPT

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame


class Element(NamedTuple):
    """A place in a tensor that is drawn as rows of its last dimension."""

    row: int = 0
    column: int = 0

    def of(self, tensor: Tensor | None) -> float | str | None:
        """Return the number there; None if there is no tensor, `NOT_KEPT` if its numbers are not kept."""
        if tensor is None:
            return None
        if tensor.is_meta:
            return NOT_KEPT
        number: float = tensor[self.place_in(tensor)].item()
        return number

    def place_in(self, tensor: Tensor) -> tuple[int, ...]:
        """Return the index of the place, a number for each dimension."""
        if not tensor.dim():
            return ()
        row, index = self.row, [self.column]
        for size in reversed(tensor.shape[:-1]):
            row, place = divmod(row, size)
            index.append(place)
        return tuple(reversed(index))

    def moved(self, rows: int, columns: int, tensor: Tensor) -> Element:
        """Return the place some rows and columns away, or the nearest place in the grid."""
        height, width = grid_size(tensor)
        row, column = self.row + rows, self.column + columns
        return Element(min(max(row, 0), height - 1), min(max(column, 0), width - 1))


def grid_size(tensor: Tensor) -> tuple[int, int]:
    """Return the number of rows and columns of a drawn tensor."""
    width = tensor.shape[-1] if tensor.dim() else 1
    return tensor.numel() // max(width, 1), width


def row_names(parameter: ParameterFrame) -> list[str]:
    """Return a name for each row: names of the first dimension, else indices; one empty name for a vector."""
    shape = tuple(parameter.value.shape)
    if len(shape) < 2:
        return [""]
    rows = parameter.value.numel() // max(shape[-1], 1)
    if len(shape) == 2 and parameter.labels[0]:
        return list(parameter.labels[0])
    return [f"[{row}]" for row in range(rows)]


def row_name(parameter: ParameterFrame, row: int) -> str:
    """Return the name of one row."""
    shape, labels = parameter.value.shape, parameter.labels
    if len(shape) < 2:
        return ""
    return labels[0][row] if len(shape) == 2 and labels[0] else f"[{row}]"


def column_names(parameter: ParameterFrame) -> tuple[str, ...]:
    """Return the names of the columns; empty if they have none."""
    return parameter.labels[-1] if parameter.labels else ()


def cells_of(tensor: Tensor, columns: int) -> list[list[float]]:
    """Return a tensor's elements as rows of exact numbers, laid out as by `cells`."""
    grid = tensor.reshape(1, -1) if tensor.dim() < 2 else tensor.flatten(0, -2)
    numbers: list[list[float]] = grid[:, :columns].tolist()
    return numbers
