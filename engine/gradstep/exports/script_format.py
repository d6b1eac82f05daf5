"""Writes cells as a plain Python script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from gradstep.exports.code.cells import Cell
from gradstep.exports.code.number_literals import WIDTH


def script_text(cells: Iterable[Cell]) -> str:
    """Give the text of a script: the words as comments, then the code and what it asserts."""
    blocks = ["\n".join(_block(cell)) for cell in cells]
    # As everywhere in Python, two empty lines follow a function.
    spaced = (f"{block}\n\n\n" if "\ndef " in block else f"{block}\n\n" for block in blocks)
    return "".join(spaced).rstrip() + "\n"


def _block(cell: Cell) -> Iterator[str]:
    told = f"{cell.title}. {cell.words}" if cell.words else cell.title
    for paragraph in told.splitlines():
        yield from wrap(paragraph, WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield from cell.lines
