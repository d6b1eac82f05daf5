"""Finds the choices about a CSV file that mend all its cells that are not numbers, at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from gradstep.tables.csv_cells import Notation, ambiguous, formats_of, is_missing
from gradstep.tables.csv_choice import Column, ColumnKind
from gradstep.tables.csv_reader import Grid
from gradstep.tables.table import Table

MOST_TEXTS: Final = 50
"""Different texts in a column that become columns of zeros and ones at most."""

LOOKED_AT: Final = 1000
"""Rows of which the notation of the numbers is guessed."""

NOTATIONS: Final = (
    *(Notation(".", ","), Notation(",", "."), Notation(","), Notation(".", " "), Notation(",", " ")),
    *(Notation(".", "'"), Notation(",", "'"), Notation(".", "_")),
)


def decimal_in(grid: Grid, used: Sequence[Column]) -> str:
    """Return the decimal sign; a comma if numbers have commas and no points, and no comma separates cells."""
    if grid.separator == ",":
        return "."
    commas = points = False
    for column in used:
        if column.kind is ColumnKind.NUMBER:
            for text in _texts(grid, column):
                commas = commas or bool(re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", text))
                points = points or bool(re.fullmatch(r"[+-]?\d*\.\d*([eE][+-]?\d+)?", text))
    return "," if commas and not points else "."


def remedies(grid: Grid, used: Sequence[Column], notation: Notation, most_numbers: int) -> tuple[Table, ...]:
    """Return choices that mend every cell of the columns in use, the most likely first.

    Args:
        grid: Cells of the file.
        used: Columns in use.
        notation: Signs with which numbers are read so far.
        most_numbers: Largest number of numbers that the file may become.
    """
    better = _notations(grid, used, notation)
    days, one_hot, drop = _ways(grid, used, better[0], most_numbers)
    if all(column.is_target or column.reference in drop for column in used):
        return ()
    kept = [column for column in used if column.reference not in drop]
    lacking = _lacking(grid, kept)
    drop += lacking[0]
    one_hot = [name for name in one_hot if name not in drop]
    days = [name for name in days if name.rpartition("=")[0] not in drop and name not in drop]
    skip = lacking[1]
    found = [
        Table(
            days=tuple(days),
            one_hot=tuple(one_hot),
            drop=tuple(drop),
            skip_incomplete=skip,
            decimal=other.decimal if other.decimal != notation.decimal else None,
            thousands=other.thousands if other.thousands != notation.thousands else None,
        )
        for other in better
    ]
    targets = {column.reference for column in used if column.is_target}
    if one_hot and not targets & set(one_hot) and len(targets) + len(drop) + len(one_hot) < len(used):
        found.append(replace(found[0], one_hot=(), drop=(*drop, *one_hot)))
    return tuple(choice for choice in found if choice != Table())


def _ways(
    grid: Grid, used: Sequence[Column], notation: Notation, most_numbers: int
) -> tuple[list[str], list[str], list[str]]:
    """Return the columns of dates, of a few texts, and those that can only be left out."""
    days, one_hot, drop = list[str](), list[str](), list[str]()
    room = most_numbers // len(grid.rows) - len(used)
    for column in used:
        if column.kind is not ColumnKind.NUMBER:
            continue
        present = [cell for cell in _texts(grid, column) if not is_missing(cell, number=True)]
        if all(notation.number(cell) is not None for cell in present):
            continue
        different = list(dict.fromkeys(present))
        formats = formats_of(different)
        if formats:
            form = f"={formats[0]}" if ambiguous(formats, different) else ""
            days.append(f"{column.reference}{form}")
        elif _is_text(present, different, notation, column) and len(different) <= room + 1:
            room -= len(different) - 1
            one_hot.append(column.reference)
        elif not column.is_target:
            drop.append(column.reference)
    return days, one_hot, drop


def skipping(grid: Grid, used: Sequence[Column], notation: Notation) -> tuple[Table, ...]:
    """Return the columns to leave out so that enough rows have a value in each of the others."""
    drop, _ = _lacking(grid, used)
    return (Table(drop=tuple(drop)),) if drop else ()


def _texts(grid: Grid, column: Column, most: int | None = None) -> list[str]:
    return [row.cells[column.place] for row in grid.rows[:most] if column.place < len(row.cells)]


def _is_text(present: Sequence[str], different: Sequence[str], notation: Notation, column: Column) -> bool:
    """Return whether a column repeats a few texts, rather than being numbers with a mistake."""
    numbers = sum(notation.number(cell) is not None for cell in present)
    few = 2 <= len(different) <= MOST_TEXTS and (len(different) <= len(present) / 2 or column.is_target)
    return few and numbers < len(present) / 2


def _notations(grid: Grid, used: Sequence[Column], notation: Notation) -> list[Notation]:
    """Return the notations in which more columns are numbers than in the present one; else only that one."""
    columns = [
        [cell for cell in _texts(grid, column, LOOKED_AT) if not is_missing(cell, number=True)]
        for column in used
        if column.kind is ColumnKind.NUMBER
    ]
    counts = {
        other: sum(all(other.number(cell) is not None for cell in cells) for cells in columns)
        for other in (notation, *NOTATIONS)
    }
    most = max(counts.values())
    if counts[notation] == most:
        return [notation]
    best = [other for other, count in counts.items() if count == most]
    # The sign that groups digits is only named if it is needed, except for a comma, which may be either.
    plain = [other for other in best if other.thousands is None]
    if not plain:
        return best[:1]
    return [best[0], plain[0]] if best[0] == NOTATIONS[0] else plain[:1]


def _lacking(grid: Grid, used: Sequence[Column]) -> tuple[list[str], bool]:
    """Return columns to leave out because most rows lack them, and whether rows then still lack a value."""
    lacking = {
        column: {
            row.number
            for row in grid.rows
            if column.place >= len(row.cells)
            or is_missing(row.cells[column.place], number=column.kind is not ColumnKind.ONE_HOT)
        }
        for column in used
    }
    drop = list[str]()
    while True:
        rows = set[int]().union(*lacking.values())
        inputs = {column: missing for column, missing in lacking.items() if not column.is_target and missing}
        if 2 * len(rows) <= len(grid.rows) + 1 or not inputs:
            return drop, bool(rows)
        worst = max(inputs, key=lambda column: len(inputs[column]))
        drop.append(worst.reference)
        del lacking[worst]
