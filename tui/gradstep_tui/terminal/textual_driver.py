"""Makes Textual's Linux driver recognise Escape sooner, notice a closed terminal, and sleep while idle.

A terminal also sends an Escape at the beginning of other keys' sequences. So a lone Escape is recognised only
when nothing follows it. Textual waits 100 ms for that, which is too long for a key that stops a run of
epochs.

A closed terminal is always ready to be read, but returns nothing: Textual would poll it for ever.

While nobody types, Textual wakes up ten times a second to see whether it should stop. Here it is woken only
when it should stop, so that hundreds of idle benches on one machine use no processor time.
"""

from __future__ import annotations

import os
import select
import selectors
import sys
from socket import socketpair
from typing import TYPE_CHECKING, ClassVar, Final
from weakref import WeakSet

from gradstep_tui.terminal.textual_internals import read_terminal_with, set_escape_delay, waking_driver

if TYPE_CHECKING:
    from textual.driver import Driver

SOON: Final = 0.025
"""Seconds to wait for the rest of a key's sequence, which is sent in one piece, over SSH, too."""


QUIET: Final = 4
"""Polls for more input this many times before blocking."""


class PromptSelector(selectors.SelectSelector):
    """Polls with a short timeout right after input, then blocks until there is more input."""

    _open: ClassVar[WeakSet[PromptSelector]] = WeakSet()

    def __init__(self) -> None:
        """Register a socket by which `wake` can end a wait."""
        super().__init__()
        self._waker, self._woken = socketpair()
        self._quiet = 0
        self.register(self._woken, selectors.EVENT_READ)
        self._open.add(self)

    @classmethod
    def wake(cls) -> None:
        """End the waiting of all open selectors, so that the threads that read the terminal can end."""
        for selector in [*cls._open]:
            selector._waker.send(b".")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for input; without a timeout if none has come in the last few calls.

        Raises:
            EOFError: the terminal was closed.
        """
        if len(self.get_map()) == 1:  # only the waker is registered
            return []
        patience = SOON if self._quiet == 0 else timeout if self._quiet < QUIET else None
        found = [ready for ready in super().select(patience) if ready[0].fileobj is not self._woken]
        self._quiet = 0 if found else self._quiet + 1
        for key, _ in found:
            if _is_gone(key.fd):
                raise EOFError("the terminal was closed")  # ends the thread that reads it, and the app
        return found

    def close(self) -> None:
        """Close the selector and its sockets."""
        self._open.discard(self)
        super().close()
        self._waker.close()
        self._woken.close()


def _is_gone(file: int) -> bool:
    """Return whether the other end of a terminal is closed; False if the system cannot tell."""
    if not hasattr(select, "poll") or not sys.platform.startswith("linux"):
        return False
    watched = select.poll()
    watched.register(file, 0)
    return any(what & select.POLLHUP for _, what in watched.poll(0))


def know_escape_soon() -> None:
    """Make Textual's driver use `PromptSelector` and recognise Escape sooner; call before the app runs."""
    if "ESCDELAY" not in os.environ:  # otherwise the learner's own choice for all programs applies
        set_escape_delay(SOON)
    if os.name == "posix":
        read_terminal_with(PromptSelector)


def woken_at_the_end(driver: type[Driver]) -> type[Driver]:
    """Return a subclass of a driver class that ends at once, even if its thread waits for a key."""
    return waking_driver(driver, PromptSelector.wake)
