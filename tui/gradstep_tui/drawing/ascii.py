"""Plain ASCII output, for terminals that cannot show other characters."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gradstep_tui.text.lookalikes import TABLE


class AsciiFilter(LineFilter):
    """Replaces everything that any screen draws by ASCII of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with ASCII text of the same width."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=to_ascii(segment.text))
            for segment in segments
        ]


def to_ascii(text: str) -> str:
    """Return text in ASCII that takes as many cells: one `?` per cell for a character without lookalike."""
    return "".join(char if char.isascii() else TABLE.get(ord(char), "?" * cell_len(char)) for char in text)
