"""Equations of a step as tables beside each other, with their signs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.equations.equation import Operator
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.text.lessons.brief_names import shortened_name
from gradstep_tui.text.lessons.equations import SIGNS, arithmetic, gradient_name, merged
from gradstep_tui.text.tensors.digits import number_text
from gradstep_tui.text.tensors.numbers import cell, is_tensor, shape_text
from gradstep_tui.widgets.lessons.parameter_changes import Accumulated, accumulation_lines
from gradstep_tui.widgets.steps.equation_table import (
    FOUR_DECIMALS,
    LEAST_ROOM,
    MOST_COLUMNS,
    EquationTable,
    ShownTables,
    chosen_cell,
    place_in,
    shown_tables,
    with_note,
)
from gradstep_tui.widgets.steps.matrix_product import DIGITS, PRODUCTS, factors_lines

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.equations.equation import Equation, Term
    from gradstep.problem import Labels

LEAST: Final = 3
"""Least number of lines in which an equation is drawn with its numbers."""

EXAMPLE: Final = "e.g. "
"""Word before the arithmetic of one element."""

WHOLE: Final = 1_000
"""Number of lines in which a step is drawn as a whole."""

LOCAL: Final = "local derivative"
"""Name of what a gradient is multiplied by, beside what it is in the script's names."""

CHANGED: Final = {
    Operator.CAST: ("as it arrived", "cast"),
    Operator.REPLACE: ("as it arrived", "from the hook"),
}
"""Words for a gradient of one name before and after."""

CHANGES: Final = {
    Operator.MOVE: "same numbers in other places",
    Operator.SAME: "passed on unchanged: × 1",
    Operator.SUM: "summed to the shape of",
    Operator.CAST: "cast to the dtype of",
    Operator.REPLACE: "a hook replaced it",
}
"""Words for an operator that has a single term."""


def equations_lines(
    equations: Sequence[Equation],
    fallback: str,
    width: int,
    height: int,
    chosen: int | None = None,
    labels: Mapping[str, Labels] | None = None,
) -> list[Line]:
    """Return the lines of all equations of an event, in as much detail as fits.

    Args:
        equations: The equations.
        fallback: Name of a tensor that the script has no name for.
        width: Largest width of a line, in cells.
        height: Number of lines that fit.
        chosen: Element of the result that is marked and explained, in reading order; None for the first,
            unmarked.
        labels: Names of the rows and columns of parameters.
    """
    written = _written(equations[0], labels or {}) if len(equations) == 1 else None
    if written is not None:
        mark = None if chosen is None else place_in(written.after, chosen)
        return accumulation_lines(written, width, height, mark)
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


def _written(equation: Equation, labels: Mapping[str, Labels]) -> Accumulated | None:
    """Return the write to a `.grad` that an equation is; None for others, and if there are no numbers."""
    part, after = equation.upstream.value, equation.downstream.value
    if equation.operator is not Operator.ACCUMULATE or equation.local is None:
        return None
    if not is_tensor(part) or not is_tensor(after) or part.is_meta or after.is_meta:
        return None
    before, name = equation.local.value, equation.downstream.name
    return Accumulated(name, labels.get(name, ()), before if is_tensor(before) else None, part, after)


def least_lines(equations: Sequence[Equation]) -> int:
    """Return the number of lines in which the equations of an event are drawn with numbers."""
    groups = [equation for equation, _ in merged(equations)]
    return (
        max(LEAST + (equation.operator in PRODUCTS) for equation in groups) + len(groups) - 1 if groups else 0
    )


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
    terms = [*_terms(equation), equation.downstream]
    heads = [*_heads(equation, fallback), gradient_name(equation.downstream.name, fallback)]
    if equation.operator in PRODUCTS and not _has_room(terms, heads, width, height):
        rows = _product_lines(equation, heads, width, height, chosen)
        if rows:
            return rows
    signs = [*([SIGNS.get(equation.operator, "")] * (len(terms) - 2)), "="]
    return _with_sum(equation, heads, signs, width, height, chosen)


def _terms(equation: Equation) -> list[Term]:
    """Return the terms before the equals sign, in their order."""
    if equation.operator is Operator.ADD:
        return [*equation.parts]
    if equation.local is None:
        return [equation.upstream]
    if equation.operator is Operator.MATMUL_LEFT:
        return [equation.local, equation.upstream]
    return [equation.upstream, equation.local]


