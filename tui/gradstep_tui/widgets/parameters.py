"""The parameter panel: every parameter and its gradient, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from gradstep_tui.drawing.lines import Line, Span, line
from gradstep_tui.drawing.number_grid import LABEL as LABEL
from gradstep_tui.drawing.number_grid import NumberGrid, grid_lines, number_grids
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.frames import sum_note
from gradstep_tui.text.statements import counted
from gradstep_tui.text.tensors.grids import cells_of, column_names, row_names
from gradstep_tui.text.tensors.numbers import SUM_DIGITS, WIDEST, cells
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.parameter_table import are_large, table_lines

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame


class ParameterPanel(Panel):
    """Every parameter with its `.grad`, element by element."""

    title = "parameters"
    opens = "elements"

    first: var[int] = var(0)
    """First row that is shown, if not all rows fit; 0 for the rows that the last action concerns."""

    def watch_first(self) -> None:
        """Draw the rows from there on."""
        self.redraw()

    def show_start(self) -> None:
        """Show the rows that the last action concerns."""
        self.first = 0

    def scroll_by(self, pages: int) -> None:
        """Show the rows some pages further down; after the last ones, those that the last action concerns."""
        self._scroll(pages * max(self.size.height - 2, 1))

    def walk(self, steps: int) -> None:
        """Show the rows some lines further down."""
        self._scroll(steps)

    def _scroll(self, lines: int) -> None:
        if self.frame is None:
            return
        width, height = self.size.width, self.size.height - 1
        count = 0 if are_large(self.frame, columns_in(width), height) else len(_all_rows(self.frame, width))
        last = max(count - max(height - 1, 1), 0)
        wanted = self.first + lines
        self.first = 0 if count <= height or wanted < 0 or self.first == last < wanted else min(wanted, last)

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the parameters, with `old + new = sum` in full if it fits."""
        if self.frame is None:
            return [line(Span(" keys pressed now will work once it has started", "dim"))]
        if are_large(self.frame, columns_in(width), height):
            return table_lines(self.frame, width, height)
        for stacked in (True, False):
            if len(parameter_lines(self.frame, width, stacked=stacked)) <= height:
                parts = fitting_parts(self.frame, width, height, stacked=stacked)
                return parameter_lines(self.frame, width, stacked=stacked, parts=parts)
        if self.first:
            rows = _all_rows(self.frame, width)[self.first :][: height - 1]
            return [*rows, line(Span(f" {SIGNS['scroll_down']} and {SIGNS['scroll_up']} scroll", "dim"))]
        return fitting_lines(self.frame, width, height)

    def title_text(self) -> str:
        """Return the title, which names the parts of the optimizer's state that do not fit."""
        if self.frame is None or not parts_of(self.frame):
            return self.title
        width, height = self.size.width, self.size.height - 1
        shown: list[str] = []
        large = are_large(self.frame, columns_in(width), height)
        for stacked in () if large else (True, False):
            if len(parameter_lines(self.frame, width, stacked=stacked)) <= height:
                shown = fitting_parts(self.frame, width, height, stacked=stacked)
                break
        hidden = [part for part in parts_of(self.frame) if part not in shown]
        told = (
            f"; {SIGNS['ledger']} shows {what}" for what in (", ".join(hidden), f"{len(hidden)} more parts")
        )
        fitting = (f"{self.title}{text}" for text in told if len(self.title) + len(text) <= width - 4)
        return next(fitting, self.title) if hidden else self.title


