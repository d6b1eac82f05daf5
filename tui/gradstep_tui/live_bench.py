"""The bench inside a learner's running program: it takes the terminal for one pass and gives everything back.

The program may run an event loop, handle signals, and have replaced `sys.stdout`. All of that waits while the
bench is shown, and is as before afterwards, whatever happens.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from gradstep.recordings.recording_session import RecordingSession, open_recording
from gradstep_tui.keymap import config_file, read_keymap
from gradstep_tui.recording_app import LivePassApp
from gradstep_tui.session.jobs import LEAVING, wait_for_jobs
from gradstep_tui.terminal import guard_process
from gradstep_tui.terminal.crash_guard import guarded_terminal
from gradstep_tui.terminal.encoding import terminal_speaks_utf8
from gradstep_tui.terminal.redirected_output import terminal_for_the_screen
from gradstep_tui.terminal.textual_driver import prepare_terminal

if TYPE_CHECKING:
    from gradstep.recordings.recording import Recording

STREAMS: Final = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
"""Python's streams, which a program may have replaced."""


def step_through(recording: Recording) -> None:
    """Show a recorded pass on the bench until the learner leaves it.

    Raises:
        KeyboardInterrupt: the learner asked to end the program, unless the program handles SIGINT itself.
    """
    session = open_recording(recording)
    with _undisturbed():
        number = contextvars.copy_context().run(_draw, session)
    if number:  # the program's own handler sees to it
        signal.raise_signal(number)


def _draw(session: RecordingSession) -> int:
    """Show the session, and return the number of a signal that would have ended the program; 0 for none."""
    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        stack.callback(loop.close)
        guard = stack.enter_context(_guard())
        guard.hold_ending()
        stack.enter_context(terminal_for_the_screen())
        prepare_terminal(guard)
        guard.tell(guard_process.READY)
        app = LivePassApp(lambda: session, ascii_only=not terminal_speaks_utf8())
        app.choose_keys(read_keymap(config_file()))
        app.run(loop=loop)
        guard.tell(guard_process.LEAVING)
        wait_for_jobs(LEAVING)
        loop.run_until_complete(loop.shutdown_asyncgens())
        code = guard.code(app.return_code or 0)
    return code - 128 if code > 128 else 0


@contextmanager
def _guard() -> Iterator[Any]:
    """Yield the guard of the terminal, a small process; Python warns of the fork if a program has threads."""
    with ExitStack() as stack:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            guard = stack.enter_context(guarded_terminal())
        yield guard


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Give the program everything back after the `with` block."""
    with ExitStack() as stack:
        for borrowed in (_terminal, _signals, _environment, _streams, _event_loop):
            stack.enter_context(borrowed())
        yield


@contextmanager
def _terminal() -> Iterator[None]:
    """Restore the terminal: its attributes, and its screen if the block fails."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(0)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            os.write(1, guard_process.RESTORE)
        raise
    finally:
        with suppress(OSError, termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _signals() -> Iterator[None]:
    """Put the program's signal handlers back, and the descriptor that it wants to hear of signals on."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    wakeup = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with suppress(OSError, ValueError):
                    signal.signal(number, handler)
        with suppress(OSError, ValueError):
            signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)


@contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name not in before]:
            del os.environ[name]
        os.environ |= {name: value for name, value in before.items() if os.environ.get(name) != value}


@contextmanager
def _streams() -> Iterator[None]:
    """Give the bench the streams that Python began with, after the program's own are written out."""
    before = {name: getattr(sys, name) for name in STREAMS}
    for name in ("stdout", "stderr"):
        with suppress(Exception):
            before[name].flush()
    try:
        sys.stdin, sys.stdout = sys.__stdin__, sys.__stdout__
        sys.stderr = sys.__stderr__ if sys.__stderr__ is not None else sys.__stdout__
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


@contextmanager
def _event_loop() -> Iterator[None]:
    """Let an event loop run although one of the program's own is running in this thread, and waits."""
    running = asyncio._get_running_loop()
    if running is None:
        yield
        return
    task = asyncio.current_task(running)
    if task is not None:
        asyncio._leave_task(running, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
        if task is not None:
            asyncio._enter_task(running, task)
