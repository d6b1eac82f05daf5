"""Draws the ledger of a `.grad`: every write to one of its elements, as a line of arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from gradstep.ledger.ledger import Forgotten, Hooked, Rewritten, Unrecorded, Write, Zeroed, since_zeroing
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.drawing.number_grid import LABEL
from gradstep_tui.text.frames import forgotten_text, passes_texts, unrecorded_text
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.grids import Element, column_names, grid_size, row_name
from gradstep_tui.text.tensors.numbers import WIDEST, cell

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame
    from gradstep.ledger.ledger import Ledger
    from gradstep.ledger.ledger import Line as Fact

MOST_LINES: Final = 1_000
"""Largest number of entries of the ledger that are drawn; the newest ones are."""

MOST_ROWS: Final = 6
"""Largest number of rows of a `.grad` that are drawn, up to the chosen element's row."""


def ledger_lines(
    parameter: ParameterFrame,
    ledger: Ledger,
    at: Element,
    back: int,
    width: int,
    height: int,
    unit: str = EPOCH,
) -> list[Line]:
    """Return the lines that show a parameter's `.grad` and every write to one of its elements.

    Args:
        parameter: The parameter.
        ledger: Record of all writes to each `.grad`.
        at: The chosen element.
        back: Number of lines to scroll back from the newest.
        width: Width of a line, in cells.
        height: Number of lines that fit.
        unit: Word for an epoch.
    """
    newest_first = list(islice(ledger.newest_first(parameter.name), MOST_LINES))
    grid = [*_grad_lines(parameter, at, width), *_memory_lines(parameter, at, width)]
    rows = [row for fact in reversed(newest_first) for row in fact_lines(fact, at, width, unit)]
    summary = sum_lines(since_zeroing(iter(newest_first)), at, width)
    head = [line(Span(f"{_name(parameter, at)}: every write so far", "label"))]
    room = max(height - len(grid) - len(head) - len(summary) - 1, 1)
    last = max(len(rows) - back, min(room, len(rows)))
    hidden = max(last - room, 0)
    shown = rows[hidden:last] or [
        line(Span(" nothing yet: .grad is None until the first backward pass", "dim"))
    ]
    if hidden:
        shown[0] = line(Span(f" … {hidden + 1} lines above (PgUp)", "dim"))
    return [*grid, line(), *head, *shown, *summary]


def fact_lines(fact: Fact, at: Element, width: int, unit: str = EPOCH) -> list[Line]:
    """Return the lines for an entry of the ledger, with the paths that were summed inside a pass below."""
    match fact:
        case Write():
            head = Span(f" {f'pass {fact.number}, {unit} {fact.epoch}':<19}", "label")
            old, new, total = (
                f"{_at(tensor, at):>{WIDEST}}" for tensor in (fact.before, fact.part, fact.after)
            )
            event = Span(f"  event {fact.event}", "dim")
            if fact.share is not None:
                event = Span(f"  part {fact.share[0]} of {fact.share[1]}", "key")
            return [line(head, f"{old} + {new} = {total}", event), *_path_lines(fact, at, width)]
        case Zeroed():
            how = "set to None" if fact.after is None else "zero_()"
            return [_change_line(how, fact.before, fact.after, at)]
        case Rewritten():
            return [_change_line("a statement", fact.before, fact.after, at)]
        case Hooked():
            return [_change_line("a hook", fact.before, fact.after, at)]
        case Unrecorded():
            return wrapped(f" {unrecorded_text(fact, at, unit)}", width, "dim")
        case Forgotten():
            return wrapped(f" {forgotten_text(fact)}", width, "dim")


def sum_lines(parts: Sequence[Write], at: Element, width: int) -> list[Line]:
    """Return the lines that write `.grad` as a sum over passes; no lines if at most one pass contributed."""
    texts = passes_texts(parts, at)
    if texts is None:
        return []
    words, arithmetic = texts
    return [line(), *wrapped(words, width, "key"), *wrapped(f" {arithmetic}", width)]


def _change_line(cause: str, before: Tensor | None, after: Tensor | None, at: Element) -> Line:
    return line(Span(f" {cause:<19}", "label"), f"{_at(before, at):>{WIDEST}} becomes {_at(after, at)}")


def _path_lines(write: Write, at: Element, width: int) -> list[Line]:
    if not write.paths:
        return []
    head = f"   inside this pass, {len(write.paths)} paths were summed to {_at(write.part, at)}:"
    rows = [
        line(f"   {sign} {_at(path.grad, at):>{WIDEST}}", Span(f"  {path.maker}  {path.source}", "dim"))
        for sign, path in zip([" ", *"+" * len(write.paths)], write.paths, strict=False)
    ]
    return [*wrapped(head, width, "dim"), *rows]


def _grad_lines(parameter: ParameterFrame, at: Element, width: int) -> list[Line]:
    columns = max((width - LABEL) // (WIDEST + 2), 1)
    first = max(at.column - columns + 1, 0)
    name = f"{parameter.name}.grad"
    if parameter.grad is None:
        return [line(Span(f"{name:<{LABEL}}", "key"), Span(" None", "dim"))]
    labels = column_names(parameter)[first : first + columns]
    top = max(at.row - MOST_ROWS + 1, 0)
    head = [Span(f" {text[:WIDEST]:>{WIDEST}} ", "label") for text in labels]
    rows = [line(Span(f"{name:<{LABEL}}", "key"), *head)]
    height, wide = grid_size(parameter.grad)
    for row in range(top, min(top + MOST_ROWS, height)):
        spans = [Span(f" {row_name(parameter, row)[: LABEL - 1]:<{LABEL - 1}}", "label")]
        for column in range(first, min(first + columns, wide)):
            place = Element(row, column)
            left, right = ("[", "]") if place == at else (" ", " ")
            number = cell(place.of(parameter.grad))
            spans.append(Span(f"{left}{number:>{WIDEST}}{right}", "current" if place == at else ""))
        rows.append(tuple(spans))
    return rows


def _memory_lines(parameter: ParameterFrame, at: Element, width: int) -> list[Line]:
    """Return the lines with the optimizer's state for the chosen element; no lines if it has no state."""
    numbers = {
        part: cell(at.of(tensor)) if tensor.dim() else f"{tensor.item():g}"
        for part, tensor in parameter.memory.items()
    }
    listed = ", ".join(f"{part} {number}" for part, number in numbers.items())
    return wrapped(f" optimizer state: {listed}", width) if listed else []


def _name(parameter: ParameterFrame, at: Element) -> str:
    row, columns = row_name(parameter, at.row), column_names(parameter)
    column = columns[at.column] if at.column < len(columns) else f"[{at.column}]"
    where = ", ".join(text for text in (row, column if parameter.value.dim() else "") if text)
    return f"{parameter.name}.grad  {where}".rstrip()


def _at(tensor: Tensor | None, at: Element) -> str:
    return cell(at.of(tensor))
