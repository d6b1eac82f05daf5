"""The panel that shows one picture of a session, with the learner's choices of view and scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from gradstep.errors import EngineError
from gradstep_tui.drawing.canvas import AXIS
from gradstep_tui.drawing.lines import Line, wrapped
from gradstep_tui.drawing.remark_lines import remark_lines
from gradstep_tui.text.decision_regions import input_names, target_names
from gradstep_tui.text.losses.surface_sentences import surface_context
from gradstep_tui.text.remarks import NOTHING, Remark
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.tensors.indices import element_text
from gradstep_tui.widgets.panel import Panel
from gradstep_tui.widgets.pictures.curves import layer_lines, loss_lines, size_lines
from gradstep_tui.widgets.pictures.decision_regions import regions_lines
from gradstep_tui.widgets.pictures.fit import fit_lines
from gradstep_tui.widgets.pictures.graph import GraphView
from gradstep_tui.widgets.pictures.loss_surface import surface_lines
from gradstep_tui.widgets.pictures.pixel_picture import PixelPicture

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip

    from gradstep.frame import Frame
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.fit import Fit
    from gradstep.pictures.loss_surface import Surface
    from gradstep_tui.session.pictures import Album

TITLES: Final = ("loss surface", "fit", "gradient sizes", "losses", "graph")
SURFACE, FIT, SIZES, LOSSES, GRAPH = range(len(TITLES))

HEAD: Final = 1
"""Number of lines above a picture of pixels."""

NOTICE_ROWS: Final = 2
"""Largest number of rows of a notice below the graph."""


class PicturePanel(Panel):
    """The chosen picture."""

    DEFAULT_CSS = "PicturePanel { height: 1fr; }"

    def __init__(self, frame: Frame, at: int) -> None:
        """Show a frame in one of the pictures: `SURFACE`, `FIT`, `SIZES`, `LOSSES` or `GRAPH`."""
        super().__init__()
        self.at = at
        """Index of the picture in `TITLES`."""

        self._shown = frame
        self._album: Album | None = None
        self._chosen = [0] * len(TITLES)
        self._logs: list[bool | None] = [None] * len(TITLES)
        self._graph = GraphView()
        self._notice = NOTHING
        self._pixels = PixelPicture()

    def on_mount(self) -> None:
        """Show pixels again if the program goes on after a suspension, in which the terminal forgets them."""
        self.app.app_resume_signal.subscribe(self, lambda _: self.redraw())

    def on_unmount(self) -> None:
        """Remove pixels from the terminal."""
        self._pixels.hide()

    def redraw(self) -> None:
        """Compute all lines, repaint what changed, and show pixels after that."""
        self._pixels.begin(self.app, self.palette)
        super().redraw()
        self.call_after_refresh(self.show_pixels)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines as Textual draws them, and show pixels again if they will be gone."""
        if self._pixels.is_text:
            self.call_after_refresh(self.show_pixels)
        return super().render_lines(crop)

    def show_pixels(self) -> None:
        """Show the picture's pixels, if it has any and is on top."""
        if self.is_attached and self.app.screen is self.screen:
            x, y = self.content_region.offset
            self._pixels.show(x + AXIS, y + HEAD)

    def hide_pixels(self) -> None:
        """Remove the picture's pixels, because something else is on top."""
        self._pixels.hide()

    @contextmanager
    def in_cells(self) -> Iterator[None]:
        """Draw without pixels for the duration, as for a file."""
        with self._pixels.off():
            self.redraw()
            yield
        self.redraw()

    def way_to(self, x: int, y: int) -> None:
        """Return None: nothing in a picture can be chosen with the mouse."""

    @property
    def waits(self) -> bool:
        """Whether the picture has yet to be computed."""
        return self.at != GRAPH and self._album is None

    def show(self, found: Album) -> None:
        """Show computed pictures."""
        self._album = found
        self.redraw()

    def go_on(self, frame: Frame, notice: Remark) -> None:
        """Show a newer frame, and a message about it."""
        self._shown, self._album, self._notice = frame, None, notice
        self._graph.follow()
        self.redraw()

    def turn(self, steps: int) -> None:
        """Go forward by a number of pictures, or back if negative."""
        self.at = (self.at + steps) % len(TITLES)
        self.redraw()

    def choose(self, steps: int) -> None:
        """Go to another view of the fit, or to another parameter's gradient sizes."""
        self._chosen[self.at] += steps
        self.redraw()

    def scroll(self, axis: int, steps: int) -> None:
        """Scroll the graph: horizontally if `axis` is 0, vertically if it is 1."""
        self._graph.scroll(steps * axis, steps * (1 - axis))
        self.redraw()

    def larger(self) -> list[Line]:
        """Return all lines of the graph if only a part of it is on screen; no lines otherwise."""
        return [] if self.at != GRAPH or self._graph.is_whole else self._graph.whole_lines(self._shown)

    def change_scale(self) -> None:
        """Change between a linear and a logarithmic scale."""
        now = any("logarithmic" in span.text for row in self._lines for span in row)
        self._logs[self.at] = not now
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the lines of the chosen picture."""
        found, is_log, frame = self._album, self._logs[self.at], self._shown
        if self.at == GRAPH:
            notice = remark_lines(self._notice, width, NOTICE_ROWS)
            return [*self._graph.lines(frame, width, height - len(notice)), *notice]
        if found is None:
            return wrapped("Computing the pictures; Esc stops.", width, "dim")
        drawings: Sequence[Callable[[], list[Line]]] = (
            lambda: _or_words(
                found.surface, lambda surface: self._surface_lines(surface, width, height, is_log), width
            ),
            lambda: self._fit_lines(found, width, height),
            lambda: self._size_lines(found, width, height, is_log),
            lambda: loss_lines(frame.losses, found.marks, width, height, is_log, unit_of(frame.loop)),
        )
        return drawings[self.at]()

    def _surface_lines(self, found: Surface, width: int, height: int, is_log: bool | None) -> list[Line]:
        names = [element_text(self._shown, place) for place in found.places]
        drawn, album = self._pixels.surface(found), self._album
        context = surface_context(self._shown, found, None if album is None else album.chosen)
        return surface_lines(found, width, height, is_log, names, self.palette, drawn, context)

    def _fit_lines(self, found: Album, width: int, height: int) -> list[Line]:
        """Return the chosen view of the fit: a map over two inputs, or predictions against targets."""
        maps = () if isinstance(found.regions, EngineError) else found.regions
        fits = () if maps and isinstance(found.fit, EngineError) else (found.fit,)
        refused = (found.regions,) if isinstance(found.regions, EngineError) else ()
        views: list[tuple[Any, Callable[[Any, int], list[Line]]]] = [
            *((regions, lambda shown, room: self._map_lines(shown, width, room)) for regions in maps),
            *((fit, lambda shown, room: self._pair_lines(shown, width, room)) for fit in (*fits, *refused)),
        ]
        at = self._chosen[FIT] % len(views)
        more = wrapped(f"view {at + 1} of {len(views)}: ↑ ↓", width, "dim") * (len(views) > 1)
        view, draw = views[at]
        return [*_or_words(view, lambda shown: draw(shown, height - len(more)), width), *more]

    def _map_lines(self, found: Regions, width: int, height: int) -> list[Line]:
        frame = self._shown
        names = target_names(frame, found.columns)
        filled = self._pixels.regions(found)
        return regions_lines(found, names, input_names(frame), width, height, self.palette, filled)

    def _pair_lines(self, found: Fit, width: int, height: int) -> list[Line]:
        frame = self._shown
        given = next(iter(input_names(frame, 1)), "input")
        return fit_lines(found, target_names(frame, max(found.series) + 1), width, height, given)

    def _size_lines(self, found: Album, width: int, height: int, is_log: bool | None) -> list[Line]:
        """Return the picture of all parameters' gradient sizes in one pass, or of one's over the epochs."""
        at, unit = self._chosen[SIZES] % (len(found.sizes) + 1), unit_of(self._shown.loop)
        if not at:
            return layer_lines(found.sizes, width, height, is_log, unit)
        return size_lines(found.sizes[at - 1], self._shown.epoch, width, height, is_log, unit)


def _or_words(found: Any, draw: Callable[[Any], list[Line]], width: int) -> list[Line]:
    """Return what `draw` makes of a computed picture, or the reason that it could not be computed."""
    if isinstance(found, EngineError):
        return wrapped(str(found), width, "warn")
    return draw(found)
