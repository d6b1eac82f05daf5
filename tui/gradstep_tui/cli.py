"""The `gradstep` command."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from gradstep import problems
from gradstep.errors import BadInput, MissingName
from gradstep.opening import open_session
from gradstep.scripts.source_reader import is_path
from gradstep.tensors.stack import make_room_for_deep_graphs
from gradstep_tui.commands.parsers import (
    RUN,
    USES,
    Parser,
    bench_parser,
    check_parser,
    complain,
    complain_of,
    export_parser,
    help_parser,
    list_parser,
    open_parser,
    replay_parser,
    resume_parser,
    run_parser,
    sessions_parser,
)
from gradstep_tui.commands.script_arguments import parsed
from gradstep_tui.commands.start_options import is_table, start_of
from gradstep_tui.session.autosave import Autosave, saved_title, session_file
from gradstep_tui.session.jobs import leave_stuck_jobs
from gradstep_tui.session.preferences import Preferences
from gradstep_tui.session.script_start import running_title, told_while_running
from gradstep_tui.terminal.capabilities import capabilities

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptLoop
    from gradstep.session import Session
    from gradstep_tui.courses.lesson_taking import LessonTaking
    from gradstep_tui.terminal.crash_guard import CrashGuard

    Lesson: TypeAlias = tuple[LessonTaking, LessonProgress | None]

HEADLESS = (
    "gradstep: this needs a terminal on standard input and output; without one, use `gradstep --plain`, "
    "`gradstep run`, or Python (see `gradstep help python-api`)"
)

UNIX: Final = ("fcntl", "grp", "pty", "pwd", "resource", "termios")
"""Modules of Python that a workshop needs and that only Unix has."""

NEEDS_UNIX: Final = (
    "a workshop needs a Unix system, e.g. Linux or macOS, because each learner gets a terminal and a process "
    "with limits there. Learners may join from any system."
)

DUMB = "gradstep: this terminal cannot draw (TERM={}), so gradstep starts in plain mode (`gradstep --plain`)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `gradstep` and return its exit code: 0, or 2 if an argument or the terminal is wrong.

    `gradstep run` and `gradstep replay` have further exit codes, which their help lists.

    Args:
        arguments: Arguments after the word `gradstep`; None for those of the process.
    """
    _Process.ends = arguments is None
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] != ["serve"]:  # a workshop's processes run built-in problems only, and count every byte
        make_room_for_deep_graphs()
    if given and given[0] in COMMANDS:
        return COMMANDS[given[0]](given[1:])
    options = parsed(bench_parser(), given)
    if options.print_completion is not None:
        from gradstep_tui.commands.completion import print_completion

        bench = bench_parser(with_problem=False)
        return print_completion(options.print_completion, bench, parsers_of_subcommands())
    if options.problem in COMMANDS:
        word = options.problem
        use = next(use for use in USES if use.startswith(f"gradstep {word} "))
        return complain(f"put options after the word {word}: {use}")
    if meant := _command_meant(options.problem):
        return complain(f"no problem is called {options.problem!r}. Did you mean `gradstep {meant}`?")
    try:
        start = start_of(options)
    except BadInput as error:
        return complain_of(error)
    if options.save is not None and (wrong := _cannot_save(options.save)):
        return complain(wrong)
    autosave = Autosave(options.save)
    autosave.offers_any = options.problem is None and options.csv is None
    if options.problem in problems.all_names():
        Preferences().remember(problem=options.problem)
    else:
        Preferences().remember_own(start)
    return _train(partial(autosave.begin, start), autosave, options, running_title(start))


class _Process:
    """What this module knows of its process."""

    ends: ClassVar[bool] = False
    """Whether the process ends when the command has ended."""


def _resume(arguments: Sequence[str]) -> int:
    options = resume_parser().parse_args(arguments)
    autosave = Autosave()
    autosave.offers = False
    file = session_file(options.file)
    return _train(partial(autosave.resume, file), autosave, options, saved_title(file))


def _replay(arguments: Sequence[str]) -> int:
    options = replay_parser().parse_args(arguments)
    if options.to_end:
        from gradstep_tui.commands.replay import replay_to_end

        return _guarded(lambda _: replay_to_end(options.file))
    autosave = Autosave()
    autosave.offers = False
    return _train(partial(autosave.replay, options.file), autosave, options, saved_title(options.file))


def _open(arguments: Sequence[str]) -> int:
    from gradstep_tui.recording_command import open_file

    return open_file(arguments, ends=_Process.ends)


