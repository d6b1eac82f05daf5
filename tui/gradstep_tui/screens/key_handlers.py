"""The handler of every key of the bench."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.screens.base.keyed_screen import KeyedScreen, KeyHandler
from gradstep_tui.screens.base.working_screen import AT_ONCE
from gradstep_tui.screens.openers.asking import ask_prediction
from gradstep_tui.screens.openers.comparison import show_timeline, show_twin
from gradstep_tui.screens.openers.export import ask_export
from gradstep_tui.screens.openers.lessons import (
    choose_lesson,
    go_on_in_lesson,
    go_to_lesson,
    show_hint,
    skip_lesson_step,
)
from gradstep_tui.screens.openers.new_session import choose_problem, reload
from gradstep_tui.screens.openers.pictures import show_pictures
from gradstep_tui.screens.openers.reset import ask_reset
from gradstep_tui.screens.openers.settings import ask_batches, ask_epochs, ask_optimizer, ask_rate
from gradstep_tui.screens.openers.themes import choose_theme
from gradstep_tui.screens.openers.views import (
    show_check,
    show_data,
    show_elements,
    show_help,
    show_ledger,
    show_manual,
    show_printed,
    show_step,
)
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.verdict import verdict_remark
from gradstep_tui.widgets.pictures.picture import GRAPH

if TYPE_CHECKING:
    from gradstep.analysis.loop_verdict import Verdict


def show_verdict(bench: KeyedScreen) -> None:
    """Show the verdict on the loop; the session does not change."""

    def tell(verdict: Verdict) -> None:
        unit = EPOCH if bench.frame is None else unit_of(bench.frame.loop)
        bench.complaint, bench.notice = verdict.error, verdict_remark(verdict, unit)
        bench.verdict_found(verdict)

    session = bench.idle_session()
    if session is not None:
        work = session.verdict
        bench.work(lambda _: work(), tell, title="verdict", holds_keys=True, at_once=AT_ONCE)


def _apply(key: Key, bench: KeyedScreen) -> None:
    assert key.action is not None
    bench.perform(key.action())


def _edit(key: Key, bench: KeyedScreen) -> None:
    bench.edit(key)


HANDLERS: Final[Mapping[str, KeyHandler]] = {
    **{key.id: partial(_apply, key) for key in KEYS if key.action is not None},
    **{key.id: partial(_edit, key) for key in KEYS if key.edit is not None},
    "run": ask_epochs,
    "predict": ask_prediction,
    "reset": ask_reset,
    "type_rate": ask_rate,
    "optimizer": ask_optimizer,
    "batches": ask_batches,
    "look": show_step,
    "elements": show_elements,
    "data": show_data,
    "ledger": show_ledger,
    "timeline": show_timeline,
    "twin": show_twin,
    "check": show_check,
    "verdict": show_verdict,
    "pictures": show_pictures,
    "graph": partial(show_pictures, at=GRAPH),
    "lesson": go_on_in_lesson,
    "lesson_hint": show_hint,
    "lesson_place": go_to_lesson,
    "lesson_skip": skip_lesson_step,
    "lessons": choose_lesson,
    "problems": choose_problem,
    "reload": reload,
    "printed": show_printed,
    "export": ask_export,
    "help": show_help,
    "manual": show_manual,
    "theme": lambda bench: choose_theme(bench.app),
    "stop": lambda bench: bench.stop(),
    "cursor_up": lambda bench: bench.move_cursor(-1),
    "cursor_down": lambda bench: bench.move_cursor(1),
    "scroll_up": lambda bench: bench.scroll_pane(-1),
    "scroll_down": lambda bench: bench.scroll_pane(1),
    "next_pane": lambda bench: bench.next_pane(1),
    "previous_pane": lambda bench: bench.next_pane(-1),
    "zoom": lambda bench: bench.zoom(),
    "quit": lambda bench: bench.app.exit(),
}
"""Handler of each key, by the key's id."""
