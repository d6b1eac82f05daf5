"""Writes the lines of a script that read a CSV file as gradstep read it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from gradstep.tables.csv_cells import MISSING, MISSING_NUMBERS, Notation
from gradstep.tables.csv_choice import ColumnKind
from gradstep.tables.csv_columns import Columns
from gradstep.tables.table import Table


def reading(columns: Columns, table: Table, width: int) -> Iterator[str]:
    """Yield lines that assign `inputs` and `targets`; lines of texts have `width` characters at most."""
    grid = columns.grid
    separator = "" if grid.separator == "," else f", delimiter={grid.separator!r}"
    yield f'with open({str(grid.path)!r}, encoding={_quoted(grid.encoding)}, newline="") as file:'
    yield f"    rows = [row for row in csv.reader(file{separator}) if row]{'[1:]' if table.header else ''}"
    if table.skip_incomplete:
        yield from _skipping(columns, width)
    if columns.notation != Notation() and any(column.kind is ColumnKind.NUMBER for column in columns.used):
        yield from ["", "", *_number(columns.notation), "", ""]
    if any(column.kind is ColumnKind.DAYS for column in columns.used):
        yield from [
            *("", "", "def days(cell, form, first):"),
            "    date = datetime.datetime.strptime(cell.strip(), form).replace(tzinfo=None)",
            *("    return (date - first).total_seconds() / 86400", "", ""),
        ]
    for name, is_target in (("inputs", False), ("targets", True)):
        yield from [f"{name} = torch.tensor(", "    [", "        ["]
        for made in columns.numbers:
            if made.is_target is is_target:
                yield f"            {made.expression},"
        yield from ["        ]", "        for row in rows", "    ]", ")"]


def _skipping(columns: Columns, width: int) -> Iterator[str]:
    yield "# Rows without a value in one of the columns in use are left out."
    tests = [f"len(row) > {max(column.place for column in columns.used)}"]
    for name, texts, of_text in (("no_number", MISSING_NUMBERS, False), ("no_text", MISSING, True)):
        places = [column.place for column in columns.used if (column.kind is ColumnKind.ONE_HOT) is of_text]
        if places:
            words = f"{name} = {{{', '.join(map(_quoted, sorted(texts)))}}}"
            yield from wrap(words, width, subsequent_indent="    ", break_on_hyphens=False)
            yield from wrap(f"{name}_in = {places}", width, subsequent_indent="    ")
            tests.append(f"not any(row[i].strip().casefold() in {name} for i in {name}_in)")
    yield "rows = ["
    yield "    row"
    yield "    for row in rows"
    yield f"    if {tests[0]}"
    yield from (f"    and {test}" for test in tests[1:])
    yield "]"


def _number(notation: Notation) -> Iterator[str]:
    yield "def number(cell):"
    if notation.thousands == " ":
        yield '    cell = "".join(cell.split())'
    elif notation.thousands:
        yield f'    cell = cell.replace({_quoted(notation.thousands)}, "")'
    comma = '.replace(",", ".")' if notation.decimal == "," else ""
    yield f"    return float(cell{comma})"


def _quoted(text: str) -> str:
    return repr(text) if '"' in text else f'"{text}"'
