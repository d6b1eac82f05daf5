"""The file of a Jupyter notebook: the text of its code cells, whatever else is missing or strange in it.

A notebook is JSON. Of its many fields only the cells, their kind and their text are needed here, and the
language. Notebooks of versions 2 and 3 have their cells in worksheets, and call a code cell's text `input`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gradstep.errors import BadInput

_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
"""Kinds of JSON values in words."""


class BadNotebook(BadInput):
    """The bytes are no notebook, or no notebook of Python."""


def code_cells(data: bytes) -> list[str]:
    """Return the text of each code cell of a notebook, in order.

    Raises:
        BadNotebook: The bytes are no notebook, a code cell has no text, or the language is not Python.
    """
    book = _json(data)
    cells = list(_cells(book))
    if (language := _language(book.get("metadata"), cells)) and "python" not in language.casefold():
        raise BadNotebook(f"the language of this notebook is {language}, not Python")
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    return [_text(number, cell.get("source", cell.get("input"))) for number, cell in enumerate(code, 1)]


def _json(data: bytes) -> dict[str, Any]:
    try:
        book = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadNotebook(f"this is not a notebook: it is not UTF-8 ({error.reason})") from None
    except json.JSONDecodeError as error:
        raise BadNotebook(f"this is not a notebook: it is not JSON ({error})") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise BadNotebook("this is not a notebook: its JSON cannot be read") from None
    return book if isinstance(book, dict) else {}


def _cells(book: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    lists = [book.get("cells")]
    sheets = book.get("worksheets")
    if "cells" not in book and isinstance(sheets, list):
        lists = [sheet.get("cells", []) if isinstance(sheet, dict) else None for sheet in sheets]
    if any(not isinstance(cells, list) for cells in lists):
        raise BadNotebook("this is not a notebook: it has no list of cells")
    for number, cell in enumerate((cell for cells in lists for cell in cells or ()), 1):
        if not isinstance(cell, dict):
            raise BadNotebook(f"cell {number} of this notebook is {_KINDS[type(cell)]}, not a cell")
        yield cell


def _language(metadata: object, cells: list[Mapping[str, Any]]) -> str:
    """Return the language that a notebook names first; empty if it names none."""
    fields: Mapping[str, object] = metadata if isinstance(metadata, dict) else {}
    places = [(fields.get("kernelspec"), "language"), (fields.get("language_info"), "name")]
    for place, name in [*places, *((cell, "language") for cell in cells)]:
        language = place.get(name) if isinstance(place, Mapping) else None
        if isinstance(language, str) and language:
            return language[:40]
    return ""


def _text(number: int, source: Any) -> str:
    parts: list[Any] = source if isinstance(source, list) else [] if source is None else [source]
    for part in parts:
        if not isinstance(part, str):
            raise BadNotebook(
                f"code cell {number} of this notebook has {_KINDS[type(part)]} in place of text"
            )
    text = "".join(parts)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadNotebook(f"code cell {number} of this notebook has a character that is not valid Unicode")
    return text
