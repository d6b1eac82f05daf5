"""Choices of a learner about a CSV file. Importing this module does not import torch."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gradstep.errors import BadInput

DECIMALS: Final = (".", ",")
THOUSANDS: Final = (",", ".", " ", "'", "_")
QUOTED: Final = 40
"""Characters of a wrong value that a message quotes at most."""


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of a CSV file that are predicted, the treatment of the other columns, and how cells are read.

    A column is given by its name, or by its number from 1 on if no column has that name.
    """

    targets: tuple[str, ...] = ()
    """Columns that are predicted; all other columns that are not left out are inputs."""

    standardize: bool = False
    """Whether each input column is scaled to zero mean and unit standard deviation."""

    columns: tuple[str, ...] = ()
    """Columns that are inputs; empty for all. Each item may also be several columns, separated by commas."""

    drop: tuple[str, ...] = ()
    """Columns that are left out. Each item may also be several columns, separated by commas."""

    one_hot: tuple[str, ...] = ()
    """Columns of text that become a column of zeros and ones for each text; as in `drop`."""

    days: tuple[str, ...] = ()
    """Columns of dates that become days since the column's earliest date, each as `COLUMN` or
    `COLUMN=FORMAT` with a format of `datetime.strptime`."""

    index: bool = False
    """Whether the first cell of each row numbers or names the row, and is left out."""

    skip_incomplete: bool = False
    """Whether rows that lack a value in a column in use are left out."""

    decimal: str | None = None
    """Decimal sign of the numbers; None to find it in the file. It is a comma if points group digits."""

    thousands: str | None = None
    """Sign that groups the digits of large numbers; None if there is none."""

    header: bool = True
    """Whether the first line names the columns; without it they are called c1, c2 and so on."""

    encoding: str | None = None
    """Name of the file's encoding; None for UTF-8."""


def decimal_from(text: str) -> str:
    """Return a decimal sign.

    Raises:
        BadInput: The text is not a decimal sign.
    """
    if text not in DECIMALS:
        raise BadInput(f"{_quoted(text)} is not a decimal sign: use a point (.) or a comma (,)")
    return text


def thousands_from(text: str) -> str:
    """Return a sign that groups digits.

    Raises:
        BadInput: The text is not such a sign.
    """
    if text not in THOUSANDS:
        signs = "a comma (,), a point (.), a space (' '), an apostrophe (') or an underscore (_)"
        raise BadInput(f"{_quoted(text)} does not group digits: use {signs}")
    return text


def encoding_from(text: str) -> str:
    """Return the name of a text encoding that Python knows.

    Raises:
        BadInput: Python knows no such encoding.
    """
    try:
        b"a".decode(text)
    except UnicodeDecodeError:
        return text
    except (LookupError, ValueError):
        names = "utf-8, utf-16, cp1252 (Western Europe), gb18030 (Chinese) or shift_jis (Japanese)"
        raise BadInput(f"{_quoted(text)} is not an encoding that Python knows: use e.g. {names}") from None
    return text


def check_signs(table: Table) -> None:
    """Check the signs and the encoding of a table.

    Raises:
        BadInput: One of them cannot be used, or the same sign is meant for decimals and for thousands.
    """
    if table.decimal is not None:
        decimal_from(table.decimal)
    if table.thousands is not None:
        thousands_from(table.thousands)
        if table.thousands == table.decimal:
            raise BadInput(
                f"{table.thousands!r} cannot both group digits and be the decimal sign: "
                "choose another sign for one of the two"
            )
    if table.encoding is not None:
        encoding_from(table.encoding)


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= QUOTED else f"{text[:QUOTED]}...")
