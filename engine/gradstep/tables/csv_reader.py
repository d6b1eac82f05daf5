"""Reads a CSV file into named columns of text, and explains what is wrong with any other file.

The standard library's `csv` module reads the file: it alone tells on which line a record begins, and a script
that reads the file needs nothing else. The separator is found in the first line: a comma, a semicolon, a tab,
or a vertical bar.
"""

from __future__ import annotations

import codecs
import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source_reader import read_bytes
from gradstep.tables.csv_cells import Notation, is_missing
from gradstep.tables.table import Table
from gradstep.tables.table_error import TableError

KIND: Final = "a CSV file"
SEPARATORS: Final = ",;\t|"
MOST_CELLS: Final = 5_000_000
"""Largest number of cells that are read, also of columns that are left out."""

LISTED: Final = 20
"""Column names that a message lists at most."""

UTF8: Final = "Save the file as UTF-8 (in a spreadsheet: export, CSV UTF-8)."
COMMAS: Final = "Write decimal commas as points, and put text that contains a comma into quotation marks."
SHORT: Final = "Each row needs one cell per column, with the same separator as the names."
NO_NAMES: Final = "The first line must name the columns: put names above the numbers."


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a CSV file."""

    line: int
    """Line of the file on which it begins, counted from 1."""

    number: int
    """Its number among the rows, counted from 1."""

    cells: list[str]
    """Its cells without surrounding spaces; fewer than there are columns if the row is too short."""

    @property
    def place(self) -> str:
        """Its place in words."""
        return f"line {self.line}, row {self.number}"


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of a CSV file."""

    path: Path
    data: bytes
    encoding: str
    separator: str
    names: tuple[str, ...]
    """Names of the columns; an empty text for a column without a name."""

    name_line: int
    rows: tuple[Row, ...]


def read_grid(path: Path, table: Table) -> Grid:
    """Read the cells of a CSV file.

    Raises:
        ScriptError: The file cannot be read, or is not a table.
    """
    data = read_bytes(path, KIND)
    encoding = _encoding(data, table.encoding)
    text = _decoded(path, data, encoding)
    separator = _separator(text, table)
    records = list(_records(path, text, separator))
    if not records:
        raise ScriptError(path, "this file is empty", NO_NAMES)
    line, cells = records[0]
    if table.header:
        names = tuple(map(str.strip, cells))
        notation = Notation("," if separator != "," else ".")
        number = _number_among(names, notation)
        if number is not None:
            words = f"{number!r} is a number, not the name of a column"
            raise TableError(path, words, NO_NAMES, place=f"line {line}", choices=(Table(header=False),))
        records = records[1:]
    else:
        names = tuple(f"c{number}" for number in range(1, len(cells) + 1))
    if not records:
        raise ScriptError(path, "there is no row of numbers below the column names")
    if table.header and table.index and len(records[0][1]) == len(names) + 1:
        names = ("", *names)  # R names the columns only, and not that of the rows' names
    rows = tuple(_rows(path, names, records, table))
    return Grid(path, data, encoding, separator, names, line, rows)


def _number_among(names: Sequence[str], notation: Notation) -> str | None:
    """Return a number among the names if they are a row rather than names: years, for example, are names."""
    numbers = [
        name for name in names if Notation().number(name) is not None or notation.number(name) is not None
    ]
    whole = all(map(str.isdigit, numbers))
    lacking = sum(is_missing(name, number=True) for name in names if name)
    if numbers and (len(numbers) + lacking == len(names) or (not whole and 2 * len(numbers) >= len(names))):
        return numbers[0]
    return None


