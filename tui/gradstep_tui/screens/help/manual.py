"""The manual over the bench: a list of topics, the page, and a search over all pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.reactive import var
from textual.widgets import Input, Markdown
from textual.widgets.markdown import MarkdownBlock

from gradstep_tui.bindings import like
from gradstep_tui.manual.pages import INDEX, page, topics
from gradstep_tui.manual.search import Hit, excerpt, find
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.screens.dialogs.field import Field
from gradstep_tui.screens.help.manual_list import ManualList, ManualRow

WIDE: Final = 108
"""Columns from which the list stands beside the page; on narrower screens one of them is shown."""

HEAD_OF_A_TABLE: Final = 2
"""Lines of a table in Markdown before its first row."""

LIST_HINT: Final = "arrows and Enter open a page, / searches, Esc closes"
RESULTS_HINT: Final = "Enter opens, / searches again, Esc goes back to the topics"
PAGE_HINT: Final = "arrows scroll, / searches, Tab goes to the list, Esc goes back"
BESIDE_HINT: Final = "arrows scroll, / searches, Tab goes to the list, Esc closes"
SEARCH_HINT: Final = "type words to find, then Enter; Esc goes back"


class ManualScreen(Dialog[None]):
    """All pages of the manual. F1 and q close it; Esc goes one step back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that each is done before the next key is looked at: that may belong to the field.
        Binding("escape", "back", "back", priority=True, tooltip="Go one step back; at last, to the bench."),
        Binding("q", "close", "close", priority=True, tooltip="Go back to the bench."),
        Binding("f1", "close", "close", priority=True, tooltip="Go back to the bench.", id="manual"),
        Binding("tab,shift+tab", "switch", "list or page", priority=True, tooltip="Go to list or page."),
        Binding("slash", "search", "search", priority=True, tooltip="Search all pages."),
        # After the keys that the field has got.
        Binding("escape", "stop_searching", "back", tooltip="Go back without a search."),
        like("manual"),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ManualScreen { align: center middle; }
    ManualScreen > Vertical {
        width: 100%; max-width: 150; height: 100%;
        border: round $text-primary; background: $background; padding: 0 1;
    }
    ManualScreen Input, ManualScreen Input:focus { border: none; height: 1; padding: 0; margin-bottom: 1; }
    ManualScreen ManualList { width: 1fr; height: 1fr; }
    ManualScreen VerticalScroll { width: 1fr; height: 1fr; }
    ManualScreen.-wide ManualList { width: 27; margin-right: 1; }
    ManualScreen.-wide.-results ManualList { width: 44; }
    ManualScreen Markdown { padding: 0; }
    ManualScreen Markdown > * { margin: 0 0 1 0; }
    ManualScreen MarkdownBlock > .code_inline { text-style: bold; }
    ManualScreen MarkdownTableContent { keyline: none; grid-gutter: 0 1; }
    ManualScreen .-found { text-style: reverse; }
    """

    reading: var[bool] = var(False)
    """Whether keys go to the page rather than to the list."""

    searching: var[bool] = var(False)
    """Whether somebody types what to search for."""

    hits: var[Sequence[Hit]] = var[Sequence[Hit]](())
    """Results of the search that the list shows; empty while it shows the topics."""

    def compose(self) -> ComposeResult:
        """Lay the list, the page and the field out."""
        with Vertical() as box:
            box.border_title = "manual"
            yield Field(placeholder="search", select_on_focus=True)
            with Horizontal():
                yield ManualList()
                with VerticalScroll(can_focus=True):
                    yield Markdown(open_links=False)

    def on_mount(self) -> None:
        """Show the topics."""
        self._list()

    async def on_resize(self, event: events.Resize) -> None:
        """Show the page beside the list if the screen is wide enough for both, otherwise one at a time."""
        self.set_class(event.size.width >= WIDE, "-wide")
        self._arrange()
        if self.has_class("-wide") and not self.query_one(Markdown).source:
            await self.open(INDEX)

    async def open(self, name: str, line_number: int = 0) -> None:
        """Show a page, with a line of its Markdown text in view and marked."""
        await self.query_one(Markdown).update(page(name))
        self.query_one(VerticalScroll).scroll_home(animate=False)
        if line_number:
            self.call_after_refresh(self._show_line, line_number)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave all keys to the field while somebody types what to search for."""
        if self.searching and action in ("back", "close", "switch", "search"):
            return False
        return super().check_action(action, parameters)

    def action_stop_searching(self) -> None:
        """Leave the field."""
        self.searching = False

    def action_close(self) -> None:
        """Leave the manual."""
        self.dismiss()

    def action_back(self) -> None:
        """Leave the page, the results, or the manual, in this order."""
        if self.reading and not self.has_class("-wide"):
            self.reading = False
        elif self.hits:
            self.hits, self.reading = (), False
            self._list()
        else:
            self.dismiss()

    def action_switch(self) -> None:
        """Go from the list to the page, or back."""
        self.reading = not self.reading

    def action_search(self) -> None:
        """Ask for words."""
        self.searching = True

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """List the passages that were found; without words, the topics."""
        words, hits = event.value.strip(), find(event.value)
        if words and not hits:
            self._hint(f"no passage of the manual has {words[:30]!r}")
            await self.query_one(Field).reject()
            return
        self.hits = hits
        self.searching = self.reading = False
        self._list()
        self.query_one(Field).hand_over()

    async def on_manual_list_chosen(self, event: ManualList.Chosen) -> None:
        """Open what was chosen."""
        self.reading = True
        if self.hits:
            hit = self.hits[event.index]
            await self.open(hit.topic, hit.line)
        else:
            await self.open(topics()[event.index].name)

    async def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Follow a link to another page; nothing outside is opened."""
        event.stop()
        target = event.href.partition("#")[0].removesuffix(".md")
        if any(target == topic.name for topic in topics()):
            self.reading = True
            await self.open(target)
        else:
            self._hint(f"not opened from here: {event.href}")

    # Drawing

    def watch_reading(self) -> None:
        """Show the list or the page, whichever the keys go to."""
        self._arrange()

    def watch_searching(self) -> None:
        """Show or hide the field."""
        self._arrange()

    def _arrange(self) -> None:
        """Show what belongs on screen, and give it the keys."""
        if not self.is_mounted:
            return
        wide = self.has_class("-wide")
        self.set_class(bool(self.hits), "-results")
        choices, text, field = (
            self.query_one(ManualList),
            self.query_one(VerticalScroll),
            self.query_one(Input),
        )
        choices.display = wide or not self.reading
        text.display = wide or self.reading
        field.display = self.searching
        # At once: `focus` would wait for a redraw, and a character that is typed before it would be lost.
        self.set_focus(field if self.searching else text if self.reading else choices)
        listed = RESULTS_HINT if self.hits else LIST_HINT
        reads = BESIDE_HINT if wide and not self.hits else PAGE_HINT
        self._hint(SEARCH_HINT if self.searching else reads if self.reading else listed)

    def _hint(self, text: str) -> None:
        self.query_one(Vertical).border_subtitle = text

    def _list(self) -> None:
        """List the results, or the topics if there are none."""
        rows = [ManualRow(topic.name, topic.summary) for topic in topics()]
        if self.hits:
            wanted = self.query_one(Input).value
            rows = [ManualRow(hit.topic, excerpt(hit.text, wanted)) for hit in self.hits]
        self.query_one(ManualList).show(rows)
        self._arrange()

    def _show_line(self, number: int) -> None:
        """Bring the block that a line of the Markdown text belongs to into view, and mark it."""
        holding = [
            block
            for block in self.query(MarkdownBlock)
            if block.source_range[0] <= number < block.source_range[1] and block.region.height
        ]
        if holding:
            block = min(holding, key=lambda block: block.source_range[1] - block.source_range[0])
            row = number - block.source_range[0] - HEAD_OF_A_TABLE + 1
            found = list(block.query(f".row{row}")) if row > 0 else []
            for widget in found or [block]:
                widget.add_class("-found")
            self.query_one(VerticalScroll).scroll_to_widget((found or [block])[0], animate=False, top=True)
