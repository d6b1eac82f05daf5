"""Turns the chosen columns of a CSV file into numbers, or says which cell is not one."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput
from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.tables.csv_cells import Notation, ambiguous, formats_of, is_missing, moment
from gradstep.tables.csv_choice import LONGEST_NAME, Column, ColumnKind, chosen_columns
from gradstep.tables.csv_reader import Grid, Row, read_grid
from gradstep.tables.csv_remedies import MOST_TEXTS, decimal_in, remedies, skipping
from gradstep.tables.table import Table, check_signs
from gradstep.tables.table_error import TableError

MOST_NUMBERS: Final = 1_000_000
"""Largest number of cells in use; every forward pass uses all of them."""

SHOWN: Final = 40
"""Characters of a bad cell that a message quotes at most."""

DAY: Final = 86400
CORRECT: Final = (
    "Every column that is not a target is an input and needs numbers: correct the cell, or remove its row or "
    "its column from the file."
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers, made of a column of a CSV file."""

    name: str
    is_target: bool
    values: tuple[float, ...]
    """A number for each row; each fits into single precision."""

    expression: str
    """Python expression that makes the number of `row`, a list of texts."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Content of a CSV file as numbers: inputs in the order of the file, then targets as chosen."""

    grid: Grid
    notation: Notation
    used: tuple[Column, ...]
    """Columns of the file of which the numbers are made."""

    numbers: tuple[Numbers, ...]
    notes: tuple[str, ...]