def _heads(equation: Equation, fallback: str) -> list[str]:
    """Return the names of the terms before the equals sign."""
    if equation.operator is Operator.ADD:
        name = gradient_name(equation.downstream.name, fallback)
        return [f"{name}, path {number}" for number in range(1, len(equation.parts) + 1)]
    return [
        term.name or LOCAL if term is equation.local else gradient_name(term.name, fallback)
        for term in _terms(equation)
    ]


def _with_sum(
    equation: Equation,
    heads: Sequence[str],
    signs: Sequence[str],
    width: int,
    height: int,
    chosen: int | None,
) -> list[Line]:
    """Return terms and result as tables, one element in full arithmetic, and what is not shown."""
    terms = [*_terms(equation), equation.downstream]
    place = place_in(equation.downstream.value, chosen or 0)
    has_sum = bool(arithmetic(equation, place, width - len(EXAMPLE)))
    is_local = equation.operator in (Operator.TIMES, Operator.EXPAND) and equation.local is not None
    longer = [f"{head}, {LOCAL}" if is_local and at == 1 else head for at, head in enumerate(heads)]
    shown = _fitting(heads, terms, signs, width, height - has_sum, chosen, longer if is_local else ())
    told = _sum_line(equation, width, chosen, shown.layout.digits)
    return with_note([*shown.lines, *told], shown.note, width, height)


def _fitting(
    heads: Sequence[str],
    terms: Sequence[Term],
    signs: Sequence[str],
    width: int,
    height: int,
    chosen: int | None,
    longer: Sequence[str] = (),
) -> ShownTables:
    """Return tables beside each other with signs between them, as many columns of each as fit."""
    row, mark = chosen_cell(terms[-1].value, chosen)
    marks = [*([None] * (len(terms) - 1)), mark]
    tables = [
        EquationTable(head, term.value, height, row, marked)
        for head, term, marked in zip(heads, terms, marks, strict=True)
    ]
    return shown_tables(tables, signs, width, longer)


def _has_room(terms: Sequence[Term], heads: Sequence[str], width: int, height: int) -> bool:
    """Return whether the factors of a product can be drawn such that whole rows and columns are seen."""
    left, right = terms[0].value, terms[1].value
    if not is_tensor(left) or not is_tensor(right) or left.is_meta or right.is_meta:
        return True
    inner, columns = left.shape[-1], right.shape[-1] if right.dim() > 1 else 1
    if inner > min(MOST_COLUMNS, height - LEAST + 1) or columns > MOST_COLUMNS or left.dim() > 2:
        return False
    shown = _fitting(heads, terms, ["@", "="], width, height - 1, None)
    return shown.layout.columns >= max(inner, columns)


def _product_lines(
    equation: Equation, heads: Sequence[str], width: int, height: int, chosen: int | None
) -> list[Line]:
    """Return one number of a product with its row and column, then as much of the product as fits."""
    place = place_in(equation.downstream.value, chosen or 0)
    rows = factors_lines(equation, heads, place, width)
    if not rows:
        return []
    example = _sum_line(equation, width, chosen, DIGITS)
    is_cut = any("…" in span.text for spans in example for span in spans)
    told = [*rows, *example]
    if height <= LEAST:  # the factors say more than a sum that is cut
        told = (rows if is_cut and height == LEAST else [rows[0], *example])[: max(height, 1)]
    left = height - len(told)
    if height >= WHOLE:
        terms = [*_terms(equation), equation.downstream]
        shown = _fitting(heads, terms, ["@", "="], width, left - 1, chosen)
        return with_note([*told, line(" "), *shown.lines], shown.note, width, height)
    if left < LEAST:
        return told
    shown = _fitting(heads[-1:], [equation.downstream], [], width, left, chosen)
    return with_note([*told, *shown.lines], shown.note, width, height)


