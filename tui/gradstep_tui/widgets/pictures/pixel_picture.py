"""The one picture of pixels on screen: drawn with its panel's lines, and sent to the terminal after them.

What draws pixels, and numpy with it, is imported when the first such picture is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.heat import VIRIDIS
from gradstep_tui.terminal.pixels import PixelProtocol, cell_size
from gradstep_tui.terminal.textual_driver import write_directly

if TYPE_CHECKING:
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.loss_surface import Surface
    from gradstep_tui.drawing.canvas import Canvas
    from gradstep_tui.drawing.pixels.pixel_canvas import PixelCanvas
    from gradstep_tui.drawing.scales import Scale

FIRST: Final = os.getpid() % 0xFFF << 12 | 1
"""Number of this process's first picture: those of another program on the terminal have other numbers."""

USUAL: Final = (10, 20)
"""Pixels of a cell, across and upwards, if the terminal enlarges pictures by itself and does not say."""

ENLARGED: Final = 1_200
"""Pixels along the longer side of a picture that the terminal enlarges by itself."""

AT: Final = "\x1b7\x1b[{row};{column}H{picture}\x1b8"
"""Shows a picture at a place, counted from 1, and leaves the cursor where it is."""

_numbers: Final = count(FIRST)


class PixelPicture:
    """Makes canvases of pixels, and sends the last one to the terminal."""

    def __init__(self) -> None:
        """Begin without a picture."""
        self._protocol: PixelProtocol | None = None
        self._cell = USUAL
        self._off = False
        self._canvas: PixelCanvas | None = None
        """What is to be shown; None if the panel shows no picture of pixels."""

        self._sequences = ""
        """What shows the canvas at the cursor; empty until it is shown for the first time."""

        self._number = 0
        """Number of the picture that the terminal keeps; 0 if it keeps none."""

    @property
    def is_text(self) -> bool:
        """Whether the picture goes away with the text that is drawn in its place."""
        return self._canvas is not None and self._protocol is PixelProtocol.SIXEL

    def begin(self, app: object, palette: Sequence[str]) -> None:
        """Begin to draw a panel's lines.

        Args:
            app: The app; its `pixels` is the terminal's protocol, if any.
            palette: Colours that the terminal shows; without any, there are no pixels, either.
        """
        self._canvas, self._sequences, self._protocol = None, "", None
        found = getattr(app, "pixels", None)
        if isinstance(found, PixelProtocol) and palette and not self._off:
            cell = cell_size()
            if cell is not None or found is PixelProtocol.KITTY:
                self._protocol, self._cell = found, cell or USUAL

    def surface(self, found: Surface) -> Callable[[int, int, Scale], Canvas] | None:
        """Return a function that draws a loss surface; None if it is to be drawn in cells."""

        def drawn(width: int, height: int, scale: Scale) -> Canvas:
            from gradstep_tui.widgets.pictures.pixel_drawing import draw_surface

            canvas = self._new_canvas(width, height)
            draw_surface(canvas, found, scale)
            return canvas

        return None if self._protocol is None else drawn

    def regions(self, found: Regions) -> Callable[[int, int, Scale | None], Canvas] | None:
        """Return a function that draws a map of predictions; None if it is to be drawn in cells."""

        def filled(width: int, height: int, scale: Scale | None) -> Canvas:
            from gradstep_tui.widgets.pictures.pixel_drawing import draw_regions

            canvas = self._new_canvas(width, height)
            draw_regions(canvas, found, scale)
            return canvas

        return None if self._protocol is None else filled

    def show(self, column: int, row: int) -> None:
        """Show the canvas in place of the picture before; only remove that one if there is no canvas.

        Args:
            column: Column of its upper left cell on the screen, counted from 0.
            row: Row of that cell, counted from 0.
        """
        before = self._number
        if self._canvas is None:
            self.hide()
        elif not self._sequences:
            self._number, self._sequences = self._encoded(self._canvas)
            self._write(column, row)
            _remove(before)
        elif self.is_text:
            self._write(column, row)

    def hide(self) -> None:
        """Remove the picture from the terminal, until it is shown again."""
        _remove(self._number)
        self._number, self._sequences = 0, ""

    @contextmanager
    def off(self) -> Iterator[None]:
        """Draw no pixels for the duration."""
        self._off = True
        try:
            yield
        finally:
            self._off = False

    def _new_canvas(self, width: int, height: int) -> PixelCanvas:
        from gradstep_tui.drawing.pixels.pixel_canvas import PixelCanvas

        most = ENLARGED if self._protocol is PixelProtocol.KITTY else None
        self._canvas = PixelCanvas(width, height, VIRIDIS, self._cell, most)
        return self._canvas

    def _encoded(self, canvas: PixelCanvas) -> tuple[int, str]:
        """Return the number of the picture that the terminal will keep, or 0, and what shows it."""
        from gradstep_tui.drawing.pixels import kitty, sixel

        if self._protocol is PixelProtocol.SIXEL:
            return 0, sixel.shown(canvas)
        number = next(_numbers)
        return number, kitty.shown(canvas, number)

    def _write(self, column: int, row: int) -> None:
        write_directly(AT.format(row=row + 1, column=column + 1, picture=self._sequences))


def _remove(number: int) -> None:
    """Remove a picture with a number from the terminal."""
    if number:
        from gradstep_tui.drawing.pixels.kitty import removed

        write_directly(removed(number))