def read_columns(path: Path, table: Table) -> Columns:
    """Read the chosen columns of a CSV file.

    Raises:
        ScriptError: The file cannot be read, a choice does not fit it, or a cell in use is not what it has to
            be; the message names the line of the file, the row of numbers and the column.
    """
    try:
        check_signs(table)
    except BadInput as error:
        raise ScriptError(path, str(error)) from None
    grid = read_grid(path, table)
    used, notes = chosen_columns(grid, table)
    rows = list(grid.rows)
    if table.skip_incomplete:
        rows = [row for row in rows if all(has_value(row, column) for column in used)]
        notes += _notes_on_skipped(grid, rows)
        if not rows:
            words = "each row lacks a value in a column in use"
            raise TableError(path, words, choices=skipping(grid, used, Notation()))
    if len(rows) * len(used) > MOST_NUMBERS:
        sentence, place = (
            "Train on some of the rows, or on fewer columns.",
            rows[MOST_NUMBERS // len(used)].place,
        )
        raise ScriptError(path, f"there are more than {MOST_NUMBERS:,} numbers", sentence, place=place)
    notation = Notation(table.decimal or _decimal(grid, used, table.thousands), table.thousands)
    if table.decimal is None and table.thousands != "." and notation.decimal == ",":
        notes.append("Commas in numbers are read as decimal commas.")
    _check_cells(grid, used, rows, notation, table)
    numbers = [made for column in used for made in _numbers(grid, column, rows, notation)]
    _check_expanded(path, numbers)
    return Columns(grid, notation, tuple(used), tuple(numbers), tuple(notes))


def _decimal(grid: Grid, used: Sequence[Column], thousands: str | None) -> str:
    """Return the decimal sign: the other one of comma and point if one of them groups digits."""
    other = {",": ".", ".": ","}.get(thousands or "")
    return other or decimal_in(grid, used)


def has_value(row: Row, column: Column) -> bool:
    """Return whether a row has a value in a column."""
    number = column.kind is not ColumnKind.ONE_HOT
    return column.place < len(row.cells) and not is_missing(row.cells[column.place], number=number)


def single(value: float) -> bytes | None:
    """Return the bytes of a number in single precision, or None if it is too large."""
    try:
        return struct.pack("<f", value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _notes_on_skipped(grid: Grid, rows: Sequence[Row]) -> list[str]:
    kept = {row.number for row in rows}
    lines = [str(row.line) for row in grid.rows if row.number not in kept]
    if not lines:
        return []
    more = f" and {len(lines) - 10:,} more" if len(lines) > 10 else ""
    lack = "lacks a value and is" if len(lines) == 1 else "lack a value and are"
    where = f"line{'s' * (len(lines) > 1)} {', '.join(lines[:10])}{more}"
    return [f"{len(lines):,} of {len(grid.rows):,} rows {lack} left out ({where})."]


def _check_cells(
    grid: Grid, used: Sequence[Column], rows: Sequence[Row], notation: Notation, table: Table
) -> None:
    """Check each cell in the order of the file.

    Raises:
        ScriptError: A cell in use has no value, or is not a finite number that fits into single precision.
    """
    in_order = sorted(used, key=lambda column: column.place)
    for row in rows:
        for column in in_order:
            text = row.cells[column.place]
            if column.kind is ColumnKind.NUMBER:
                value = notation.number(text)
                if value is not None and single(value) is not None:
                    continue
            elif has_value(row, column):
                continue
            raise _bad_cell(grid, used, notation, table, row, column)


def _bad_cell(
    grid: Grid, used: Sequence[Column], notation: Notation, table: Table, row: Row, column: Column
) -> ScriptError:
    text = row.cells[column.place]
    place = f"{row.place}, column {column.name}"
    value = notation.number(text)
    if value is not None and any(map(str.isdigit, text)):
        sentence = "The largest float32 is about 3.4e+38: scale the column down."
        return ScriptError(grid.path, f"{text[:SHOWN]} is too large for float32", sentence, place=place)
    quoted = ascii(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
    words = f"the number is {text}" if value is not None else f"{quoted} is not a number"
    if not text:
        words = "the cell is empty"
    elif column.kind is not ColumnKind.NUMBER:
        words = f"{quoted} stands for a value that is missing"
    choices = remedies(grid, used, notation, MOST_NUMBERS)
    sentence = CORRECT
    if (
        text
        and row.number == 1
        and not table.header
        and has_value(row, column)
        and _has_numbers_below(grid, column, notation)
    ):
        sentence = "The first line seems to name the columns."
        return ScriptError(grid.path, words, sentence, Remedy.LINE_OF_NAMES, place=place)
    return TableError(grid.path, words, sentence, place=place, choices=choices)


def _has_numbers_below(grid: Grid, column: Column, notation: Notation) -> bool:
    """Return whether cells below the first line of a column are numbers."""
    rest = [row.cells[column.place] for row in grid.rows[1:100] if column.place < len(row.cells)]
    return any(notation.number(text) is not None for text in rest)


def _numbers(grid: Grid, column: Column, rows: Sequence[Row], notation: Notation) -> list[Numbers]:
    texts = [row.cells[column.place] for row in rows]
    cell = f"row[{column.place}]"
    match column.kind:
        case ColumnKind.NUMBER:
            values = tuple(number for text in texts if (number := notation.number(text)) is not None)
            reads = "float" if notation == Notation() else "number"
            return [Numbers(column.name, column.is_target, values, f"{reads}({cell})")]
        case ColumnKind.ONE_HOT:
            return _one_hot(grid, column, texts, cell)
        case ColumnKind.DAYS:
            return [_days(grid, column, rows, texts, cell)]


def _one_hot(grid: Grid, column: Column, texts: Sequence[str], cell: str) -> list[Numbers]:
    found = sorted(set(texts), key=lambda text: (Notation().number(text) or 0.0, text))
    if len(found) > MOST_TEXTS:
        words = f"the column {column.name} has {len(found):,} different texts, more than {MOST_TEXTS}"
        raise TableError(grid.path, words, choices=(Table(drop=(column.reference,)),))
    return [
        Numbers(
            f"{column.name}={text}",
            column.is_target,
            tuple(float(each == text) for each in texts),
            f"float({cell}.strip() == {text!r})",
        )
        for text in found
    ]


def _days(grid: Grid, column: Column, rows: Sequence[Row], texts: Sequence[str], cell: str) -> Numbers:
    form = column.form or _format_of(grid, column, texts)
    dates = list[datetime]()
    for row, text in zip(rows, texts, strict=True):
        date = moment(text, form)
        if date is None:
            place = f"{row.place}, column {column.name}"
            raise ScriptError(grid.path, f"{text[:SHOWN]!r} is not a date of the form {form}", place=place)
        dates.append(date)
    first = min(dates)
    values = tuple((date - first).total_seconds() / DAY for date in dates)
    return Numbers(column.name, column.is_target, values, f"days({cell}, {form!r}, {first!r})")


def _format_of(grid: Grid, column: Column, texts: Sequence[str]) -> str:
    formats = formats_of(list(dict.fromkeys(texts)))
    if not formats:
        words = f"the dates in the column {column.name} do not have one known form, e.g. {texts[0][:SHOWN]!r}"
        sentence = f"Give it after an equals sign, e.g. {column.reference}=%d.%m.%Y."
        raise ScriptError(grid.path, words, sentence)
    if ambiguous(formats, texts):
        words = f"the column {column.name} does not tell days from months, e.g. in {texts[0][:SHOWN]!r}"
        choices = tuple(Table(days=(f"{column.reference}={form}",)) for form in formats)
        raise TableError(grid.path, words, choices=choices)
    return formats[0]


def _check_expanded(path: Path, numbers: Sequence[Numbers]) -> None:
    names = [made.name for made in numbers]
    for made in numbers:
        if not made.name.isprintable() or len(made.name) > 2 * LONGEST_NAME:
            raise ScriptError(
                path, f"a text is too long, or has control characters: {ascii(made.name)[:SHOWN]}"
            )
        if names.count(made.name) > 1:
            raise ScriptError(path, f"two columns would be called {made.name!r}", "Rename one of them.")
    if numbers and len(numbers) * len(numbers[0].values) > MOST_NUMBERS:
        raise ScriptError(path, f"there are more than {MOST_NUMBERS:,} numbers", "Train on fewer columns.")