def listed(names: Sequence[str]) -> str:
    """Return names as a list for a message, without the names beyond `LISTED`."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _encoding(data: bytes, chosen: str | None) -> str:
    name = codecs.lookup(chosen).name if chosen else "utf-8"
    if name == "utf-8":
        return "utf-8-sig"
    return "utf-16" if name.startswith("utf-16-") and data[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else name


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    if encoding == "utf-8-sig":
        if data.startswith(BOM_UTF32_LE):
            choices = (Table(encoding="utf-32"),)
            raise TableError(path, "this file is in UTF-32", UTF8, choices=choices)
        if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            choices = (Table(encoding="utf-16"),)
            raise TableError(path, "this file is in UTF-16", UTF8, choices=choices)
        if b"\0" in data:
            first = data.index(0)
            choices = (Table(encoding="utf-16-le" if first % 2 else "utf-16-be"),)
            words = "there is a NUL byte, so this is not text in UTF-8"
            place = f"line {data[:first].count(10) + 1}"
            raise TableError(path, words, UTF8, place=place, choices=choices)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"line {data[: error.start].count(10) + 1}"
        named = "UTF-8" if encoding == "utf-8-sig" else encoding
        words = f"the byte 0x{data[error.start]:02x} is not valid {named}"
        raise TableError(path, words, UTF8, place=place, choices=(_probable(data),)) from None
    except UnicodeError as error:
        raise TableError(path, f"this is not text in {encoding}: {error}", UTF8) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(
            path, f"there is a NUL character, so this is not in {encoding}", place=f"line {line}"
        )
    return text


def _probable(data: bytes) -> Table:
    """Return the encoding that a file of single bytes, or of pairs of them, probably has."""
    runs = re.findall(rb"(?:[\x81-\xfe][\x40-\xfe])+|[\x80-\xff]", data)
    pairs = re.findall(rb"[\xa1-\xfe]{2,}", data)
    if pairs and all(len(run) % 2 == 0 for run in [*runs, *pairs]):
        return Table(encoding="gb18030")
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return Table(encoding="latin-1")
    return Table(encoding="cp1252")


def _separator(text: str, table: Table) -> str:
    """Return the separator that splits the first line into most cells; a comma if none splits it."""
    head = next(filter(str.strip, StringIO(text, newline="")), "")
    try:
        cells = {sign: next(csv.reader([head], delimiter=sign), []) for sign in SEPARATORS}
    except csv.Error:
        return ","  # the file is refused as soon as its records are read
    comma = Notation(",")
    for sign in SEPARATORS[1:]:
        # Decimal commas split a line of numbers into more cells than the separator does.
        if len(cells[sign]) > 1 and all(comma.number(cell.strip()) is not None for cell in cells[sign]):
            return sign
    if table.decimal == "," and any(len(cells[sign]) > 1 for sign in SEPARATORS[1:]):
        del cells[","]
    return max(cells, key=lambda sign: len(cells[sign]))


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not an empty line, with the number of the line on which it begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line, count = 1, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = "Look for an unmatched quotation mark on this line or below."
            raise ScriptError(
                path, f"this is not valid CSV: {error}", sentence, place=f"line {line}"
            ) from None
        count += len(cells)
        if count > MOST_CELLS:
            words = f"there are more than {MOST_CELLS:,} cells"
            raise ScriptError(path, words, "Train on some of the rows.", place=f"line {line}")
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _rows(
    path: Path, names: Sequence[str], records: Sequence[tuple[int, list[str]]], table: Table
) -> Iterator[Row]:
    wide = len(names)
    for number, (line, cells) in enumerate(records, 1):
        row = Row(line, number, [cell.strip() for cell in cells])
        while len(row.cells) > wide and not row.cells[-1]:
            row.cells.pop()
        short = len(row.cells) < wide
        if len(row.cells) > wide or (short and not table.skip_incomplete):
            cell = f"{len(row.cells):,} cell{'s' * (len(row.cells) != 1)}"
            words = f"this row has {cell}, and {wide:,} columns have a name"
            choices = (Table(skip_incomplete=True),) if short else ()
            if not short and table.header and all(len(other) == wide + 1 for _, other in records):
                choices = (Table(index=True),)
            sentence = "" if choices and not short else SHORT if short else COMMAS
            raise TableError(path, words, sentence, place=row.place, choices=choices)
        yield row
