"""Makes Textual know a lone Escape sooner, and that its terminal is gone.

Escape also begins what a terminal sends for other keys. So a lone one is only known by what does not follow,
and Textual looks for that every 100 ms: too late for a key that stops a run of epochs.

A terminal that was closed can always be read, and gives nothing: Textual would ask it again for ever.

Where nobody types, Textual looks ten times a second whether to end. Here it is woken for that: hundreds of
benches on one machine then cost nothing while their learners think.
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
"""Seconds in which the rest of a key's sequence has come: it is sent in one piece, also over SSH."""


QUIET: Final = 4
"""How often it is looked after input whether more has come, before it is waited for."""


class PromptSelector(selectors.SelectSelector):
    """Looks again soon when something has just come in; then waits for as long as nothing does."""

    _open: ClassVar[WeakSet[PromptSelector]] = WeakSet()

    def __init__(self) -> None:
        """Begin with nothing to wait for but `wake`."""
        super().__init__()
        self._waker, self._woken = socketpair()
        self._quiet = 0
        self.register(self._woken, selectors.EVENT_READ)
        self._open.add(self)

    @classmethod
    def wake(cls) -> None:
        """Have nobody wait any more: the reading of the terminal is to end."""
        for one in [*cls._open]:
            one._waker.send(b".")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for input; longer than asked where none came of late."""
        if len(self.get_map()) == 1:  # nothing but the waker
            return []
        patience = SOON if self._quiet == 0 else timeout if self._quiet < QUIET else None
        found = [one for one in super().select(patience) if one[0].fileobj is not self._woken]
        self._quiet = 0 if found else self._quiet + 1
        for key, _ in found:
            if _is_gone(key.fd):
                raise EOFError("the terminal is gone")  # ends the thread that reads it, and the app
        return found

    def close(self) -> None:
        """Give the waker back, too."""
        self._open.discard(self)
        super().close()
        self._waker.close()
        self._woken.close()


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
        set_escape_delay(SOON)
    if os.name == "posix":
        read_terminal_with(PromptSelector)


def woken_at_the_end(driver: type[Driver]) -> type[Driver]:
    """Return a subclass of a driver class that ends at once, even if its thread waits for a key."""
    return waking_driver(driver, PromptSelector.wake)
