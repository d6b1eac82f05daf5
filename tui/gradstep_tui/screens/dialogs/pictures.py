"""The dialog with the pictures of a session: loss surface, fit, gradient sizes, losses, and graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from gradstep_tui.bindings import like
from gradstep_tui.commands.export import exports_of, picture_writer
from gradstep_tui.drawing.svg import lines_svg
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.widgets.pictures.picture import FIT, GRAPH, SIZES, SURFACE, TITLES, PicturePanel

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep_tui.session.pictures import Album
    from gradstep_tui.text.remarks import Remark

HINT = "Tab: next picture  arrows: choose  y: linear/log  ctrl+s: SVG  Esc: close"
GRAPH_HINT = (
    "{forward} {step_node} {step_node_back} {backward}: step  arrows: scroll  Tab: next picture  "
    "ctrl+s: SVG  Esc: close"
)


class PicturesScreen(Dialog[None]):
    """A dialog that shows the pictures, one at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", tooltip="Go back to the bench."),
        like("pictures"),
        like("graph"),
        Binding("tab", "turn(1)", "next", tooltip="Show the next picture."),
        Binding("shift+tab", "turn(-1)", "back", tooltip="Show the previous picture."),
        Binding(
            "left",
            "choose(0, -1)",
            "across",
            tooltip="Choose the previous number for the horizontal axis, or scroll left.",
        ),
        Binding(
            "right",
            "choose(0, 1)",
            "across",
            tooltip="Choose the next number for the horizontal axis, or scroll right.",
        ),
        Binding(
            "up",
            "choose(1, -1)",
            "up",
            tooltip="Choose the previous vertical axis or parameter, or scroll up.",
        ),
        Binding(
            "down",
            "choose(1, 1)",
            "up",
            tooltip="Choose the next vertical axis or parameter, or scroll down.",
        ),
        Binding("y", "scale", "linear/log", tooltip="Change between a linear and a logarithmic scale."),
        Binding("ctrl+s", "export", "save", tooltip="Write this picture as an SVG file."),
        like("step_node", "step('step_node')", "Run the next node in the graph."),
        like("step_node_back", "step('step_node_back')", "Go one node back in the graph."),
        like("forward", "step('forward')", "Compute the loss, and build a graph."),
        like("backward", "step('backward')", "Run the rest of the backward pass in the graph."),
    ]
    DEFAULT_CSS = """
    PicturesScreen { align: center middle; }
    PicturesScreen > Vertical {
        width: 100%; max-width: 160; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    """

    def __init__(
        self,
        frame: Frame,
        count: int,
        compute: Callable[[tuple[int, int] | None], None],
        press: Callable[[str], None],
        at: int = SURFACE,
    ) -> None:
        """Show a picture, computed if necessary.

        Args:
            frame: The session's frame.
            count: Number of numbers in all parameters.
            compute: Computes the pictures in a thread, given the indices of the surface's two numbers or None
                to have them chosen, and calls `show` with them.
            press: Presses a key of the bench, given its id, and calls `go_on` afterwards.
            at: Index of the first picture, e.g. `SURFACE`.
        """
        super().__init__()
        self._count = count
        self._compute = compute
        self._press = press
        self.wanted: tuple[int, int] | None = None
        """Indices of the two numbers that the loss surface varies; None as long as the learner chose none."""

        self._shown: tuple[int, int] | None = None
        """Indices of the two numbers that were chosen for the learner; None before that."""

        self._picture = PicturePanel(frame, at)

    def compose(self) -> ComposeResult:
        """Yield the widgets of the dialog."""
        with Vertical():
            yield self._picture

    async def click_beside(self) -> None:
        """Show the next picture."""
        self.action_turn(1)

    def on_mount(self) -> None:
        """Show the first picture."""
        self.action_turn(0)

    def on_resize(self) -> None:
        """Show pixels where the picture is now: the dialog may have moved without a change of its size."""
        self._picture.redraw()

    def on_screen_suspend(self) -> None:
        """Remove pixels: another dialog is on top."""
        self._picture.hide_pixels()

    def on_screen_resume(self) -> None:
        """Show pixels again after all is drawn."""
        self._picture.call_after_refresh(self._picture.show_pixels)

    def show(self, found: Album) -> None:
        """Show computed pictures."""
        if found.chosen is not None:
            self._shown = found.chosen.numbers
        self._picture.show(found)

    def go_on(self, frame: Frame, notice: Remark) -> None:
        """Show the session's graph after a step; pictures computed before are out of date."""
        self._picture.go_on(frame, notice)

    def action_turn(self, steps: int) -> None:
        """Go forward by a number of pictures, and have the picture computed if necessary."""
        self._picture.turn(steps)
        at = self._picture.at
        box = self.query_one(Vertical)
        box.border_title = f"{TITLES[at]} ({at + 1} of {len(TITLES)})"
        box.border_subtitle = GRAPH_HINT.format(**SIGNS) if at == GRAPH else HINT
        if self._picture.waits:
            self._compute(self.wanted)

    def action_choose(self, axis: int, steps: int) -> None:
        """Choose another axis of the surface, another parameter or another view, or scroll the graph."""
        at = self._picture.at
        if at == GRAPH:
            self._picture.scroll(axis, steps)
        elif at in (FIT, SIZES) and axis == 1:
            self._picture.choose(steps)
        elif at == SURFACE and self._count > 2:
            now = self.wanted or self._shown
            if now is not None:
                places = list(now)
                while places[axis] == now[axis] or places[0] == places[1]:
                    places[axis] = (places[axis] + steps) % self._count
                self.wanted = places[0], places[1]
                self._compute(self.wanted)

    def action_scale(self) -> None:
        """Change between a linear and a logarithmic scale."""
        self._picture.change_scale()

    def action_step(self, key_id: str) -> None:
        """Step the session, if the graph is shown."""
        if self._picture.at == GRAPH:
            self._press(key_id)

    def action_export(self) -> None:
        """Ask for a file name, and write the picture."""
        title, larger = TITLES[self._picture.at], self._picture.larger()
        name = f"gradstep: {title}"
        with self._picture.in_cells():
            picture = lines_svg(larger, name) if larger else self.app.export_screenshot(title=name)
        question = "Write this picture to which file? (.svg is added)"
        self.app.push_screen(
            AskScreen(question, title.replace(" ", "-"), picture_writer(picture, exports_of(self.app))),
            self._tell,
        )

    def _tell(self, written: str | None) -> None:
        if written is not None:
            self.query_one(Vertical).border_subtitle = written
