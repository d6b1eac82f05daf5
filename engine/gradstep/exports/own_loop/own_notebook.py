"""The export of a script's own loop as a notebook: the same cells, the loop stopped, the rest not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradstep.exports.own_loop.text_edits import EditedLine, begin_of, lines_inside_strings


@dataclass(frozen=True, slots=True)
class NotebookParts:
    """What a notebook is made of."""

    title: str
    words: str
    """How the notebook was made."""

    checks: tuple[str, ...]
    """Lines that define the object which counts and compares."""

    lines: tuple[EditedLine, ...]
    """Lines of the edited script."""

    cells: tuple[int, ...]
    """Cell of each line of the script, if that is a notebook."""

    line: int
    """Line of the script's top level that runs while the loop does; 0 if it is not known."""

    session: str
    """Name of the object that counts and compares."""


def own_notebook_text(parts: NotebookParts) -> str:
    """Return a notebook as JSON."""
    import nbformat  # slow to import, and most sessions are never exported

    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[*_cells(parts)],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def _cells(parts: NotebookParts) -> Iterator[Any]:
    from nbformat import v4

    ran, left = _ran(parts)
    yield v4.new_markdown_cell(f"### {parts.title}\n\n{parts.words}", id="words")  # type: ignore[no-untyped-call]
    yield v4.new_code_cell("\n".join(parts.checks), id="checks")  # type: ignore[no-untyped-call]
    for number, text in enumerate(_by_cell(ran, parts.cells)):
        yield v4.new_code_cell(text, id=f"cell-{number}")  # type: ignore[no-untyped-call]
    ends = f"{parts.session}.end()"
    yield v4.new_code_cell(ends, id="end")  # type: ignore[no-untyped-call]
    rest = [*_by_cell(left, parts.cells)]
    if rest:
        words = "The session stood there, so what follows was not run."
        yield v4.new_markdown_cell(words, id="not-run")  # type: ignore[no-untyped-call]
    for number, text in enumerate(rest):
        yield v4.new_raw_cell(text, id=f"rest-{number}")  # type: ignore[no-untyped-call]


def _ran(parts: NotebookParts) -> tuple[list[EditedLine], list[EditedLine]]:
    """Return the lines that the session ran, its loop under a `with` that stops it, and the lines after."""
    text = "\n".join(line.text for line in parts.lines)
    first, last = _around(parts, text)
    strings = lines_inside_strings(text)
    made = list(parts.lines[: first - 1])
    made.append(EditedLine(parts.lines[first - 1].origin, f"with {parts.session}:"))
    for number, line in enumerate(parts.lines[first - 1 : last], first):
        is_plain = line.text.strip() and number not in strings
        made.append(EditedLine(line.origin, f"    {line.text}" if is_plain else line.text))
    return made, list(parts.lines[last:])


def _around(parts: NotebookParts, text: str) -> tuple[int, int]:
    """Return the first and the last line of the edited text's statement that runs while the loop does."""
    body = ast.parse(text).body
    begun = [node for node in body if parts.lines[begin_of(node) - 1].origin <= parts.line]
    chosen = begun[-1:] or body
    first, last = begin_of(chosen[0]), chosen[-1].end_lineno or len(parts.lines)
    for node in body:  # statements on the same line stay together, and the stop stays behind its loop
        is_stop = begin_of(node) == last + 1 and parts.lines[last].text == f"{parts.session}.stop()"
        if is_stop or (begin_of(node) <= last and (node.end_lineno or 0) >= first):
            first, last = min(first, begin_of(node)), max(last, node.end_lineno or 0)
    return first, last


def _by_cell(lines: Sequence[EditedLine], cells: Sequence[int]) -> Iterator[str]:
    """Yield the text of each cell that has any; a script is one cell."""
    texts: dict[int, list[str]] = {}
    for line in lines:
        cell = cells[min(line.origin, len(cells)) - 1] if cells else 0
        texts.setdefault(cell, []).append(line.text)
    yield from (text for several in texts.values() if (text := "\n".join(several).strip("\n")))
