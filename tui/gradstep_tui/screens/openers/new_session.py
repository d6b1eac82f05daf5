"""Replaces the session on the bench: by a session of another problem, or of the edited script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import Refused
from gradstep.reload import edit_like, start_again
from gradstep.scripts.script_errors import Abandoned, ScriptError
from gradstep_tui.commands.list_and_check import listed
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.choosers.problems import ProblemsScreen
from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.session.script_start import running_title
from gradstep_tui.text.refusals import error_remark
from gradstep_tui.text.remarks import NOTHING, Remark, hint, success
from gradstep_tui.text.scripts.obstacles import worded
from gradstep_tui.text.work import work_text

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen

LOADING = "loading; {stop} stops it and keeps this session"
STOPPED = hint("loading was stopped; the session goes on as before")


def choose_problem(bench: KeyedScreen) -> None:
    """Show the problems, and begin a session of the chosen one."""

    def chosen(start: Start | None) -> None:
        if start is not None:
            begin(bench, start, f"{start.title} begins")

    session = bench.idle_session()
    if session is not None:
        bench.app.push_screen(ProblemsScreen(listed(bench.own), session.problem.name), chosen)


def reload(bench: KeyedScreen) -> None:
    """Read the problem's file again, and begin a session with the learner's choices."""
    session = bench.idle_session()
    if session is None:
        return
    try:
        start = start_again(session)
    except Refused as refused:
        bench.notice = error_remark(refused)
        return
    begin(bench, start, f"{Path(start.problem).name} read again", after=session)


def begin(bench: KeyedScreen, start: Start, title: str, after: Session | None = None) -> None:
    """Begin another session in a thread; if it cannot be made, the current session goes on.

    Args:
        bench: The bench that shows the session.
        start: Problem and options of the session.
        title: Notice once the session has begun.
        after: Session whose edits of the loop are repeated in the new session; None for none.
    """

    def work(stopped: Callable[[], bool]) -> Session | ScriptError | Remark:
        try:
            session = bench.begin(start, stopped)
        except ScriptError as error:
            return error
        except Abandoned:
            return STOPPED
        if after is not None:
            edit_like(session, after)
        return session

    def show(came: Session | ScriptError | Remark) -> None:
        if isinstance(came, Remark):
            bench.notice = came
        elif isinstance(came, ScriptError):
            texts = (*worded(came).lines, "", "Nothing is lost: the session goes on as before.")
            bench.app.push_screen(TextScreen("this cannot be trained", texts))
        else:
            bench.take(came)
            bench.notice = success(title).also(bench.notice)

    runs = running_title(start)
    bench.work(work, show, title=runs)
    bench.notice = NOTHING if runs else hint(LOADING.format(**SIGNS))
    bench.busy = work_text(runs, 0, None) if runs else ""
