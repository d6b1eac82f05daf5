"""Writes cells as a Jupyter notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gradstep.exports.code.cells import Cell


def notebook_text(cells: Iterable[Cell]) -> str:
    """Return a notebook as JSON: each cell's words as Markdown, then its code and assertions, not yet run."""
    import nbformat  # slow to import, and most sessions are never exported

    made = [part for number, cell in enumerate(cells) for part in _cells(cell, number)]
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=made,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def _cells(cell: Cell, number: int) -> Iterator[Any]:
    from nbformat import v4

    markdown = f"### {cell.title}\n\n{cell.words}".rstrip()
    # nbformat's own ids are random, but exporting a session twice should give the same file.
    if cell.title:
        yield v4.new_markdown_cell(markdown, id=f"words-{number}")  # type: ignore[no-untyped-call]
    if cell.lines:
        yield v4.new_code_cell("\n".join(cell.lines), id=f"code-{number}")  # type: ignore[no-untyped-call]
