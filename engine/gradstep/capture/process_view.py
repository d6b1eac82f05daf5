"""What a script finds of the process, and leaves: arguments, module path, `__main__`, folder, streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, Final

from gradstep.capture.random_states import RandomStates, random_states, set_random_states
from gradstep.captured_output import STREAMS, KeptFromTerminal, Printed

MAIN: Final = "__main__"


class ProcessView:
    """The process as a script sees it, while it runs; outside of that, the process is ours again."""

    def __init__(self, main: ModuleType, arguments: Sequence[str], folder: str, printed: Printed) -> None:
        """Make the view of a script that has not run yet.

        Args:
            main: Module that is `__main__` for the script.
            arguments: The script's `sys.argv`.
            folder: Folder that is first on the script's module path.
            printed: Buffer for what the script prints.
        """
        self._main, self._arguments, self._printed = main, list(arguments), printed
        self._folder = folder
        self._path: list[str] | None = None
        self.randoms: RandomStates | None = None
        """States of the random generators as the script left them; None to take them as they are."""

        self.directory: str | None = None
        """Folder that the script went to; None if it stayed."""

        self.streams: dict[str, Any] = {}
        """Standard streams that the script replaced by its own, by name."""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Show the process to the script as it left it, inside the `with` block."""
        ours = sys.argv, sys.path, sys.modules.get(MAIN), _directory()
        if self._path is None:
            self._path = [self._folder, *(entry for entry in sys.path if entry != self._folder)]
        with KeptFromTerminal(self._printed):
            kept = {name: getattr(sys, name) for name in STREAMS}
            for name, stream in self.streams.items():
                setattr(sys, name, stream)
            sys.argv, sys.path = self._arguments, self._path
            sys.modules[MAIN] = self._main
            if self.randoms is not None:
                set_random_states(self.randoms)  # other code in this process draws, too
            if self.directory is not None:
                _go(self.directory)
            try:
                yield
            finally:
                self.randoms = random_states()
                self._path, self._arguments = sys.path, sys.argv
                sys.argv, sys.path = ours[0], ours[1]
                if ours[2] is not None:
                    sys.modules[MAIN] = ours[2]
                there = _directory()
                self.directory = there if there != ours[3] else None
                _go(ours[3])
                self.streams = {n: getattr(sys, n) for n in STREAMS if getattr(sys, n) is not kept[n]}
                for name, stream in kept.items():
                    setattr(sys, name, stream)


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder is gone
        return ""


def _go(folder: str) -> None:
    if folder and folder != _directory():
        with suppress(OSError):
            os.chdir(folder)
