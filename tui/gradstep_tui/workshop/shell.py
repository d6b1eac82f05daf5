"""`gradstep-shell`: a bench as the login shell, or the ForceCommand, of an ordinary account."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput, EngineError
from gradstep_tui.session.autosave import Keeper
from gradstep_tui.workshop.bench.rlimits import BEFORE_LOADING, take_limits

if TYPE_CHECKING:
    from gradstep.saving.reader import SavedSession
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.session.autosave import Offer

NO_TERMINAL: Final = "gradstep-shell: there is a bench here and nothing else; it needs a terminal: ssh -t"
NO_FOLDER: Final = "gradstep-shell: files cannot be kept: {error}"

KEPT: Final = ("HOME", "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE")
"""Of the environment: a client may be able to set anything in it."""


def main(_: Sequence[str] | None = None) -> int:
    """Run a bench that reaches nothing else; whatever was asked for, by arguments too, is not looked at."""
    for name in [*os.environ]:
        if name not in KEPT:
            del os.environ[name]
    os.environ.update(BEFORE_LOADING)
    take_limits()
    if not all(os.isatty(standard) for standard in (0, 1, 2)):
        print(NO_TERMINAL, file=sys.stderr)
        return 1
    try:
        folder = exports_folder()
        return _bench(folder)
    except (EngineError, OSError) as error:
        print(NO_FOLDER.format(error=error), file=sys.stderr)
        return 1


def exports_folder() -> Path:
    """Give the account's folder for exports, made where there is none: beside its sessions."""
    import platformdirs

    folder = platformdirs.user_state_path("gradstep", appauthor=False) / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _bench(folder: Path) -> int:
    from gradstep.start import Start
    from gradstep_tui.drawing.ascii import terminal_speaks_utf8
    from gradstep_tui.terminal.textual_driver import know_escape_soon
    from gradstep_tui.workshop.bench.sandboxed_app import ConfinedApp, FolderExports

    keeper = ShellKeeper()
    know_escape_soon()
    app = ConfinedApp(lambda: keeper.begin(Start()), keeper=keeper, ascii_only=not terminal_speaks_utf8())
    app.exports = FolderExports(folder, app.post_message)
    try:
        app.run()
    finally:
        keeper.close()
    return app.return_code or 0


class ShellKeeper(Keeper):
    """Saves sessions as at home, and makes none that would run a file."""

    def begin(self, start: Start, stopped=lambda: False) -> Session:  # type: ignore[no-untyped-def]
        """Begin a session of a built-in problem.

        Raises:
            EngineError: it is another one, or cannot be begun.
        """
        return super().begin(built_in(start), stopped)

    def offer(self) -> Offer | None:
        """Give the session that was not left in order last, where it runs no file."""
        found = super().offer()
        if found is None:
            return None
        from gradstep.saving.reader import read_session_file

        return None if read_session_file(found.path).header.start.has_file else found

    def _replayed(self, saved: SavedSession, stopped) -> Session:  # type: ignore[no-untyped-def]
        built_in(saved.header.start)
        return super()._replayed(saved, stopped)


def built_in(start: Start) -> Start:
    """Give a start that runs no file.

    Raises:
        BadInput: it would.
    """
    from gradstep_tui.workshop.bench.sandboxed_app import NO_SCRIPTS

    if start.has_file:
        raise BadInput(NO_SCRIPTS)
    return start


if __name__ == "__main__":
    sys.exit(main())
