"""One SSH channel: a learner's bench, or the learner's own files."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.asyncssh_internals import StreamSession
from gradstep_tui.workshop.server.bench_process import Seat
from gradstep_tui.workshop.server.processes.pty import TERM, environment_of
from gradstep_tui.workshop.server.sftp import ReadOnlyFiles
from gradstep_tui.workshop.wire.messages import ELSEWHERE, Stop

if TYPE_CHECKING:
    from asyncssh import DataType, SSHServerChannel

    from gradstep_tui.workshop.server.access.auth import Gate
    from gradstep_tui.workshop.server.server import Workshop

NO_TERMINAL: Final = b"A bench needs a terminal: log in without a command, or with ssh -t\r\n"
NO_FILES: Final = b"Log in once before you fetch files: the name is not taken yet.\r\n"
FULL: Final = b"This workshop is full.\r\n"
IDLE: Final = "You were away for a while, so the line was closed. Nothing is lost: log in again."

EARLY: Final = 1_000
"""Bytes that may be typed before there is a bench."""


class Channel(StreamSession):
    """What a client has opened: a bench, or the own export folder."""

    def __init__(self, workshop: Workshop, gate: Gate) -> None:
        """Serve who came through `gate`."""
        super().__init__(partial(_files, workshop.exports_of(gate.name)))
        self._workshop, self._gate = workshop, gate
        self._term = ""
        self._seat: Seat | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._early = b""
        """What was typed before there was a bench."""

        self._idle: asyncio.TimerHandle | None = None

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Take a terminal of a sane kind."""
        self._term = term_type if TERM.fullmatch(term_type) else "xterm"
        return True

    def shell_requested(self) -> bool:
        """There is a bench instead."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Only what `scp` asks for."""
        allowed = super().exec_requested(command)
        if not allowed:
            self._workshop.log("refused", name=self._gate.name, why="a command was asked for")
        return allowed

    def subsystem_requested(self, subsystem: str) -> bool:
        """Only the confined sftp."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Begin."""
        self._gate.begun = True
        channel = self.channel
        assert channel is not None
        if channel.get_command() is not None or channel.get_subsystem() is not None:
            if self._gate.has_name:
                self._workshop.make_exports(self._gate.name)
                super().session_started()
                self._rest()
            else:
                self._refuse(NO_FILES)
        elif not self._term:
            self._refuse(NO_TERMINAL)
        elif self._gate.role == "learner" and self._is_full():
            self._refuse(FULL)
        else:
            self._beginning = asyncio.create_task(self._begin_after_others())

    def data_received(self, data: bytes, datatype: DataType) -> None:
        """Type it."""
        if self._seat is None and self._beginning is not None:
            self._early = (self._early + data)[:EARLY]
        elif self._seat is None:
            super().data_received(data, datatype)
            self._rest()
        elif datatype is None:
            self._seat.terminal.type(data)
            self._rest()

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Tell the bench."""
        if self._seat is not None:
            self._seat.terminal.resize((width, height))

    def pause_writing(self) -> None:
        """The client does not read: the bench waits."""
        super().pause_writing()
        if self._seat is not None:
            self._seat.terminal.draw(False)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._seat is not None:
            self._seat.terminal.draw(True)

    def eof_received(self) -> bool:
        """Nothing more is typed: as good as gone."""
        if self._seat is not None:
            self._seat.hang_up()
            return False
        return bool(super().eof_received())

    def break_received(self, msec: int) -> bool:
        """Nothing."""
        return False

    def signal_received(self, signal: str) -> None:
        """Nothing."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the seat back."""
        if self._idle is not None:
            self._idle.cancel()
        if self._seat is not None:
            self._workshop.log("leave", name=self._gate.name)
            self._seat.hang_up()
        super().connection_lost(exc)

    # What a seat needs

    def write(self, data: bytes) -> None:
        """Send it to the learner's terminal."""
        if self.channel is not None and not self.channel.is_closing():
            self.channel.write(data)

    def pause(self, on: bool) -> None:
        """Have the client wait before it sends more, or not."""
        if self.channel is not None:
            (self.channel.pause_reading if on else self.channel.resume_reading)()

    def leave(self, status: int) -> None:
        """Close the channel."""
        if self.channel is not None and not self.channel.is_closing():
            self.channel.exit(min(status, 255))

    # Its own

    async def _begin_after_others(self) -> None:
        """Begin once no other bench of that name is left: what was done there last is then known."""
        while others := [seat for seat in self._workshop.seats if seat.name == self._gate.name]:
            for seat in others:
                seat.send(Stop(ELSEWHERE))
                await seat.ended.wait()
                self._workshop.seats.discard(seat)
        if self.channel is not None and not self.channel.is_closing():
            self._begin()

    def _begin(self) -> None:
        workshop, gate = self._workshop, self._gate
        assert self.channel is not None
        width, height, *_ = self.channel.get_terminal_size()
        sent = {str(name): str(value) for name, value in self.channel.get_environment().items()}
        try:
            gate.take_name()
            workshop.make_exports(gate.name)
        except (EngineError, OSError) as error:
            workshop.log("refused", name=gate.name, why=str(error))
            self._refuse(f"{error}\r\n".encode())
            return
        seat = self._seat = Seat(gate.name, workshop.hub, self, (width, height), workshop.log)
        workshop.seat(seat)
        welcome = workshop.hub.join(
            gate.name,
            gate.role,
            seat.send,
            resume_code=gate.resume_code,
            exports=workshop.exports_of(gate.name),
            fetch=workshop.fetch.replace("{name}", gate.name),
            again=workshop.again.replace("{name}", gate.name),
        )
        workshop.log("join", name=gate.name, role=gate.role, address=gate.address)
        try:
            seat.start(workshop.warm, environment_of(sent, self._term), welcome)
        except EngineError as error:
            seat.close()
            self._refuse(f"{error}\r\n".encode())
        else:
            seat.terminal.type(self._early)
            self._rest()

    def _is_full(self) -> bool:
        learners = self._workshop.hub.learners
        return self._gate.name not in learners and len(learners) >= self._workshop.most

    def _refuse(self, words: bytes) -> None:
        self.write(words)
        self.leave(1)

    def _rest(self) -> None:
        """Wait anew for something to be typed, or asked for; an instructor may also just talk."""
        if self._workshop.limits.idle and not (self._seat is not None and self._gate.role == "instructor"):
            if self._idle is not None:
                self._idle.cancel()
            self._idle = asyncio.get_running_loop().call_later(self._workshop.limits.idle, self._send_away)

    def _send_away(self) -> None:
        if self._seat is not None:
            self._seat.send(Stop(IDLE))
        else:
            self.leave(1)


def _files(folder: str, channel: SSHServerChannel[bytes]) -> ReadOnlyFiles:
    return ReadOnlyFiles(channel, folder)
