"""Reads a CSV file into named columns of numbers, and says what is wrong with one that holds none.

The file is one for the standard library's `csv` module, with a line of names first. What separates the
columns is found in that line: a comma, a semicolon, a tab, or a vertical bar.
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
"""All of them go through every forward pass."""

MOST_COLUMNS: Final = 1000
LONGEST_NAME: Final = 100
SHOWN: Final = 40
"""Characters of a bad cell that are told."""

LISTED: Final = 20
"""Column names that are told."""

UTF8: Final = "Save the file as UTF-8 (in a spreadsheet: export, CSV UTF-8)."
TAKE_OUT: Final = (
    "Every column that is no target is an input and needs numbers: fix the cell, or take its row or its "
    "column out of the file."
)
COMMAS: Final = "A decimal comma must be a point, and a text with a comma in it needs quotation marks."
SHORT: Final = "Each row needs one cell per column, separated as the names are."
NO_NAMES: Final = "The first line must name the columns: put names above the numbers."


@dataclass(frozen=True, slots=True)
class Columns:
    """What a CSV file holds."""

    path: Path
    data: bytes
    separator: str
    names: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    """As they stand in the file, a number per column; single precision can hold each."""


def read_columns(path: Path) -> Columns:
    """Read a CSV file.

    Raises:
        ScriptError: it cannot be read, or does not hold named columns of finite numbers; the message names
            the line of the file, the row of numbers and the column.
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
        raise ScriptError(path, "there is no row of numbers below the names of the columns")
    return Columns(path, data, separator, names, rows)


def listed(names: Sequence[str]) -> str:
    """Give names as a message lists them."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_LE)):
        raise ScriptError(path, "this file is in UTF-16 or UTF-32", UTF8)
    if b"\0" in data:
        place = f"line {data[: data.index(0)].count(10) + 1}"
        raise ScriptError(path, "there is a NUL byte: this is no text in UTF-8", UTF8, place=place)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"line {data[: error.start].count(10) + 1}"
        raise ScriptError(
            path, f"the byte 0x{data[error.start]:02x} is no UTF-8", UTF8, place=place
        ) from None


def _separator(text: str) -> str:
    """Give what the line of names has most of, outside of quotes; a comma where it has nothing."""
    head = next(filter(str.strip, StringIO(text, newline="")), "")
    return max(SEPARATORS, key=lambda sign: len(next(csv.reader([head], delimiter=sign), [])))


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give the records but for empty lines, each with the line on which it begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = "Look for a quotation mark without its partner, on this line or below."
            raise ScriptError(path, f"this is no CSV: {error}", sentence, place=f"line {line}") from None
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _names(path: Path, line: int, cells: Sequence[str]) -> tuple[str, ...]:
    names, place = tuple(map(str.strip, cells)), f"line {line}"
    if len(names) > MOST_COLUMNS:
        raise ScriptError(path, f"there are {len(names):,} columns, more than {MOST_COLUMNS:,}", place=place)
    if all(_number(name) is not None for name in names):
        raise ScriptError(path, f"{names[0]!r} is a number, not a column's name", NO_NAMES, place=place)
    for number, name in enumerate(names, 1):
        if not name:
            told = "Give it one, or take the column out (pandas: to_csv(..., index=False))."
            raise ScriptError(path, f"column {number} has no name", told, place=place)
        if not name.isprintable() or len(name) > LONGEST_NAME:
            told = f"it has control characters, or is longer than {LONGEST_NAME}"
            raise ScriptError(path, f"column {number} has no usable name: {told}", place=place)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        first, second = [number for number, name in enumerate(names, 1) if name == twice[0]][:2]
        raise ScriptError(path, f"columns {first} and {second} are both called {twice[0]!r}", place=place)
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
            told = "Train on some of the rows."
            raise ScriptError(path, f"there are more than {MOST_NUMBERS:,} numbers", told, place=place)
        yield tuple(
            _checked(path, f"{place}, column {name}", cell) for name, cell in zip(names, cells, strict=True)
        )


def _checked(path: Path, place: str, cell: str) -> float:
    """Read a cell; what float() reads and no reader of the file would take for a number is none."""
    text = cell.strip()
    value = _number(text)
    if value is None:
        told = ascii(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
        words = f"{told} is no number" if text else "the cell is empty"
        comma = text.replace(",", ".", 1)
        point = f"Write it with a point, {comma}." if _number(comma) is not None else TAKE_OUT
        raise ScriptError(path, words, point, place=place)
    if not math.isfinite(value) and not any(map(str.isdigit, text)):
        raise ScriptError(path, f"the number is {text}", TAKE_OUT, place=place)
    if single(value) is None:
        told = "The largest is about 3.4e+38: scale the column down."
        raise ScriptError(path, f"{text[:SHOWN]} is too large for float32", told, place=place)
    return value


def single(value: float) -> bytes | None:
    """Give the bits of a number in single precision; None where it is too large for that."""
    try:
        return struct.pack("<f", value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _number(text: str) -> float | None:
    try:
        return None if "_" in text or not text.isascii() else float(text)
    except ValueError:
        return None