def _change_lines(
    equation: Equation, names: Sequence[str], fallback: str, width: int, height: int, chosen: int | None
) -> list[Line]:
    """Return the lines of a gradient that is passed on, moved, summed or cast."""
    targets = " and ".join(gradient_name(name, fallback) for name in names)
    arrived = gradient_name(equation.upstream.name, fallback)
    words = CHANGES[equation.operator]
    if equation.operator is Operator.SAME:
        first = [*wrapped(f"{arrived} = {targets}", width, "label", most=2), line(Span(words, "dim"))]
        return _numbers(equation.downstream.value, first, width, height, chosen)
    if arrived == targets:
        before, after = _told_apart(equation)
        arrived, targets = f"{arrived}, {before}", f"{targets}, {after}"
        return _with_sum(equation, [arrived, targets], ["→"], width, height, chosen)
    terms = [equation.upstream, equation.downstream]
    shown = _fitting([arrived, targets], terms, ["→"], width, height - 1, chosen)
    return with_note([line(Span(words, "dim")), *shown.lines][: max(height, 1)], shown.note, width, height)


def _told_apart(equation: Equation) -> tuple[str, str]:
    """Return words for a gradient of one name as it arrived, and as the engine or a hook made it."""
    before, after = equation.upstream.value, equation.downstream.value
    if equation.operator is not Operator.SUM or not is_tensor(before) or not is_tensor(after):
        return CHANGED.get(equation.operator, ("as it arrived", "now"))
    new = before.dim() - after.dim()
    dims = [dim for dim, size in enumerate(before.shape) if dim < new or size != after.shape[dim - new]]
    each = (
        ("of each row", "of each column")[dims[0]] if before.dim() == 2 and len(dims) == 1 else "of each copy"
    )
    return each, "summed"


def _rule_lines(equation: Equation, fallback: str, width: int, height: int, chosen: int | None) -> list[Line]:
    """Return the lines of a gradient that one formula makes as a whole."""
    arrived = gradient_name(equation.upstream.name, fallback)
    formula = f"g is {arrived}; {equation.formula}" if equation.formula else ""
    first = wrapped(formula, width, "label", most=2) if formula else []
    heads = [arrived, gradient_name(equation.downstream.name, fallback)]
    terms = [equation.upstream, equation.downstream]
    shown = _fitting(heads, terms, ["→"], width, height - len(first), chosen)
    return with_note([*first, *shown.lines][: max(height, 1)], shown.note, width, height)


def _numbers(
    value: Tensor | float | None, first: list[Line], width: int, height: int, chosen: int | None
) -> list[Line]:
    """Return lines, and below them as many rows of a tensor as fit."""
    room = height - len(first)
    if room < 1 or not is_tensor(value):
        return first
    row, mark = chosen_cell(value, chosen)
    shown = shown_tables([EquationTable("", value, room + 1, row, mark)], [], width)
    return with_note([*first, *shown.lines[1:]], shown.note, width, height)


def _sum_line(equation: Equation, width: int, chosen: int | None, digits: int) -> list[Line]:
    """Return the line with the arithmetic of the chosen element, or of the first; none if nothing says it."""
    place = place_in(equation.downstream.value, chosen or 0)
    head = EXAMPLE if chosen is None or not place else f"[{', '.join(map(str, place))}]: "
    write = cell if digits == FOUR_DECIMALS else partial(number_text, digits=digits)
    told = arithmetic(equation, place, width - len(head), write)
    return [line(Span(head, "dim"), told)] if told else []


def _short(equation: Equation, names: Sequence[str], fallback: str, width: int) -> Line:
    """Return an equation on one line, with the shape of what it makes in place of its numbers."""
    made = " and ".join(gradient_name(name, fallback) for name in names)
    value = equation.downstream.value
    shape = f" {shape_text(tuple(value.shape))}" if is_tensor(value) else ""
    heads = _heads(equation, fallback)
    if equation.operator is Operator.SAME:
        heads, shape = [made], f"  {CHANGES[Operator.SAME]}"
        made = gradient_name(equation.upstream.name, fallback)
    texts = [*heads, made]
    signs = [*([f" {SIGNS.get(equation.operator, '→')} "] * (len(heads) - 1)), " = ", ""]
    room = width - len(shape) - sum(map(len, signs))
    longest = max(map(len, texts))
    while longest > LEAST_ROOM and sum(min(len(text), longest) for text in texts) > room:
        longest -= 1
    names_ = [shortened_name(text, longest) for text in texts]
    told = "".join(part for pair in zip(names_, signs, strict=True) for part in pair)
    return line(Span(told, "label"), Span(shape, "dim"))
