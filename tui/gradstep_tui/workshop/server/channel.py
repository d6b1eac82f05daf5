"""One SSH channel: a bench, or the learner's exported files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.access.intake import SOON, UNSENT
from gradstep_tui.workshop.server.bench_process import BenchProcess
from gradstep_tui.workshop.server.file_session import FileSession
from gradstep_tui.workshop.server.participant import Login
from gradstep_tui.workshop.server.processes.pty import TERM, environment_of
from gradstep_tui.workshop.wire.messages import Stop
from gradstep_tui.workshop.wire.reasons import StopReason

if TYPE_CHECKING:
    from asyncssh import DataType

    from gradstep_tui.workshop.server.access.auth import ClientConnection
    from gradstep_tui.workshop.server.workshop import Workshop

NO_TERMINAL: Final = "A bench needs a terminal: log in without a command, or with ssh -t."
FULL: Final = "This workshop is full."

EARLY: Final = 1_000
"""Largest number of bytes that are kept if they are typed before the bench has started."""


class Channel(FileSession):
    """The one channel that a client may open: for a bench, or for the learner's exports."""

    def __init__(self, workshop: Workshop, connection: ClientConnection) -> None:
        """Serve a client that has logged in."""
        super().__init__(workshop, connection)
        self._term = ""
        self._bench: BenchProcess | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._early = b""
        """Input that arrived before the bench had started."""

        self._idle: asyncio.TimerHandle | None = None
        self._drawing = True
        """Whether the client's window has room for the bench's output."""

        self._held: asyncio.TimerHandle | None = None
        """Timer that looks whether the client has read the bench's output."""

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Accept a terminal; use the type `xterm` if the client's type has unusual characters."""
        self._term = term_type if TERM.fullmatch(term_type) else "xterm"
        return True

    def shell_requested(self) -> bool:
        """Accept; the client gets a bench instead of a shell."""
        return True

    def session_started(self) -> None:
        """Begin to serve files or a bench, or refuse with a sentence."""
        channel = self.channel
        assert channel is not None
        files = channel.get_command() is not None or channel.get_subsystem() is not None
        if self._connection.admission is not None:
            self._connection.admission.begin(bench=not files)
        if files:
            if self._serve_files():
                self._restart_idle_timer()
        elif not self._term:
            self._refuse(NO_TERMINAL)
        elif self._connection.role == "learner" and self._is_full():
            self._refuse(FULL)
        else:
            self._beginning = asyncio.create_task(self._begin_after_others())

    def data_received(self, data: bytes, datatype: DataType) -> None:
        """Pass input to the bench or to the file server."""
        if self._bench is None and self._beginning is not None:
            self._early = (self._early + data)[:EARLY]
        elif self._bench is None:
            super().data_received(data, datatype)
            self._restart_idle_timer()
        elif datatype is None:
            self._bench.terminal.type(data)
            self._restart_idle_timer()

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Resize the bench's terminal."""
        if self._bench is not None:
            self._bench.terminal.resize((width, height))

    def pause_writing(self) -> None:
        """Let the bench's output wait, because the client does not read."""
        super().pause_writing()
        self._drawing = False
        self._draw()

    def resume_writing(self) -> None:
        """Send the bench's output again, because the client reads again."""
        super().resume_writing()
        self._drawing = True
        self._draw()

    def eof_received(self) -> bool:
        """End a bench whose client sends no more input."""
        if self._bench is not None:
            self._bench.hang_up()
            return False
        return bool(super().eof_received())

    def break_received(self, msec: int) -> bool:
        """Ignore a break."""
        return False

    def signal_received(self, signal: str) -> None:
        """Ignore a signal."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End the bench."""
        for timer in (self._idle, self._held):
            if timer is not None:
                timer.cancel()
        if self._bench is not None:
            why = self._bench.end_reason or ("" if exc is None else f"{type(exc).__name__}: {exc}")
            self._workshop.log("leave", **self._connection.facts, why=why or "hung up")
            self._bench.hang_up()
        super().connection_lost(exc)

    # Used by the bench

    def write(self, data: bytes) -> None:
        """Send output to the client's terminal."""
        if self.channel is not None and not self.channel.is_closing():
            self.channel.write(data)
            if self._held is None and self._unsent > UNSENT:
                self._hold()

    def pause(self, on: bool) -> None:
        """Stop the client from sending more input, or let it go on."""
        if self.channel is not None:
            (self.channel.pause_reading if on else self.channel.resume_reading)()

    # Private

    def _hold(self) -> None:
        """Let the bench's output wait until the client has read some of it."""
        waits = self._unsent > UNSENT // 2
        self._held = asyncio.get_running_loop().call_later(SOON, self._hold) if waits else None
        self._draw()

    def _draw(self) -> None:
        if self._bench is not None:
            self._bench.terminal.draw(self._drawing and self._held is None)

    async def _begin_after_others(self) -> None:
        """Start the bench once every older one of that name has ended and reported its last action.

        Only the owner of the name ends an older bench: whoever has typed the join code has no name yet.
        """
        connection = self._connection
        while connection.claim is not None and (others := self._workshop.benches_of(connection.name)):
            for bench in others:
                bench.send(Stop(StopReason.LOGGED_IN_ELSEWHERE))
                await bench.ended.wait()
                self._workshop.benches.discard(bench)
        if self.channel is not None and not self.channel.is_closing():
            self._begin()

    def _begin(self) -> None:
        workshop, connection = self._workshop, self._connection
        assert self.channel is not None
        width, height, *_ = self.channel.get_terminal_size()
        sent = {str(name): str(value) for name, value in self.channel.get_environment().items()}
        try:
            workshop.make_exports(connection.name)
            claim = connection.claimed()
        except EngineError as error:
            self._refuse(str(error))
            return
        bench = self._bench = BenchProcess(connection.name, workshop.hub, self, (width, height), workshop.log)
        workshop.add_bench(bench)
        welcome = workshop.hub.join(
            claim,
            bench.send,
            Login(
                resume_code=connection.resume_code,
                offered=connection.offered,
                exports=workshop.exports_of(connection.name),
                fetch=workshop.fetch.replace("{name}", connection.name),
                again=workshop.again.replace("{name}", connection.name),
                host_key=workshop.host_key,
            ),
        )
        workshop.log("join", **connection.facts, role=connection.role)
        try:
            bench.start(workshop.forkserver, environment_of(sent, self._term), welcome)
        except EngineError as error:
            bench.close()
            self._refuse(str(error))
        else:
            bench.terminal.type(self._early)
            self._restart_idle_timer()

    def _refuse(self, sentence: str) -> None:
        self._workshop.log("refused", **self._connection.facts, why=sentence)
        self.write(f"{sentence}\r\n".encode())
        self.leave(1)

    def _is_full(self) -> bool:
        learners = self._workshop.hub.learners
        return self._connection.name not in learners and len(learners) >= self._workshop.max_learners

    def _restart_idle_timer(self) -> None:
        """Restart the timer that ends an idle channel; an instructor who only talks is not idle."""
        idle = self._workshop.limits.idle
        if idle and not (self._bench is not None and self._connection.role == "instructor"):
            if self._idle is not None:
                self._idle.cancel()
            self._idle = asyncio.get_running_loop().call_later(idle, self._end_idle)

    def _end_idle(self) -> None:
        """End the channel, unless the learner follows a presentation: listening is not idling."""
        if self._bench is not None and self._workshop.hub.follows(self._connection.name):
            self._restart_idle_timer()
            return
        if self._bench is not None:
            self._bench.send(Stop(StopReason.IDLE))
        else:
            self.leave(1)
