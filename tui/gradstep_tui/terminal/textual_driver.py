"""Makes Textual's Linux driver suit every terminal, survive any input, and sleep while idle.

A terminal also sends an Escape at the beginning of other keys' sequences. So a lone Escape is recognised only
when nothing follows it. Textual waits 100 ms for that, which is too long for a key that stops a run of
epochs.

A closed terminal is always ready to be read, but returns nothing: Textual would poll it for ever.

While nobody types, Textual wakes up ten times a second to see whether it should stop. Here it is woken only
when it should stop, so that hundreds of idle benches on one machine use no processor time.
"""

from __future__ import annotations

import asyncio
import os
import select
import selectors
import sys
from collections.abc import Callable
from functools import partial
from socket import socketpair
from typing import TYPE_CHECKING, ClassVar, Final
from weakref import WeakSet

from textual import events
from textual.driver import Driver
from textual.messages import InBandWindowResize

from gradstep_tui.terminal.capabilities import Colours, capabilities
from gradstep_tui.terminal.crash_guard import CrashGuard
from gradstep_tui.terminal.guard_process import GIVEN_BACK, TAKEN
from gradstep_tui.terminal.output_filter import output_filter
from gradstep_tui.terminal.pastes import PasteShortener
from gradstep_tui.terminal.suspension import CAN_SUSPEND, Suspension
from gradstep_tui.terminal.textual_internals import (
    read_any_input,
    read_terminal_with,
    resize_in_order,
    set_colour_system,
    set_escape_delay,
    waking_driver,
)

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.message import Message

SOON: Final = 0.025
"""Seconds to wait for the rest of a key's sequence, which is sent in one piece, over SSH, too."""


COLOUR_SYSTEMS: Final = {Colours.FEW: "standard", Colours.MANY: "256", Colours.TRUE: "truecolor"}
"""Textual's names of the kinds of colours."""

LARGEST: Final = 2_000
"""Columns or rows of the largest window that is believed."""

QUIET: Final = 4
"""Polls for more input this many times before blocking."""


CLOSED: Final = "the terminal was closed"
"""Message of the error that ends the app if its terminal's other end is closed."""


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
                raise EOFError(CLOSED)  # ends the thread that reads it, and the app
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


def prepare_terminal(guard: CrashGuard | None = None) -> None:
    """Adapt Textual to this process's terminal and its input; call before the app is made.

    Args:
        guard: Told when the terminal is taken and given back, and has the signals of this process; None if
            nobody restores the terminal after a crash.
    """
    if "ESCDELAY" not in os.environ:  # otherwise the learner's own choice for all programs applies
        set_escape_delay(SOON)
    if os.name != "posix":
        return
    read_terminal_with(PromptSelector)
    read_any_input(lambda: PasteShortener().shorten)
    can = capabilities()
    if can.colours:
        os.environ.pop("NO_COLOR", None)  # Textual obeys an empty one, too
        set_colour_system(COLOUR_SYSTEMS[can.colours])
    else:
        os.environ["NO_COLOR"] = "1"
    _Terminal.known = staticmethod(output_filter(can))
    _Terminal.guard = guard or CrashGuard()


class _Terminal:
    """What the drivers of this process know of their terminal."""

    known: ClassVar[Callable[[str], str]] = staticmethod(str)
    """Removes control sequences that the terminal does not know."""

    guard: ClassVar[CrashGuard] = CrashGuard()

    write: ClassVar[Callable[[str], object] | None] = None
    """Writes to the terminal, after what was drawn before; None if no screen is drawn."""


def write_directly(sequences: str) -> None:
    """Write control sequences after what was drawn before; nothing if no screen is drawn on a terminal."""
    if _Terminal.write is not None:
        _Terminal.write(sequences)


def leave_at_signals(leave: Callable[[int], object]) -> None:
    """Have the running event loop call `leave` with the number of any signal that would end the process."""
    signals = _Terminal.guard.signals
    if signals is not None:
        signals.leave_with(leave)
        signals.read_with(asyncio.get_running_loop())


def bench_driver(driver: type[Driver]) -> type[Driver]:
    """Return a subclass of a driver class that suits the terminal and ends at once, even if it waits."""

    class BenchDriver(waking_driver(driver, PromptSelector.wake)):  # type: ignore[misc]
        reports_size = False
        """Whether the terminal has said that it reports its size among the keys."""

        def write(self, data: str) -> None:
            super().write(_Terminal.known(data))

        suspension: Suspension | None = None

        def start_application_mode(self) -> None:
            _Terminal.guard.tell(TAKEN)
            loop, signals = asyncio.get_running_loop(), _Terminal.guard.signals
            if self.suspension is None and CAN_SUSPEND and self.can_suspend:
                self.suspension = Suspension(loop, self.suspend_application_mode, self.take_again)
                self.suspension.install()
            super().start_application_mode()
            _Terminal.write = staticmethod(self.write)
            if signals is not None:
                resize_in_order(signals.handle)
            _Terminal.guard.draw_again = partial(loop.call_soon_threadsafe, self.draw_again)

        def draw_again(self) -> None:
            self.send_message(Driver.SignalResume())

        def take_again(self) -> None:
            """Take the terminal after a suspension; the app then draws everything."""
            self.resume_application_mode()
            self.draw_again()

        def stop_application_mode(self) -> None:
            if self.suspension is not None and not self.suspension.busy:
                self.suspension.end()
            _Terminal.write = None
            super().stop_application_mode()

        def close(self) -> None:
            super().close()  # now everything is written
            _Terminal.guard.tell(GIVEN_BACK)

        def process_message(self, message: Message) -> None:
            self.reports_size |= isinstance(message, InBandWindowResize)
            if not isinstance(message, events.Resize) or (self.reports_size and _can_be(message.size)):
                super().process_message(message)

    return BenchDriver


def _can_be(size: Size) -> bool:
    """Return whether a window may have a size; random input may name any."""
    return 0 < size.width <= LARGEST and 0 < size.height <= LARGEST
