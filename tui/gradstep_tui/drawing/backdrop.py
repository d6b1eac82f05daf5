"""What is behind a dialog, drawn so that it does not compete with the dialog."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style

DIM: Final = Style(dim=True)


class Backdrop:
    """Shows something dim, without colours or other attributes; some rows are empty."""

    def __init__(self, below: RenderableType, empty: Container[int], *, dim: bool) -> None:
        """Show `below`.

        Args:
            below: What is behind.
            empty: Numbers of the rows, counted from 0 at the top, in which nothing is shown.
            dim: Whether to take the colours and attributes away.
        """
        self._below, self._empty, self._dim = below, empty, dim

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments, those of the same style joined."""
        for number, row in enumerate(Segment.split_lines(console.render(self._below, options))):
            if number in self._empty:
                colour = next((segment.style.bgcolor for segment in row if segment.style), None)
                yield Segment(" " * options.max_width, Style(bgcolor=colour))
            elif self._dim:
                yield Segment("".join(segment.text for segment in row), DIM)
            else:
                yield from row
            yield Segment.line()
