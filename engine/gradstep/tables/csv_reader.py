"""Reads a CSV file into named columns of numbers, and explains what is wrong with any other file.

The standard library's `csv` module reads the file. Its first line names the columns. The separator is found
in that line: a comma, a semicolon, a tab, or a vertical bar.
"""

from __future__ import annotations

import csv
import math
import struct
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source_reader import read_bytes

KIND: Final = "a CSV file"
SEPARATORS: Final = ",;\t|"
MOST_NUMBERS: Final = 1_000_000
"""Largest number of cells; every forward pass uses all of them."""

MOST_COLUMNS: Final = 1000
LONGEST_NAME: Final = 100
SHOWN: Final = 40
"""Characters of a bad cell that a message quotes at most."""

LISTED: Final = 20
"""Column names that a message lists at most."""

UTF8: Final = "Save the file as UTF-8 (in a spreadsheet: export, CSV UTF-8)."
CORRECT: Final = (
    "Every column that is not a target is an input and needs numbers: correct the cell, or remove its row or "
    "its column from the file."
)
COMMAS: Final = "Write decimal commas as points, and put text that contains a comma into quotation marks."
SHORT: Final = "Each row needs one cell per column, with the same separator as the names."
NO_NAMES: Final = "The first line must name the columns: put names above the numbers."


@dataclass(frozen=True, slots=True)
class Columns:
    """Content of a CSV file."""

    path: Path
    data: bytes
    separator: str
    names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    """Rows in the order of the file, with one number per column; each fits into single precision."""


def read_columns(path: Path) -> Columns:
    """Read a CSV file.

    Raises:
        ScriptError: The file cannot be read, or does not consist of named columns of finite numbers; the
            message names the line of the file, the row of numbers and the column.
    """
    data = read_bytes(path, KIND)
    text = _decoded(path, data)
    separator = _separator(text)
    records = _records(path, text, separator)
    try:
        line, cells = next(records)
    except StopIteration:
        raise ScriptError(path, "this file is empty", NO_NAMES) from None
    names = _names(path, line, cells)
    rows = tuple(_rows(path, names, records))
    if not rows:
        raise ScriptError(path, "there is no row of numbers below the column names")
    return Columns(path, data, separator, names, rows)


def listed(names: Sequence[str]) -> str:
    """Return names as a list for a message, without the names beyond `LISTED`."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_LE)):
        raise ScriptError(path, "this file is in UTF-16 or UTF-32", UTF8)
    if b"\0" in data:
        place = f"line {data[: data.index(0)].count(10) + 1}"
        raise ScriptError(path, "there is a NUL byte, so this is not text in UTF-8", UTF8, place=place)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"line {data[: error.start].count(10) + 1}"
        raise ScriptError(
            path, f"the byte 0x{data[error.start]:02x} is not valid UTF-8", UTF8, place=place
        ) from None


def _separator(text: str) -> str:
    """Return the separator that splits the line of names into most cells; a comma if none splits it."""
    head = next(filter(str.strip, StringIO(text, newline="")), "")
    return max(SEPARATORS, key=lambda sign: len(next(csv.reader([head], delimiter=sign), [])))


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not an empty line, with the number of the line on which it begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
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
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _names(path: Path, line: int, cells: Sequence[str]) -> tuple[str, ...]:
    names, place = tuple(map(str.strip, cells)), f"line {line}"
    if len(names) > MOST_COLUMNS:
        raise ScriptError(path, f"there are {len(names):,} columns, more than {MOST_COLUMNS:,}", place=place)
    if all(_number(name) is not None for name in names):
        raise ScriptError(path, f"{names[0]!r} is a number, not the name of a column", NO_NAMES, place=place)
    for number, name in enumerate(names, 1):
        if not name:
            sentence = "Name it, or remove the column (pandas: to_csv(..., index=False))."
            raise ScriptError(path, f"column {number} has no name", sentence, place=place)
        if not name.isprintable() or len(name) > LONGEST_NAME:
            words = (
                f"the name of column {number} has control characters or more than {LONGEST_NAME} characters"
            )
            raise ScriptError(path, words, place=place)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        first, second = [number for number, name in enumerate(names, 1) if name == repeated[0]][:2]
        raise ScriptError(path, f"columns {first} and {second} are both called {repeated[0]!r}", place=place)
    return names


def _rows(
    path: Path, names: Sequence[str], records: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[float, ...]]:
    for number, (line, cells) in enumerate(records, 1):
        place = f"line {line}, row {number}"
        if len(cells) != len(names):
            cell = f"{len(cells):,} cell{'s' * (len(cells) != 1)}"
            words = f"this row has {cell}, and {len(names):,} columns have a name"
            raise ScriptError(path, words, COMMAS if len(cells) > len(names) else SHORT, place=place)
        if number * len(names) > MOST_NUMBERS:
            sentence = "Train on some of the rows."
            raise ScriptError(path, f"there are more than {MOST_NUMBERS:,} numbers", sentence, place=place)
        yield tuple(
            _checked(path, f"{place}, column {name}", cell) for name, cell in zip(names, cells, strict=True)
        )


def _checked(path: Path, place: str, cell: str) -> float:
    """Return the number in a cell; refuse text that only `float` would read as a number, such as `1_0`."""
    text = cell.strip()
    value = _number(text)
    if value is None:
        quoted = ascii(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
        words = f"{quoted} is not a number" if text else "the cell is empty"
        comma = text.replace(",", ".", 1)
        sentence = f"Write it with a point: {comma}." if _number(comma) is not None else CORRECT
        raise ScriptError(path, words, sentence, place=place)
    if not math.isfinite(value) and not any(map(str.isdigit, text)):
        raise ScriptError(path, f"the number is {text}", CORRECT, place=place)
    if single(value) is None:
        sentence = "The largest float32 is about 3.4e+38: scale the column down."
        raise ScriptError(path, f"{text[:SHOWN]} is too large for float32", sentence, place=place)
    return value


def single(value: float) -> bytes | None:
    """Return the bytes of a number in single precision, or None if it is too large."""
    try:
        return struct.pack("<f", value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _number(text: str) -> float | None:
    try:
        return None if "_" in text or not text.isascii() else float(text)
    except ValueError:
        return None
