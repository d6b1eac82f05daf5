"""`gradstep-shell`: a bench as the login shell, or the ForceCommand, of an ordinary account."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep_tui.session.autosave import Autosave
from gradstep_tui.workshop.bench.rlimits import apply_limits
from gradstep_tui.workshop.bench.session.built_in import require_built_in
from gradstep_tui.workshop.wire.environment import BEFORE_LOADING
from gradstep_tui.workshop.wire.isolation import PACKAGES, isolated

if TYPE_CHECKING:
    from gradstep.start import Start
    from gradstep_tui.session.offers import Offer

NO_TERMINAL: Final = (
    "gradstep-shell: this account runs a bench and nothing else, and a bench needs a terminal: ssh -t"
)
NO_FOLDER: Final = "gradstep-shell: the bench cannot save files: {error}"

SHELL: Final = "gradstep_tui.workshop.shell"
"""Dotted name of this module, which runs as `__main__` as well."""

KEPT: Final = ("HOME", "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE")
"""Environment variables that stay; an SSH client may be able to set any other to anything."""


def main(_: Sequence[str] | None = None) -> int:
    """Run a bench and return the exit code; the arguments and any requested command are ignored."""
    for name in [*os.environ]:
        if name not in KEPT:
            del os.environ[name]
    os.environ.update(BEFORE_LOADING)
    if not sys.flags.isolated:  # the client may have chosen the current folder, and PYTHONPATH
        os.execv(sys.executable, isolated(SHELL, PACKAGES))
    apply_limits()
    if not all(os.isatty(descriptor) for descriptor in (0, 1, 2)):
        print(NO_TERMINAL, file=sys.stderr)
        return 1
    try:
        return _run_bench(exports_folder())
    except (EngineError, OSError) as error:
        print(NO_FOLDER.format(error=error), file=sys.stderr)
        return 1


def exports_folder() -> Path:
    """Return the account's folder for exports, next to its saved sessions; create it if necessary.

    Raises:
        OSError: the folder cannot be created.
    """
    import platformdirs

    folder = platformdirs.user_state_path("gradstep", appauthor=False) / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _run_bench(exports: Path) -> int:
    from gradstep.start import Start
    from gradstep_tui.terminal.crash_guard import guarded_terminal
    from gradstep_tui.terminal.encoding import terminal_speaks_utf8
    from gradstep_tui.terminal.textual_driver import prepare_terminal
    from gradstep_tui.workshop.bench.sandboxed_app import SandboxedApp
    from gradstep_tui.workshop.bench.session.folder_exports import FolderExports

    autosave = ShellAutosave()
    with guarded_terminal(at_end=True) as guard:
        guard.hold_ending()
        prepare_terminal(guard)
        app = SandboxedApp(
            lambda: autosave.begin(Start()), autosave=autosave, ascii_only=not terminal_speaks_utf8()
        )
        app.exports = FolderExports(exports, app.post_message)
        try:
            app.run()
        finally:
            autosave.close()
        return guard.code(app.return_code or 0)


class ShellAutosave(Autosave):
    """Saves sessions in the account's state folder, and refuses those that would run a file."""

    def allowed(self, start: Start) -> Start:
        """Return the start of a built-in problem.

        Raises:
            BadInput: the start would run a file.
        """
        return require_built_in(start)

    def offer(self) -> Offer | None:
        """Return the last unfinished session; None if there is none, or if it would run a file."""
        offer = super().offer()
        if offer is None:
            return None
        from gradstep.saving.session_list import listed_session

        header = listed_session(offer.path).header
        return None if header is None or header.start.has_file else offer


if __name__ == "__main__":
    sys.exit(main())