def _export(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands.export import export_file

    options = export_parser().parse_args(arguments)
    return _guarded(lambda _: export_file(options.file, options.to, force=options.force))


def _run(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands import run as headless
    from gradstep_tui.commands.reports.json_report import json_line
    from gradstep_tui.commands.reports.notebook_report import printed
    from gradstep_tui.terminal.guard_process import READY

    options = parsed(run_parser(), arguments)
    try:
        start = start_of(options)
    except BadInput as error:
        return complain_of(error, RUN)

    def actions(loop: Loop | ScriptLoop) -> Iterator[Action]:
        return headless.plan(loop, options.epochs, options.zeroing, options.batches)

    report = json_line if options.json else printed

    def train(guard: CrashGuard) -> int:
        def make_session() -> Session:
            with told_while_running(running_title(start)):
                session = open_session(start)
            guard.tell(READY)
            return session

        return headless.run(make_session, actions, report)

    return _guarded(train)


def _list(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands.list_and_check import list_problems

    list_parser().parse_args(arguments)
    return list_problems()


def _check(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands.list_and_check import check_problem

    parser = check_parser()
    options = parsed(parser, arguments)
    if options.problem is None and options.csv is None:
        parser.error("name a script or a built-in problem, or use --csv FILE")
    return _guarded(lambda _: check_problem(options))


def _guarded(command: Callable[[CrashGuard], int]) -> int:
    """Return the exit code of a command without a screen; ctrl+c ends it, whatever its code does."""
    from gradstep_tui.terminal.crash_guard import guarded_terminal

    with guarded_terminal(_Process.ends) as guard:
        code = command(guard)
        leave_stuck_jobs(code)  # while the guard still watches: their code may let nothing else run
    return code


def _sessions(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands.sessions import manage_sessions

    return manage_sessions(arguments)


def _help(arguments: Sequence[str]) -> int:
    from gradstep_tui.commands.help import show_help

    return show_help(arguments)


def _learn(arguments: Sequence[str]) -> int:
    from gradstep_tui.lesson_command import learn

    return learn(arguments, _take_lesson)


def _lesson(arguments: Sequence[str]) -> int:
    from gradstep_tui.lesson_command import lesson

    return lesson(arguments, _take_lesson)


def _take_lesson(
    make_session: Callable[[], Session],
    autosave: Autosave,
    options: Namespace,
    taking: LessonTaking,
    progress: LessonProgress | None,
) -> int:
    return _train(make_session, autosave, options, lesson=(taking, progress))


def _serve(arguments: Sequence[str]) -> int:
    from importlib import import_module

    try:
        for module in UNIX:
            import_module(module)
    except ImportError:
        return complain(NEEDS_UNIX, "gradstep serve", hint=False)
    from gradstep_tui.workshop.server.command import serve

    return serve(arguments)


COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "run": _run,
    "resume": _resume,
    "replay": _replay,
    "open": _open,
    "export": _export,
    "list": _list,
    "check": _check,
    "sessions": _sessions,
    "learn": _learn,
    "lesson": _lesson,
    "serve": _serve,
    "help": _help,
}
"""Functions of the subcommands, by their name."""


def parsers_of_subcommands() -> Mapping[str, Parser]:
    """Return the parsers of the subcommands, by their name; `serve` is missing if this is no Unix system."""
    from gradstep_tui.commands.lessons.lesson_parsers import learn_parser, lesson_parser

    parsers = {
        "run": run_parser(),
        "resume": resume_parser(),
        "replay": replay_parser(),
        "open": open_parser(),
        "export": export_parser(),
        "list": list_parser(),
        "check": check_parser(),
        "sessions": sessions_parser(),
        "learn": learn_parser(),
        "lesson": lesson_parser(),
        "help": help_parser(),
    }
    with suppress(ImportError):
        from gradstep_tui.workshop.server.command import parser

        parsers["serve"] = parser()
    return parsers


def _train(
    make_session: Callable[[], Session],
    autosave: Autosave,
    options: Namespace,
    runs: str = "",
    lesson: Lesson | None = None,
) -> int:
    """Train on the bench or in plain mode, close the session, and return the exit code.

    Args:
        make_session: Makes the session.
        autosave: Saves the session.
        options: Options of the command.
        runs: Words for the script that runs until there is a session; empty if none does.
        lesson: Lesson to take, and what keeps its progress; None for none.
    """
    in_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    if not options.plain and not in_terminal:
        print(HEADLESS, file=sys.stderr)
        return 2
    plain = options.plain or not capabilities().moves_cursor
    if plain and not options.plain:
        print(DUMB.format(os.environ.get("TERM", "")), file=sys.stderr)
    from gradstep_tui.terminal.crash_guard import guarded_terminal
    from gradstep_tui.terminal.guard_process import LEAVING

    with guarded_terminal(_Process.ends, _kept(options)) as guard:
        try:
            make = partial(_for_one_learner, make_session, options.trace_limit, guard)
            code = (_converse if plain else _draw)(make, autosave, options.ascii, guard, runs, lesson)
        except MissingName as error:  # Textual or PyTorch is of a version that gradstep cannot work with
            code = complain_of(error)
        finally:
            guard.hold_ending()
            guard.tell(LEAVING)
            autosave.close()
        code = guard.code(code)
        if not code:
            _say_saved(autosave)
        leave_stuck_jobs(code)  # while the guard still watches: their code may let nothing else run
    return code


def _say_saved(autosave: Autosave) -> None:
    """Say where the session is saved and how to resume it, unless nothing was done in it."""
    path = autosave.saved_as
    if path is None or autosave.trouble:
        return
    from gradstep.saving.session_folder import Store

    if path.parent == Store().folder:
        text = f"Saved: `gradstep resume` goes on with this session. It is in {path}"
    else:
        text = f"Saved: `gradstep resume {shlex.quote(str(path))}` goes on with this session."
    with suppress(OSError):
        print(text, flush=True)


def _kept(options: Namespace) -> str:
    """Return a sentence that says how to continue a session whose process was ended; empty if one cannot."""
    saved = getattr(options, "save", None) or getattr(options, "file", None)
    if "to_end" in options:  # a replay is not saved
        return ""
    command = "gradstep resume" + ("" if saved is None else f" {shlex.quote(str(saved))}")
    return f"What was done before is saved: continue with `{command}`."


def _for_one_learner(make_session: Callable[[], Session], limit: int | None, guard: CrashGuard) -> Session:
    """Make the only session of this process; `limit` is its trace limit in bytes, None for the default."""
    from gradstep.tensors.malloc import keep_freed_memory
    from gradstep_tui.terminal.guard_process import READY

    keep_freed_memory()
    session = make_session()
    guard.tell(READY)
    if limit is not None:
        session.trace_limit = limit
    return session


def _converse(
    make_session: Callable[[], Session],
    autosave: Autosave,
    ascii_only: bool,
    guard: CrashGuard,
    runs: str,
    lesson: Lesson | None,
) -> int:
    from gradstep_tui.plain.talk import INTERRUPTED, talk
    from gradstep_tui.terminal.guard_process import TYPED

    guard.tell(TYPED)
    try:
        code = talk(
            make_session,
            autosave=autosave,
            ascii_only=ascii_only,
            runs=runs,
            own=Preferences().own,
            lesson=_lesson_or_progress(lesson),
        )
        guard.hold_ending()
    except KeyboardInterrupt:  # between the two
        code = INTERRUPTED
    return code


def _draw(
    make_session: Callable[[], Session],
    autosave: Autosave,
    ascii_only: bool,
    guard: CrashGuard,
    runs: str,
    lesson: Lesson | None,
) -> int:
    guard.hold_ending()
    from gradstep_tui.app import GradstepApp
    from gradstep_tui.keymap import config_file, read_keymap
    from gradstep_tui.session.jobs import LEAVING, wait_for_jobs
    from gradstep_tui.terminal import guard_process
    from gradstep_tui.terminal.encoding import terminal_speaks_utf8
    from gradstep_tui.terminal.pixels import pixel_protocol
    from gradstep_tui.terminal.redirected_output import terminal_for_the_screen
    from gradstep_tui.terminal.textual_driver import prepare_terminal

    ascii_only = ascii_only or not terminal_speaks_utf8()
    with terminal_for_the_screen():
        prepare_terminal(guard)
        app = GradstepApp(
            make_session,
            autosave=autosave,
            ascii_only=ascii_only,
            runs=runs,
            preferences=Preferences(),
            pixels=pixel_protocol(),
        )
        app.choose_keys(read_keymap(config_file()))
        app.taking, app.lesson_progress = _lesson_or_progress(lesson)
        app.run()
        guard.tell(guard_process.LEAVING)
        wait_for_jobs(LEAVING)
    return app.return_code or 0


def _lesson_or_progress(lesson: Lesson | None) -> Lesson | tuple[None, LessonProgress]:
    """Return the lesson to take with what keeps its progress; without a lesson, what keeps that of any."""
    from gradstep.lessons.lesson_progress import LessonProgress

    return (None, LessonProgress()) if lesson is None else lesson


def _command_meant(word: str | None) -> str | None:
    """Return the subcommand that a word resembles more than any problem's name; None if there is none."""
    if word is None or is_path(word) or is_table(word):
        return None
    close = get_close_matches(word.casefold(), [*problems.all_names(), *COMMANDS], n=1)
    return close[0] if close and close[0] in COMMANDS else None


def _cannot_save(path: os.PathLike[str]) -> str:
    """Return the reason that no new file can be made at `path`; empty if it can be made."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.lexists(path):
        return f"--save {path}: this file exists already; use `gradstep resume` to continue a saved session"
    if not os.path.isdir(folder):
        return f"--save {path}: there is no folder {folder}"
    if not os.access(folder, os.W_OK):
        return f"--save {path}: you may not write to the folder {folder}"
    return ""
