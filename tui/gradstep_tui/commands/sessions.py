"""`gradstep sessions`: list, show and delete saved sessions. Nothing is deleted unasked."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from gradstep.errors import EngineError
from gradstep.saving.session_folder import Store
from gradstep.saving.session_list import (
    MOST_BYTES,
    ListedSession,
    beyond_bounds,
    delete_session,
    listed_session,
    listed_sessions,
    session_named,
)
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import SESSIONS, complain, complain_of, sessions_parser


def manage_sessions(arguments: Sequence[str]) -> int:
    """Run the command and return the exit code: 0, 1 if the output could not be written, or 2."""
    options = sessions_parser().parse_args(arguments)
    store = Store()
    try:
        match options.what:
            case "show":
                return _print(_shown(listed_session(session_named(store, options.name))))
            case "delete":
                named = dict.fromkeys(session_named(store, name) for name in options.names)
                return _delete(list(named), options.yes)
            case "prune":
                return _prune(store, options.keep, options.yes)
            case _:
                return _print(_table(store))
    except EngineError as error:
        return complain_of(error, SESSIONS, hint=False)
    except OSError as error:
        return complain(f"{error.filename}: cannot be read: {error.strerror}", SESSIONS, hint=False)


def _table(store: Store) -> Iterator[str]:
    found = list(listed_sessions(store))
    if not found:
        yield f"there is no saved session in {store.folder}"
        return
    wide = max(len(session.path.stem) for session in found)
    yield f"{'name':<{wide}}  {'began':<16}  {'actions':>9}  {'epochs':>9}  {'size':>9}  left"
    for session in found:
        began = "" if session.started is None else f"{session.started:%Y-%m-%d %H:%M}"
        yield (
            f"{session.path.stem:<{wide}}  {began:<16}  {session.actions:>9,}  {session.epochs:>9,}  "
            f"{_size(session.size):>9}  {_left(session)}"
        )
    size = _size(sum(session.size for session in found))
    yield f"{len(found):,} session{'s' * (len(found) != 1)}, {size}, in {store.folder}"


def _size(count: int) -> str:
    """Return a number of bytes in words, e.g. `1.2 MB`."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def _left(session: ListedSession) -> str:
    if session.header is None:
        return "cannot be read"
    return "in order" if session.in_order else "not in order"


def _shown(session: ListedSession) -> Iterator[str]:
    yield f"file      {session.path}"
    if session.header is not None:
        start, environment = session.header.start, session.header.environment
        yield f"problem   {start.problem}"
        yield f"began     {session.started:%Y-%m-%d %H:%M}"
        if start.seed is not None:
            yield f"seed      {start.seed}"
        yield f"PyTorch   {environment.torch}, on {environment.system} ({environment.machine})"
    yield f"actions   {session.actions:,}"
    yield f"epochs    {session.epochs:,}"
    if session.last is not None and session.last.loss is not None:
        yield f"loss      {session.last.loss}"
    yield f"size      {_size(session.size)}"
    yield f"left      {_left(session)}"


def _prune(store: Store, keep: int, yes: bool) -> int:
    beyond = beyond_bounds(store, keep)
    if not beyond:
        return _print([f"no session is beyond the newest {keep:,} and {_size(MOST_BYTES)}"])
    return _delete(beyond, yes)


def _delete(paths: Sequence[Path], yes: bool) -> int:
    """Delete sessions once the learner has agreed, and return the exit code."""
    sessions = f"{len(paths):,} session{'s' * (len(paths) != 1)}"
    if not yes:
        if not sys.stdin.isatty():
            return complain(
                f"{sessions} would be deleted: run this in a terminal, which asks first, or add --yes",
                SESSIONS,
                hint=False,
            )
        print(*(f"  {path.stem}" for path in paths), sep="\n")
        if not _agreed(f"Delete {sessions} for good? [y/N] "):
            return _print(["nothing is deleted"])
    left = 0
    for path in paths:
        try:
            delete_session(path)
        except EngineError as error:
            left = complain_of(error, SESSIONS, hint=False)
        else:
            print(f"deleted {path.stem}")
    return left


def _agreed(question: str) -> bool:
    with suppress(EOFError, KeyboardInterrupt):
        return input(question).strip().casefold() in ("y", "yes")
    return False


def _print(lines: Iterable[str]) -> int:
    try:
        for line in lines:
            print(line, flush=True)
    except BrokenPipeError as error:
        return stop_writing(error, SESSIONS)
    return 0
