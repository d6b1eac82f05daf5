"""Pictures of a session, over the bench: its loss surface, its fit, its gradients and its losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from engine.errors import EngineError
from tui.exporting import picture_writer
from tui.lines import Line, wrapped
from tui.screens.ask import AskScreen
from tui.screens.dialog import Dialog
from tui.widgets.curves import loss_lines, size_lines
from tui.widgets.fit import fit_lines, target_names
from tui.widgets.panel import Panel
from tui.widgets.surface import surface_lines

if TYPE_CHECKING:
    from engine.fit import Fit
    from engine.frame import Frame
    from tui.album import Album

TITLES: Final = ("loss surface", "fit", "gradient sizes", "losses")


class PicturesScreen(Dialog[None]):
    """Four pictures, one at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "dismiss", "close", tooltip="Go back to the bench."),
        Binding("tab,space", "turn(1)", "next", tooltip="Show the next picture."),
        Binding("shift+tab,backspace", "turn(-1)", "back", tooltip="Show the picture before."),
        Binding("left", "choose(0, -1)", "across", tooltip="Another number across."),
        Binding("right", "choose(0, 1)", "across", tooltip="Another number across."),
        Binding("up", "choose(1, -1)", "up", tooltip="Another number up, or another parameter."),
        Binding("down", "choose(1, 1)", "up", tooltip="Another number up, or another parameter."),
        Binding("l", "scale", "linear/log", tooltip="Change between a linear and a logarithmic scale."),
        Binding("x", "export", "export", tooltip="Write this picture as an SVG file."),
    ]
    DEFAULT_CSS = """
    PicturesScreen { align: center middle; }
    PicturesScreen > Vertical {
        width: 100%; max-width: 160; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(self, frame: Frame, count: int, compute: Callable[[tuple[int, int]], None]) -> None:
        """Show what is being computed, and then what came of it.

        Args:
            frame: The session's.
            count: How many numbers its parameters have.
            compute: Has an album computed for two of those numbers, and then `show` called with it.
        """
        super().__init__()
        self._count = count
        self._compute = compute
        self.wanted = (0, min(1, count - 1))
        """The two numbers that the surface is to be over."""

        self._picture = _PicturePanel(frame)

    def compose(self) -> ComposeResult:
        """Lay the view out."""
        with Vertical() as box:
            box.border_subtitle = "Tab next picture, arrows choose, l linear/log, x SVG, Esc closes"
            yield self._picture

    def on_mount(self) -> None:
        """Have the pictures computed."""
        self._set_title()
        self._compute(self.wanted)

    def show(self, found: Album) -> None:
        """Show what was computed."""
        self._picture.show(found)

    def action_turn(self, steps: int) -> None:
        """Show another picture."""
        self._picture.turn(steps)
        self._set_title()

    def action_choose(self, axis: int, steps: int) -> None:
        """Choose another number for an axis of the surface; for the gradients, another parameter."""
        if self._picture.at == 2 and axis == 1:
            self._picture.turn_parameter(steps)
        elif self._picture.at == 0 and self._count > 2:
            places = list(self.wanted)
            while places[axis] == self.wanted[axis] or places[0] == places[1]:
                places[axis] = (places[axis] + steps) % self._count
            self.wanted = places[0], places[1]
            self._compute(self.wanted)

    def action_scale(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self._picture.change_scale()

    def action_export(self) -> None:
        """Ask for a name, and write the picture."""
        picture = self.app.export_screenshot(title=f"gradstep: {TITLES[self._picture.at]}")
        name = TITLES[self._picture.at].replace(" ", "-")
        question = "Write this picture to which file? .svg is added"
        self.app.push_screen(AskScreen(question, name, picture_writer(picture)), self._tell)

    def _tell(self, written: str | None) -> None:
        if written is not None:
            self.query_one(Vertical).border_subtitle = written

    def _set_title(self) -> None:
        at = self._picture.at
        self.query_one(Vertical).border_title = f"{TITLES[at]} ({at + 1} of {len(TITLES)})"


class _PicturePanel(Panel):
    """The picture, and what is chosen in it."""

    DEFAULT_CSS = "_PicturePanel { height: 1fr; }"

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._shown = frame
        self._album: Album | None = None
        self._parameter = 0
        self._logs: list[bool | None] = [None] * len(TITLES)
        self.at = 0

    def show(self, found: Album) -> None:
        self._album = found
        self.redraw()

    def turn(self, steps: int) -> None:
        self.at = (self.at + steps) % len(TITLES)
        self.redraw()

    def turn_parameter(self, steps: int) -> None:
        self._parameter = (self._parameter + steps) % len(self._shown.parameters)
        self.redraw()

    def change_scale(self) -> None:
        now = any("logarithmic" in span.text for row in self._lines for span in row)
        self._logs[self.at] = not now
        self.redraw()

    def lines(self, width: int, height: int) -> list[Line]:
        found, is_log = self._album, self._logs[self.at]
        if found is None:
            return wrapped("Computing the pictures; Esc stops.", width, "dim")
        drawings: Sequence[Callable[[], list[Line]]] = (
            lambda: _or_words(found.surface, lambda one: surface_lines(one, width, height, is_log), width),
            lambda: _or_words(found.fit, lambda one: self._fit_lines(one, width, height), width),
            lambda: size_lines(found.sizes[self._parameter], self._shown.epoch, width, height, is_log),
            lambda: loss_lines(self._shown.losses, found.marks, width, height, is_log),
        )
        return drawings[self.at]()

    def _fit_lines(self, found: Fit, width: int, height: int) -> list[Line]:
        names = target_names(self._shown, max(found.series) + 1)
        return fit_lines(found, names, width, height)


def _or_words(found: Any, draw: Callable[[Any], list[Line]], width: int) -> list[Line]:
    """Draw what was computed, or say why there is nothing."""
    if isinstance(found, EngineError):
        return wrapped(str(found), width, "warn")
    return draw(found)
