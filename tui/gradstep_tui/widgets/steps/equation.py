"""Equations of a step as tables beside each other, with their signs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep.equations.equation import Operator
from gradstep_tui.drawing.lines import Line, Span, beside, length, line, wrapped
from gradstep_tui.text.lessons.equations import SIGNS, arithmetic, gradient_name, merged, shortened_name
from gradstep_tui.text.tensors.numbers import cell, cells, is_tensor, row_count, shape_text
from gradstep_tui.text.tensors.values import value_text

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.equations.equation import Equation, Term

MOST_COLUMNS: Final = 6
"""Largest number of a table's columns that are drawn."""

ROOMS: Final = (60, 40, 28, 20)
"""Widths of the names above tables that are tried, before fewer columns are drawn."""

LEAST_ROOM: Final = 14
"""Width of the names if not even two columns fit otherwise: a name is worth more than a third column."""

LAYOUTS: Final = (
    *product(range(MOST_COLUMNS, 1, -1), ROOMS),
    *product(range(MOST_COLUMNS, 0, -1), (LEAST_ROOM,)),
)
"""Numbers of columns, with widths of names, in the order in which they are tried."""

LEAST: Final = 3
"""Least number of lines in which an equation is drawn with its numbers."""

GAP: Final = 2
"""Cells between a table and the sign beside it."""

EXAMPLE: Final = "e.g. "
"""Word before the arithmetic of one element."""

CHANGES: Final = {
    Operator.MOVE: "same numbers in other places",
    Operator.SAME: "passed on unchanged: × 1",
    Operator.SUM: "summed to the shape of",
    Operator.CAST: "cast to the dtype of",
    Operator.REPLACE: "a hook replaced it",
}
"""Words for an operator that has a single term."""


def equations_lines(
    equations: Sequence[Equation], fallback: str, width: int, height: int, chosen: int | None = None
) -> list[Line]:
    """Return the lines of all equations of an event, in as much detail as fits.

    Args:
        equations: The equations.
        fallback: Name of a tensor that the script has no name for.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        chosen: Element of the result that is marked and explained, in reading order; None for the first,
            unmarked.
    """
    groups = [*merged(equations)]
    if len(groups) == 1:
        equation, names = groups[0]
        return equation_lines(equation, names, fallback, width, height, chosen)
    short = [group for group in groups if group[0].operator is Operator.SAME]
    tall = [group for group in groups if group[0].operator is not Operator.SAME]
    while len(tall) > 1 and (height - len(short)) // len(tall) < LEAST:
        short.append(tall.pop())
    lines = list[Line]()
    room = (height - len(short)) // max(len(tall), 1)
    for equation, names in tall:
        lines += equation_lines(equation, names, fallback, width, room, chosen)
    return [*lines, *(_short(equation, names, fallback, width) for equation, names in short)]


def equation_lines(
    equation: Equation,
    names: Sequence[str],
    fallback: str,
    width: int,
    height: int,
    chosen: int | None = None,
) -> list[Line]:
    """Return the lines of one equation: its terms as tables, then one element in full arithmetic."""
    if equation.operator in CHANGES:
        return _change_lines(equation, names, fallback, width, height, chosen)
    if equation.operator is Operator.RULE:
        return _rule_lines(equation, fallback, width, height, chosen)
    sum_line = _sum_line(equation, width, chosen)
    tables = height - len(sum_line)
    return [*_tables(equation, fallback, width, tables, chosen), *sum_line]


def _terms(equation: Equation) -> list[Term]:
    """Return the terms before the equals sign, in their order."""
    if equation.operator is Operator.ADD:
        return [*equation.parts]
    if equation.local is None:
        return [equation.upstream]
    if equation.operator in (Operator.MATMUL_LEFT, Operator.ACCUMULATE):
        return [equation.local, equation.upstream]
    return [equation.upstream, equation.local]


def _tables(equation: Equation, fallback: str, width: int, height: int, chosen: int | None) -> list[Line]:
    """Return the terms and the result as tables beside each other."""
    terms = [*_terms(equation), equation.downstream]
    heads = [_head(equation, term, fallback) for term in terms]
    if equation.operator is Operator.ACCUMULATE:
        heads[-1] = f"{equation.downstream.name}.grad"
    sign = SIGNS.get(equation.operator, "")
    return _fitting(heads, terms, [*([sign] * (len(terms) - 2)), "="], width, height, chosen)


