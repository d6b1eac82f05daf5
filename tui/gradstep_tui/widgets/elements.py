"""Draws the numbers of a tensor of any size; only the visible numbers are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.text.tensors.indices import Layout
from gradstep_tui.text.tensors.numbers import WIDEST, cell
from gradstep_tui.text.tensors.parameter_tensors import VALUE, parts_of
from gradstep_tui.text.tensors.summaries import facts, histogram_text, size_text, summary

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame

LABEL: Final = 14
"""Width of the index of a row, in cells."""

HEAD: Final = 6
"""Number of lines above the numbers."""


class Sight(NamedTuple):
    """The part of a tensor that is visible."""

    top: int = 0
    """First visible row."""

    left: int = 0
    """First visible column."""

    rows: int = 1
    columns: int = 1

    def around(self, layout: Layout, place: int, width: int, height: int) -> Sight:
        """Return the visible part, moved as little as possible so that it contains an element.

        Args:
            layout: Rows and columns in which the tensor is drawn.
            place: Number of an element, counted row by row.
            width: Width of the screen, in cells.
            height: Height of the screen, in lines.
        """
        rows, columns = max(height - HEAD - 2, 1), columns_in(width)
        row, column = divmod(place, layout.across)
        top = min(max(self.top, row - rows + 1), row)
        left = min(max(self.left, column - columns + 1), column)
        return Sight(
            min(top, max(layout.rows - rows, 0)), min(left, max(layout.across - columns, 0)), rows, columns
        )


def columns_in(width: int) -> int:
    """Return how many numbers fit beside the index of a row."""
    return max((width - LABEL) // (WIDEST + 2), 1)


def element_lines(
    parameter: ParameterFrame, part: str, layout: Layout, sight: Sight, place: int, width: int
) -> list[Line]:
    """Return the lines for a tensor of a parameter: summary, visible numbers, and the chosen element.

    Args:
        parameter: The parameter.
        part: Name of one of the parameter's tensors, as in `parts_of`.
        layout: Rows and columns in which the tensor is drawn.
        sight: Rows and columns that are visible.
        place: Number of the chosen element, counted row by row.
        width: Width of a line, in cells.
    """
    tensor = parts_of(parameter)[part]
    name = parameter.name if part == VALUE else f"{parameter.name}.{part}"
    head = line(Span(name, "key"), f"  {size_text(parameter)}")
    if tensor is None:
        return [head, line(Span("None: no backward pass has written to it", "dim"))]
    found = [(title, text) for title, text in facts(summary(tensor))]
    rows = [_facts_line(found[:4]), _facts_line(found[4:]), line(histogram_text(tensor, min(width - 1, 78)))]
    if not layout.size:
        return [head, *rows]
    numbers = [_row(parameter, tensor, layout, sight, row, place) for row in _rows_in(layout, sight)]
    chosen = _chosen_line(parameter, layout.at(place))
    return [head, *rows, line(), _titles(parameter, layout, sight), *numbers, line(), chosen]


def _facts_line(found: list[tuple[str, str]]) -> Line:
    return line(*(span for name, text in found for span in (Span(f"{name} ", "label"), f"{text}   ")))


def _rows_in(layout: Layout, sight: Sight) -> range:
    return range(sight.top, min(sight.top + sight.rows, layout.rows))


def _titles(parameter: ParameterFrame, layout: Layout, sight: Sight) -> Line:
    columns = range(sight.left, min(sight.left + sight.columns, layout.across))
    labels = parameter.labels[-1] if parameter.labels and len(layout.shape) > 1 else ()
    names = [labels[column] if labels else str(column) for column in columns]
    sign = "+" if len(layout.shape) < 2 else ""
    titles = "".join(f" {f'{sign}{name}'[:WIDEST]:>{WIDEST}} " for name in names)
    return line(Span(f"{'':<{LABEL}}{titles}", "label"))


def _row(
    parameter: ParameterFrame, tensor: Tensor, layout: Layout, sight: Sight, row: int, place: int
) -> Line:
    first = row * layout.across + sight.left
    count = min(sight.columns, layout.across - sight.left, layout.size - first)
    index = layout.at(row * layout.across)
    if len(layout.shape) < 2:
        numbers = tensor.reshape(1) if not layout.shape else tensor[first : first + count]
    else:
        numbers = tensor[index[:-1]][sight.left : sight.left + count]
    spans = [Span(f"{_label(parameter, index)[: LABEL - 1]:<{LABEL}}", "label")]
    for offset, number in enumerate(numbers.tolist()):
        chosen = first + offset == place
        left, right = ("[", "]") if chosen else (" ", " ")
        text = f"{number:.4g}" if isinstance(number, complex) else cell(number)
        spans.append(Span(f"{left}{text:>{WIDEST}}{right}", "current" if chosen else ""))
    return tuple(spans)


def _label(parameter: ParameterFrame, index: tuple[int, ...]) -> str:
    if len(index) == 2 and parameter.labels and parameter.labels[0]:
        return parameter.labels[0][index[0]]
    places = index[:-1] if len(index) > 1 else index
    return f"[{','.join(map(str, places))}{',:' if len(index) > 1 else ''}]"


def _chosen_line(parameter: ParameterFrame, index: tuple[int, ...]) -> Line:
    """Return the line with one element's value, gradient and optimizer state, in nine digits."""
    texts = [
        f"{name} {'None' if tensor is None else f'{tensor[index].item():.9g}'}"
        for name, tensor in parts_of(parameter).items()
    ]
    return line(Span(f"at [{','.join(map(str, index))}]  ", "key"), "   ".join(texts))
