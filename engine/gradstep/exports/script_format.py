"""Writes cells as a plain Python script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from gradstep.exports.code.cells import Cell
from gradstep.exports.code.number_literals import WIDTH


def script_text(cells: Iterable[Cell]) -> str:
    """Return the text of a script: each cell's words as comments, then its code and assertions."""
    blocks = ["\n".join(_block(cell)) for cell in cells]
    # By PEP 8, two blank lines follow a function.
    spaced = (f"{block}\n\n\n" if "\ndef " in block else f"{block}\n\n" for block in blocks)
    return "".join(spaced).rstrip() + "\n"


def _block(cell: Cell) -> Iterator[str]:
    comment = f"{cell.title}. {cell.words}" if cell.words else cell.title
    for paragraph in comment.splitlines():
        yield from wrap(paragraph, WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield from cell.lines