def _fitting(
    heads: Sequence[str],
    terms: Sequence[Term],
    signs: Sequence[str],
    width: int,
    height: int,
    chosen: int | None,
) -> list[Line]:
    """Return tables beside each other with signs between them, as many columns of each as fit."""
    row, mark = _chosen_cell(terms[-1].value, chosen)
    marks = [*([None] * (len(terms) - 1)), mark]
    tables = [
        _Table(head, term.value, _shown(term.value, height, row), height, marked)
        for head, term, marked in zip(heads, terms, marks, strict=True)
    ]
    between = sum(2 * GAP + length(line(sign)) for sign in signs)
    fitting = (
        layout for layout in LAYOUTS if sum(table.width(*layout) for table in tables) + between <= width
    )
    layout = next(fitting, LAYOUTS[-1])
    return _joined([table.lines(*layout)[: max(height, 1)] for table in tables], signs)


def _joined(blocks: Sequence[list[Line]], signs: Sequence[str]) -> list[Line]:
    """Return tables beside each other, with a sign between each and the next, in the first row of numbers.

    If there is no room for numbers, the signs stand between the names.
    """
    joined = blocks[0]
    above = [] if all(len(block) == 1 for block in blocks) else [line(" ")]
    for sign, block in zip(signs, blocks[1:], strict=True):
        joined = beside(beside(joined, [*above, line(Span(sign, "key"))], GAP), block, GAP)
    return joined


def _head(equation: Equation, term: Term, fallback: str) -> str:
    if equation.operator is Operator.ACCUMULATE:
        return f"{term.name}.grad before" if term is equation.local else f"new {gradient_name(term.name)}"
    if term is equation.local:
        return term.name or "local derivative"
    return gradient_name(term.name, fallback)


class _Shown(NamedTuple):
    """The rows of a table that are drawn; what a large tensor has beside them is not made to text."""

    first: int
    """Number of the first one."""

    rows: list[list[str]]
    """At most `MOST_COLUMNS` numbers of each."""


def _shown(value: Tensor | float | None, height: int, row: int) -> _Shown:
    """Return as many rows of a tensor as fit below its name, from the chosen row on or the last ones."""
    if not is_tensor(value) or value.is_meta:
        return _Shown(0, [])
    count, room = row_count(value), max(height - 1, 1)
    first = min(row, max(count - room, 0))
    return _Shown(first, cells(value, room, MOST_COLUMNS, first))


@dataclass(slots=True)
class _Table:
    """A table: a name above, then as many rows as fit."""

    head: str
    value: Tensor | float | None
    shown: _Shown
    height: int
    """Number of lines that fit."""

    mark: tuple[int, int] | None = None
    """Row and column of the marked number; None for none."""

    _widths: dict[int, int] = field(default_factory=dict)
    """Width of the widest number among so many columns."""

    def width(self, columns: int, room: int) -> int:
        """Return the width with so many columns at the most and a name of so many cells at the most."""
        title = length(line(shortened_name(self.head, room)))
        if not is_tensor(self.value) or self.value.is_meta:
            return max(length(spans) for spans in self.lines(columns, room))
        count = min(columns, max(map(len, self.shown.rows), default=0))
        return max(title, count * (1 + self._wide(columns)) + 2 * self._has_more(columns))

    def lines(self, columns: int, room: int) -> list[Line]:
        """Return the table."""
        title, value = Span(shortened_name(self.head, room), "label"), self.value
        if not is_tensor(value):
            assert value is None or isinstance(value, int | float)
            return [line(title), line(f" {cell(value)}")]
        if value.is_meta:  # a trace that passed its limit keeps summaries in place of numbers
            told = wrapped(value_text(value), room - 1, most=max(self.height - 1, 1))
            return [line(title), *(line(" ", *spans) for spans in told)]
        wide, more = self._wide(columns), Span(" …" if self._has_more(columns) else "", "dim")
        drawn = []
        for row, numbers in enumerate(self.shown.rows, self.shown.first):
            spans = [
                Span(f"{number:>{wide}}", "current" if (row, column) == self.mark else "")
                for column, number in enumerate(numbers[:columns])
            ]
            drawn.append(line(*(piece for span in spans for piece in (Span(" "), span)), more))
        return [line(title), *drawn]

    def _wide(self, columns: int) -> int:
        if columns not in self._widths:
            numbers = (number for row in self.shown.rows for number in row[:columns])
            self._widths[columns] = max(map(len, numbers), default=1)
        return self._widths[columns]

    def _has_more(self, columns: int) -> bool:
        return is_tensor(self.value) and self.value.dim() > 0 and self.value.shape[-1] > columns


