"""Replaces the session on the bench: by a session of another problem, or of the edited script."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput, Refused
from gradstep.reload import edit_like, is_unchanged, start_again
from gradstep.scripts.script_errors import Abandoned, ScriptError
from gradstep.scripts.source_reader import is_path
from gradstep.start import start_from, start_from_table
from gradstep.tables.table import Table
from gradstep_tui.commands.list_and_check import ANOTHER_FILE, Listed, listed
from gradstep_tui.commands.start_options import is_table
from gradstep_tui.keys import SIGNS
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.choosers.problems import ProblemsScreen
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.session.preferences import preferences_of
from gradstep_tui.session.script_start import running_title
from gradstep_tui.text.refusals import error_remark
from gradstep_tui.text.remarks import NOTHING, Remark, hint, success
from gradstep_tui.text.scripts.obstacles import worded
from gradstep_tui.text.statements import counted, unit_of
from gradstep_tui.text.work import work_text

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen

LOADING = "loading; {stop} stops it and keeps this session"
STOPPED = hint("loading was stopped; the session goes on as before")


READS: Final = "A new session begins with {file} as it is now. This one ends after {done}."
BEGINS: Final = "A session on {title} begins. This one ends after {done}."
KEPT: Final = (
    "This session stays saved, but {file} has changed: it can be resumed only once {file} has its earlier "
    "text again. {export} exports it first."
)
NOT_KEPT: Final = "This session is not kept. {export} exports it first."
"""What another session ends, and what becomes of the present one."""

PATH_QUESTION: Final = "Path of your script (.py), notebook (.ipynb) or table (.csv)?"
TARGET_QUESTION: Final = "Which column of {name} is predicted? Its name, or its number from 1"


def choose_problem(bench: KeyedScreen) -> None:
    """Show the problems, and begin a session of the chosen one, or ask for a file."""

    def chosen(found: Listed | None) -> None:
        if found is None:
            return
        if found.start is None:
            ask_file(bench)
        else:
            if preferences is not None and not found.start.has_file:
                preferences.remember(problem=found.start.title)
            begin_if_wanted(bench, found.start)

    session, preferences = bench.idle_session(), preferences_of(bench.app)
    if session is None:
        return
    remembered = preferences.own if preferences is not None and bench.opens_files else None
    found, current = listed(bench.own or remembered), session.problem.name
    found = [*found, ANOTHER_FILE] if bench.opens_files else found
    screen, names = ProblemsScreen(found, current), [problem.name for problem in found]
    last = "" if preferences is None or session.line() else preferences.problem
    if last in names and current in names:  # nothing was done here: the problem chosen last is wanted
        screen.action_walk(names.index(last) - names.index(current))
    bench.app.push_screen(screen, chosen)


def ask_file(bench: KeyedScreen) -> None:
    """Ask for the path of a script, or of a table and the column to predict, and begin a session on it."""

    def given(path: Path | None) -> None:
        if path is None:
            return
        if is_table(path.name):
            question = TARGET_QUESTION.format(name=path.name)
            bench.app.push_screen(AskScreen(question, "1", partial(_table_start, path)), with_start)
        else:
            with_start(start_from(str(path)))

    def with_start(start: Start | None) -> None:
        if start is not None:
            begin_if_wanted(bench, start)

    bench.app.push_screen(AskScreen(PATH_QUESTION, "", file_from), given)


def file_from(text: str) -> Path:
    """Return the absolute path of a file.

    Raises:
        BadInput: there is no such file, or it is neither a script nor a table.
    """
    path = Path(text.strip()).expanduser().absolute()
    if not text.strip():
        raise BadInput("Enter the path of a file, e.g. train.py")
    if not path.is_file():
        raise BadInput(f"There is no file {text.strip()}. Paths begin in {Path.cwd()}.")
    if not is_path(path.name) and not is_table(path.name):
        raise BadInput(f"{path.name} is neither a script (.py), a notebook (.ipynb) nor a table (.csv).")
    return path


def _table_start(path: Path, column: str) -> Start:
    return start_from_table(path, Table(targets=(column.strip(),)))


def begin_if_wanted(bench: KeyedScreen, start: Start) -> None:
    """Begin a session on another problem; it asks first if the present one could not be resumed then."""

    def answered(yes: bool | None) -> None:
        if yes:
            begin(bench, start, f"{start.title} begins")

    ask_if_lost(bench, start.title, answered)


def ask_if_lost(bench: KeyedScreen, title: str, answered: Callable[[bool | None], None]) -> None:
    """Ask whether another session may begin if the present one could not be resumed then; else answer yes.

    Args:
        bench: The bench that shows the present session.
        title: Name of the problem that begins.
        answered: Called with the answer.
    """
    session = bench.idle_session()
    if session is None:
        return
    done = counted(session.frame.epoch, unit_of(session.frame.loop))
    lost = lost_texts(session, keeps_all=bench.keeps_all) if session.frame.position else []
    if lost:
        texts = [BEGINS.format(title=title, done=done), *lost]
        ask = ConfirmScreen("begin another session?", texts, "Enter: begin   Esc: cancel")
        bench.app.push_screen(ask, answered)
    else:
        answered(True)


def reload(bench: KeyedScreen) -> None:
    """Read the problem's file again, and begin a session with the learner's choices.

    If something was done that could not be resumed then, it asks first.
    """

    def again(yes: bool | None = True) -> None:
        if yes:
            begin(bench, start, f"{Path(start.problem).name} read again", after=session)

    session = bench.idle_session()
    if session is None:
        return
    try:
        start = start_again(session)
    except Refused as refused:
        bench.notice = error_remark(refused)
        return
    file, done = Path(start.problem).name, counted(session.frame.epoch, unit_of(session.frame.loop))
    lost = lost_texts(session, keeps_all=bench.keeps_all) if session.frame.position else []
    if lost:
        texts = [READS.format(file=file, done=done), *lost]
        bench.app.push_screen(ConfirmScreen("read again?", texts, "Enter: read again   Esc: cancel"), again)
    else:
        again()


def lost_texts(session: Session, *, keeps_all: bool) -> list[str]:
    """Return what is lost if another session takes a session's place; nothing if it can be resumed then.

    Args:
        session: The session.
        keeps_all: Whether the session stays saved.
    """
    if session.origin is None or (keeps_all and is_unchanged(session.origin)):
        return []
    file = Path(session.origin.problem).name
    return [(KEPT if keeps_all else NOT_KEPT).format(file=file, **SIGNS)]


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
            preferences = preferences_of(bench.app)
            if preferences is not None and came.origin is not None:
                preferences.remember_own(came.origin)
            bench.take(came)
            bench.notice = success(title).also(bench.notice)

    runs = running_title(start)
    bench.work(work, show, title=runs)
    bench.notice = NOTHING if runs else hint(LOADING.format(**SIGNS))
    bench.busy = work_text(runs, 0, None) if runs else ""
