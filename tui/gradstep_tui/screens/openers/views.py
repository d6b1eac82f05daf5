"""Dialogs that show something of the session and change nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.data_table import DataScreen
from gradstep_tui.screens.dialogs.elements import ElementsScreen
from gradstep_tui.screens.dialogs.gradient_check import CheckScreen
from gradstep_tui.screens.dialogs.ledger import LedgerScreen
from gradstep_tui.screens.dialogs.script_output import PrintedScreen
from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.screens.dialogs.whole_step import LookScreen
from gradstep_tui.screens.help.help_sections import bench_sections
from gradstep_tui.screens.help.key_table import HelpScreen, open_manual
from gradstep_tui.text.remarks import WORDS, hint
from gradstep_tui.widgets.lessons.statement_step import statement_title, whole_statement_lines
from gradstep_tui.widgets.notice import is_whole
from gradstep_tui.widgets.steps.step import labels_of, whole_lines, whole_update_lines

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import GradientCheck
    from gradstep.frame import Frame
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


def show_step(bench: KeyedScreen) -> None:
    """Show the notice in full if it does not fit, resume what it offers, or else show the current step."""
    if not is_whole(bench.notice, bench.size.width) and bench.notice is not bench.read_notice:
        bench.read_notice = bench.notice
        bench.app.push_screen(TextScreen(WORDS[bench.notice.sense], [bench.notice.text]))
        return
    if bench.resume_offered():
        return
    frame, looked = bench.frame, bench.looked
    if frame is not None and frame.backward is not None and looked is not None:
        bench.app.push_screen(
            LookScreen(partial(whole_lines, frame.backward, looked, labels=labels_of(frame)))
        )
    elif frame is not None and frame.update is not None:
        bench.app.push_screen(LookScreen(partial(whole_update_lines, frame.update, labels=labels_of(frame))))
    elif frame is not None and statement_title(frame) and not _has_event(frame):
        bench.app.push_screen(LookScreen(partial(whole_statement_lines, frame)))
    elif frame is not None and frame.backward is not None and frame.backward.done:
        bench.app.push_screen(
            LookScreen(partial(whole_lines, frame.backward, frame.backward.done - 1, labels=labels_of(frame)))
        )
    else:
        bench.notice = hint(f"press {SIGNS['step_node']} to run a node first: there is no step to show yet")


def _has_event(frame: Frame) -> bool:
    """Return whether the last action went through a pass, so that its event is the current step."""
    return frame.backward is not None and not frame.backward.over and bool(frame.backward.done)


def show_ledger(bench: KeyedScreen) -> None:
    """Show the ledger of every `.grad`."""
    if bench.frame is not None:
        bench.app.push_screen(LedgerScreen(bench.frame))


def show_data(bench: KeyedScreen) -> None:
    """Show the samples."""
    if bench.frame is not None:
        bench.app.push_screen(DataScreen(bench.frame))


def show_elements(bench: KeyedScreen) -> None:
    """Show all numbers of the parameters."""
    if bench.frame is not None:
        bench.app.push_screen(ElementsScreen(bench.frame))


def show_check(bench: KeyedScreen) -> None:
    """Check autograd's gradient against finite differences, and show the result."""

    def open_screen(found: GradientCheck) -> None:
        if bench.frame is not None:
            bench.app.push_screen(CheckScreen(found, bench.frame.ledger))

    session = bench.idle_session()
    if session is not None:
        bench.work(session.check_gradient, open_screen, title="gradient check")


def show_printed(bench: KeyedScreen) -> None:
    """Show the script's output, also while it runs."""
    output = bench.script_output
    if output is None:
        bench.notice = bench.starting
        return
    bench.app.push_screen(PrintedScreen(*output), lambda _: bench.printed_is_seen())


def show_help(bench: KeyedScreen) -> None:
    """Show the keys."""
    bench.app.push_screen(HelpScreen([*bench_sections(bench.keys)]))


def show_manual(bench: KeyedScreen) -> None:
    """Open the manual."""
    open_manual(bench.app)
