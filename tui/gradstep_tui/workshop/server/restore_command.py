"""`gradstep serve --restore`: lists the sessions that are set aside, or brings one back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput, EngineError
from gradstep_tui.commands.parsers import complain_of
from gradstep_tui.workshop.server.event_log import log
from gradstep_tui.workshop.server.storage.database import Database
from gradstep_tui.workshop.server.storage.set_aside import Restored, restore, sessions_set_aside
from gradstep_tui.workshop.server.storage.state_folder import state_folder

SERVE: Final = "gradstep serve"


def restore_command(wanted: str, state: Path | None) -> int:
    """Run the command, and return the exit code.

    Args:
        wanted: `NAME` or `NAME:ACTIONS`; empty to list what is set aside.
        state: State folder of the workshop, whose server must not run; None for the default one.
    """
    name, colon, actions = wanted.partition(":")
    try:
        if colon and not (actions.isascii() and actions.isdigit() and len(actions) < 10):
            raise BadInput(
                f"--restore: {actions[:40]!r} is not a number of actions: type e.g. {name[:24]}:40"
            )
        with _opened(state_folder(state)) as database:
            if not name:
                lines = [str(aside) for aside in sessions_set_aside(database)]
                print("\n".join(lines) if lines else "no session is set aside")
                return 0
            restored = restore(database, name, int(actions) if colon else None)
    except EngineError as error:
        return complain_of(error, SERVE)
    log("restored", name=name, session=restored.old.session, actions=restored.actions)
    print(told(restored))
    return 0


def told(restored: Restored) -> str:
    """Return a sentence about what was brought back."""
    old = restored.old
    count = f"{restored.actions} of {old.actions} actions"
    text = f"{old.name}'s session {old.session} is back, with {count}."
    if restored.replaced:
        text += (
            f" The session since then, {restored.replaced}, is set aside: the same command brings it back."
        )
    return text


@contextmanager
def _opened(folder: Path) -> Iterator[Database]:
    """Open the database of a workshop that does not run, for the time of the block.

    Raises:
        BadInput: there is none, it cannot be opened, or a server uses it.
    """
    if not (folder / "workshop.db").exists():
        raise BadInput(f"--restore: {folder} has no database: name the workshop's folder with --state")
    database = Database(folder, log)
    try:
        yield database
    finally:
        database.close()