def columns_in(width: int) -> int:
    """Return how many numbers fit beside the name of a row."""
    return max((width - LABEL) // (WIDEST + 1), 1)


def parameter_lines(frame: Frame, width: int, *, stacked: bool, parts: Sequence[str] = ()) -> list[Line]:
    """Return the lines for all parameters of a frame.

    Args:
        frame: The frame.
        width: Width of a line, in cells.
        stacked: Whether an accumulated `.grad` is drawn as three rows, `old`, `+ new` and `= sum`.
        parts: Names of the parts of the optimizer's state that are drawn below each parameter.
    """
    rows: list[Line] = []
    for parameter in frame.parameters:
        rows += _block(parameter, width, stacked=stacked)
        rows += memory_lines(parameter, width, parts)
    return rows


def parts_of(frame: Frame) -> list[str]:
    """Return the names in the optimizer's state for any parameter, in PyTorch's order."""
    return list(dict.fromkeys(part for parameter in frame.parameters for part in parameter.memory))


def fitting_parts(frame: Frame, width: int, height: int, *, stacked: bool) -> list[str]:
    """Return the names of the parts of the optimizer's state that fit."""
    chosen: list[str] = []
    for part in parts_of(frame):
        if len(parameter_lines(frame, width, stacked=stacked, parts=[*chosen, part])) <= height:
            chosen.append(part)
    return chosen


def memory_lines(parameter: ParameterFrame, width: int, parts: Sequence[str]) -> list[Line]:
    """Return the lines for parts of the optimizer's state; `*` marks those that the last action changed."""
    columns = columns_in(width)
    rows: list[Line] = []
    for part, value in parameter.memory.items():
        if part not in parts:
            continue
        changed = parameter.memory_changed(part)
        title = f"{parameter.name}.{part}"
        if not value.dim():
            number = Span(f" {cells(value)[0][0].strip()}{'*' * changed}", "mark" if changed else "")
            rows.append(line(Span(title, "key"), number))
            continue
        [grid] = number_grids([value], columns)
        names = [name or "" for name in row_names(parameter)]
        rows.append(line(Span(title, "key")))
        rows += grid_lines(names, grid, _all(grid, changed))
    return rows


def fitting_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """Return as many parameters as fit, from the first whose gradient changed, and the others' names."""
    blocks = [_block(parameter, width, stacked=False) for parameter in frame.parameters]
    changed = [place for place, parameter in enumerate(frame.parameters) if parameter.grad_changed]
    first = last = changed[0] if changed else 0
    room = height - 1 - len(blocks[first])
    while last + 1 < len(blocks) and len(blocks[last + 1]) <= room:
        last += 1
        room -= len(blocks[last])
    while first > 0 and len(blocks[first - 1]) <= room:
        first -= 1
        room -= len(blocks[first])
    rows = [row for block in blocks[first : last + 1] for row in block]
    hidden = [
        parameter.name for place, parameter in enumerate(frame.parameters) if not first <= place <= last
    ]
    if len(rows) > height - 1:
        hidden.insert(0, counted(len(rows) - height + 1, "row"))
    more = f" {SIGNS['scroll_down']} shows {', '.join(hidden)}"
    return [*rows[: height - 1], line(Span(more[: width - 1], "dim"))]


def _all_rows(frame: Frame, width: int) -> list[Line]:
    return parameter_lines(frame, width, stacked=False)


def _block(parameter: ParameterFrame, width: int, *, stacked: bool) -> list[Line]:
    columns = columns_in(width)
    return [*_value_lines(parameter, columns), *_grad_lines(parameter, columns, stacked=stacked)]


def sum_lines(parameter: ParameterFrame, columns: int, names: list[str]) -> list[Line]:
    """Return `old + new = sum`, element by element: three lines for each row of the parameter."""
    written = parameter.accumulation
    assert written is not None
    assert written.after is not None
    before, part, after = number_grids([written.before, written.part, written.after], columns, SUM_DIGITS)
    marks = _all(after, parameter.grad_changed)
    lines: list[Line] = []
    for row, name in enumerate(names):
        lines += grid_lines([name or f"{parameter.name}.grad"], _row(before, row), None, "dim")
        lines += grid_lines(["  + new"], _row(part, row))
        lines += grid_lines(["  = sum"], _row(after, row), [marks[row]])
    return lines


def header_line(name: str, note: str, parameter: ParameterFrame, columns: int) -> Line:
    """Return the line above a parameter's rows: its name, and the columns' names if it has some.

    Args:
        name: Name at the left.
        note: Text at the right; empty to say how many columns are hidden.
        parameter: The parameter.
        columns: Number of columns that fit.
    """
    named = [Span(f"{text[:WIDEST]:>{WIDEST}} ", "label") for text in column_names(parameter)[:columns]]
    hidden = parameter.value.shape[-1] - columns if parameter.value.dim() else 0
    more = f" +{hidden} columns" if hidden > 0 else ""
    return line(Span(f"{name:<{LABEL}}", "key"), *named, Span(note or more, "dim"))


def _value_lines(parameter: ParameterFrame, columns: int) -> list[Line]:
    names = row_names(parameter)
    vector = names == [""]
    [grid] = number_grids([parameter.value], columns)
    marks = _marks(parameter.value_before, parameter.value, columns)
    head = header_line(parameter.name, "", parameter, columns)
    return [head, *grid_lines(["value"] if vector else names, grid, marks)]


def _grad_lines(parameter: ParameterFrame, columns: int, *, stacked: bool) -> list[Line]:
    label = f"{parameter.name}.grad"
    if parameter.grad is None:
        none = Span(f"{'None':>{WIDEST}}", "dim")
        return [line(Span(f"{label:<{LABEL}}", "key"), none, Span("*" * parameter.grad_changed, "mark"))]
    written = parameter.accumulation
    names = row_names(parameter)
    adds = written is not None and written.before is not None and bool(written.before.any())
    if stacked and adds:
        head = (
            [] if names == [""] else [line(Span(f"{label:<{LABEL}}", "key"), Span(" old + new = sum", "dim"))]
        )
        return [*head, *sum_lines(parameter, columns, names)]
    note = sum_note(parameter)
    [grid] = number_grids([parameter.grad], columns)
    marks = _all(grid, parameter.grad_changed)
    if names == [""] and len(label) < LABEL:
        return grid_lines([label], grid, marks, "dim" if parameter.grad_changed else "")
    head_line = line(Span(f"{label:<{LABEL}}", "key"), Span(f" {note}", "dim"))
    return [head_line, *grid_lines([name or "grad" for name in names], grid, marks)]


def _row(grid: NumberGrid, row: int) -> NumberGrid:
    return NumberGrid([grid.texts[row]], [grid.heats[row]])


def _all(grid: NumberGrid, marked: bool) -> list[list[bool]]:
    return [[marked] * len(row) for row in grid.texts]


def _marks(before: Tensor | None, after: Tensor, columns: int) -> list[list[bool]] | None:
    if before is None:
        return None
    old, new = cells_of(before, columns), cells_of(after, columns)
    return [[a != b for a, b in zip(x, y, strict=True)] for x, y in zip(old, new, strict=True)]