def _change_lines(
    equation: Equation, names: Sequence[str], fallback: str, width: int, height: int, chosen: int | None
) -> list[Line]:
    """Return the lines of a gradient that is passed on, moved, summed or cast."""
    targets = " and ".join(gradient_name(name, fallback) for name in names)
    arrived = gradient_name(equation.upstream.name, fallback)
    words = CHANGES[equation.operator]
    if equation.operator in (Operator.SUM, Operator.CAST):
        words = f"{words} {names[0] or fallback}"
    if equation.operator is Operator.SAME:
        first = [*wrapped(f"{arrived} = {targets}", width, "label", most=2), line(Span(words, "dim"))]
        return [*first, *_numbers(equation.downstream.value, height - len(first), width, chosen)]
    tail = _sum_line(equation, width, chosen)
    terms = [equation.upstream, equation.downstream]
    tables = _fitting([arrived, targets], terms, ["→"], width, height - 1 - len(tail), chosen)
    return [line(Span(words, "dim")), *tables, *tail][: max(height, 1)]


def _rule_lines(equation: Equation, fallback: str, width: int, height: int, chosen: int | None) -> list[Line]:
    """Return the lines of a gradient that one formula makes as a whole."""
    arrived = gradient_name(equation.upstream.name, fallback)
    formula = f"g is {arrived}; {equation.formula}" if equation.formula else ""
    first = wrapped(formula, width, "label", most=2) if formula else []
    heads = [arrived, gradient_name(equation.downstream.name, fallback)]
    terms = [equation.upstream, equation.downstream]
    return [*first, *_fitting(heads, terms, ["→"], width, height - len(first), chosen)][: max(height, 1)]


def _numbers(value: Tensor | float | None, height: int, width: int, chosen: int | None) -> list[Line]:
    if height < 1 or not is_tensor(value):
        return []
    row, mark = _chosen_cell(value, chosen)
    return _Table("", value, _shown(value, height + 1, row), height + 1, mark).lines(MOST_COLUMNS, width)[1:]


def _sum_line(equation: Equation, width: int, chosen: int | None) -> list[Line]:
    """Return the line with the arithmetic of the chosen element, or of the first; none if nothing says it."""
    place = _place_in(equation.downstream.value, chosen or 0)
    head = EXAMPLE if chosen is None or not place else f"[{', '.join(map(str, place))}]: "
    told = arithmetic(equation, place, width - len(head))
    return [line(Span(head, "dim"), told)] if told else []


def _short(equation: Equation, names: Sequence[str], fallback: str, width: int) -> Line:
    """Return an equation on one line, with the shape of what it makes in place of its numbers."""
    made = " and ".join(gradient_name(name, fallback) for name in names)
    value = equation.downstream.value
    shape = f" {shape_text(tuple(value.shape))}" if is_tensor(value) else ""
    heads = [_head(equation, term, fallback) for term in _terms(equation)]
    if equation.operator is Operator.SAME:
        heads, shape = [made], f"  {CHANGES[Operator.SAME]}"
        made = gradient_name(equation.upstream.name, fallback)
    text = f" {SIGNS.get(equation.operator, '→')} ".join(heads)
    room = max(width - len(shape), 8)
    return line(Span(shortened_name(f"{text} = {made}", room), "label"), Span(shape, "dim"))


def _place_in(value: Tensor | float | None, number: int) -> tuple[int, ...]:
    """Return the index of an element of a tensor, counted in reading order; after the last, of the last."""
    if not is_tensor(value) or not value.dim() or not value.numel():
        return ()
    number, index = min(number, value.numel() - 1), list[int]()
    for size in reversed(value.shape):
        number, place = divmod(number, size)
        index.append(place)
    return tuple(reversed(index))


def _chosen_cell(value: Tensor | float | None, chosen: int | None) -> tuple[int, tuple[int, int] | None]:
    """Return the row that is seen for sure of a tensor's table, and row and column of the marked number."""
    place = _place_in(value, chosen or 0)
    if not is_tensor(value) or not place:
        return 0, None
    row = 0
    for size, at in zip(value.shape[:-1], place, strict=False):
        row = row * size + at
    return row, None if chosen is None else (row, place[-1])
