"""Makes Textual know a lone Escape sooner, and that its terminal is gone.

Escape also begins what a terminal sends for other keys. So a lone one is only known by what does not follow,
and Textual looks for that every 100 ms: too late for a key that stops a run of epochs.

A terminal that was closed can always be read, and gives nothing: Textual would ask it again for ever.
"""

from __future__ import annotations

import os
import select
import selectors
import sys
from types import SimpleNamespace
from typing import Any, Final

from textual import constants

SOON: Final = 0.025
"""Seconds in which the rest of a key's sequence has come: it is sent in one piece, also over SSH."""


class PromptSelector(selectors.SelectSelector):
    """Waits only for so long when something has just come in."""

    _came = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for input as asked, or for `SOON` seconds."""
        found = super().select(SOON if self._came else timeout)
        self._came = bool(found)
        for key, _ in found:
            if _is_gone(key.fd):
                raise EOFError("the terminal is gone")  # ends the thread that reads it, and the app
        return found


def _is_gone(file: int) -> bool:
    """Whether nobody has the other end of a terminal any more; False where the system does not tell."""
    if not hasattr(select, "poll") or not sys.platform.startswith("linux"):
        return False
    watched = select.poll()
    watched.register(file, 0)
    return any(what & select.POLLHUP for _, what in watched.poll(0))


def know_escape_soon() -> None:
    """Have Textual's driver read the terminal so; to be called before the app runs."""
    if "ESCDELAY" not in os.environ:  # else the learner has chosen, for all programs that know the variable
        constants.ESCAPE_DELAY = SOON  # type: ignore[misc]
    if os.name == "posix":
        from textual.drivers import linux_driver

        own: Any = SimpleNamespace(EVENT_READ=selectors.EVENT_READ, SelectSelector=PromptSelector)
        linux_driver.selectors = own  # type: ignore[attr-defined]
