"""Who owns a name, over any sequence of logins, codes, keys, drops, failures of the disk and restarts.

The authentication, the channel, the benches' server side, the hub and the database are the real ones; SSH's
packets and the bench processes are not there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncssh
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gradstep.actions import RunEpochs
from gradstep.start import Start
from gradstep_tui.workshop.server.access.auth import ClientConnection
from gradstep_tui.workshop.server.access.rate_limits import Limits
from gradstep_tui.workshop.server.channel import Channel
from gradstep_tui.workshop.server.storage.names import NameState
from gradstep_tui.workshop.server.workshop import Workshop
from gradstep_tui.workshop.wire import messages as say
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import Welcome, line_of, to_bench

NAMES: Final = ("ann", "bob")
PEOPLE: Final = ("first", "second", "third")
JOIN_CODE: Final = "a join code"
KEYS: Final = {person: asyncssh.generate_private_key("ssh-ed25519").convert_to_public() for person in PEOPLE}


def a_workshop(folder: Path) -> Workshop:
    return Workshop(
        folder=folder,
        join_code=JOIN_CODE,
        instructor_code="an instructor code",
        instructor_keys=frozenset(),
        start=Start(),
        limits=Limits(
            connections=1000,
            strangers=1000,
            per_address=1000,
            per_name=1000,
            at_once=1e9,
            address_at_once=1e9,
            delay=0.0,
            guesses_at_once=1e9,
        ),
        max_learners=100,
        compress=False,
        post_quantum=False,
        log=lambda *_, **__: None,
    )


class Process:
    """A bench process: it hears its messages, and exits if it is told so, or when its connection is lost."""

    def __init__(self, line: int, ended: Callable[[int], None]) -> None:
        self._socket, self._ended = socket.socket(fileno=os.dup(line)), ended
        self._socket.setblocking(False)
        self._received = b""
        self.welcome: Welcome | None = None
        self.signal: signal.Signals | None = None
        self.stopped = self.exited = False

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.signal = number

    def hear(self) -> None:
        try:
            while data := self._socket.recv(1 << 16):
                self._received += data
        except (BlockingIOError, OSError):
            pass
        *lines, self._received = self._received.split(b"\n")
        for message in map(to_bench.decode, lines):
            if isinstance(message, Welcome):
                self.welcome = message
            self.stopped |= isinstance(message, say.Stop)

    def tell(self, message: Any) -> None:
        self._socket.send(line_of(message))

    def exit(self) -> None:
        self.exited = True
        self._socket.close()
        self._ended(0)


class Forkserver:
    """Makes processes without forking."""

    def __init__(self) -> None:
        self.processes: list[Process] = []

    def fork(
        self,
        environment: Mapping[str, str],
        descriptors: tuple[int, int],
        ended: Callable[[int], None],
        began: Callable[[int], None],
    ) -> Process:
        self.processes.append(Process(descriptors[1], ended))
        return self.processes[-1]


class Wire:
    """A client's SSH connection and its channel, as the server sees them."""

    def __init__(self) -> None:
        self.written, self.closed = b"", False
        self._transport, self._send_pktsize, self._deferred_packets = self, 1 << 15, []

    def data_received(self, data: bytes) -> None:
        """Nothing comes as packets: the machine calls the server's methods itself."""

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return "127.0.0.1", 1

    def get_connection(self) -> Wire:
        return self

    def get_encoding(self) -> tuple[None, str]:
        return None, "strict"

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def get_recv_window(self) -> int:
        return 1 << 16

    def get_read_datatypes(self) -> set[int]:
        return set()

    get_write_datatypes = get_read_datatypes

    def get_terminal_size(self) -> tuple[int, int, int, int]:
        return 80, 24, 0, 0

    def get_environment(self) -> dict[str, str]:
        return {}

    def get_command(self) -> None:
        return None

    get_subsystem = get_command

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        self.written += data

    def exit(self, _: int) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


@dataclass(eq=False)
class Device:
    """A client of somebody's that has logged in, perhaps with a bench."""

    person: str
    name: str
    connection: ClientConnection
    wire: Wire
    channel: Channel | None = None
    process: Process | None = None

    @property
    def has_bench(self) -> bool:
        return self.process is not None and not self.process.exited and not self.wire.closed


@dataclass
class Person:
    """Somebody with an SSH key, who notes down every resume code on the screen."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    """Codes that were on the person's screen, by name."""


class Class(RuleBasedStateMachine):
    """People who log in with several devices, and what they must never get."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gradstep-names-"))
        self.loop = asyncio.new_event_loop()
        self.people = {person: Person() for person in PEOPLE}
        self.devices: list[Device] = []
        self.owners: dict[str, str] = {}
        """Who owns a name: the person has noted the code, or has come back with code or key."""

        self.with_key: set[str] = set()
        """Names whose owner has let a key log in."""

        self.begun: dict[int, str] = {}
        """Who did the action of the session with so many epochs."""

        self.count = 0
        self.start()

    def start(self) -> None:
        self.workshop = a_workshop(self.folder)
        self.forkserver = Forkserver()
        self.workshop.forkserver = self.forkserver  # type: ignore[assignment]

    def teardown(self) -> None:
        if not hasattr(self, "forkserver"):  # the start has failed, which is what should be told
            return
        self.run(self._end_all())
        self.workshop.store.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    async def _end_all(self) -> None:
        for process in self.forkserver.processes:
            if not process.exited:
                process.exit()
        for bench in [*self.workshop.benches]:
            bench.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def settle(self) -> None:
        """Let everything happen that does not wait for a person; processes that were stopped do not exit."""
        for _ in range(8):
            await asyncio.sleep(0)
        for process in self.forkserver.processes:
            process.hear()

    # Logins

    @rule(
        person=st.sampled_from(PEOPLE),
        name=st.sampled_from([*NAMES[:1] * 4, *NAMES]),
        way=st.sampled_from(["join", "join", "join", "code", "key", "old code"]),
        opens=st.sampled_from([True, True, False]),
    )
    def log_in(self, person: str, name: str, way: str, opens: bool) -> None:
        """Log in, and open a bench at once or later."""
        self.run(self._log_in(person, name, way, opens))

    async def _log_in(self, person: str, name: str, way: str, opens: bool) -> None:
        wire = Wire()
        connection = ClientConnection(self.workshop, lambda made: Channel(self.workshop, made))
        connection.connection_made(wire)  # type: ignore[arg-type]
        connection.begin_auth(name)
        known = self.people[person].codes.get(name, [])
        admitted = connection.validate_public_key(name, KEYS[person]) and way == "key"
        if way == "join":
            admitted = await connection.validate_password(name, JOIN_CODE)
        elif way != "key" and known:
            admitted = await connection.validate_password(name, known[0 if way == "old code" else -1])
        owner = self.owners.get(name)
        if way == "key":
            assert admitted == (owner == person and name in self.with_key)
        if owner == person and way == "code" and known:
            assert admitted, f"{person} owns {name} and cannot come back by {way}"
        if not admitted:
            connection.connection_lost(None)
            return
        assert owner in (None, person), f"{person} was admitted as {name}, which is {owner}'s, by {way}"
        try:
            connection.auth_completed()
        except asyncssh.DisconnectError:
            assert owner != person
            return
        if connection.claim is not None:
            self.owners[name] = person
        device = Device(person, name, connection, wire)
        self.devices.append(device)
        if opens:
            await self._open(device)

    @precondition(lambda self: any(device.channel is None for device in self.devices))
    @rule(data=st.data())
    def open_a_bench(self, data: st.DataObject) -> None:
        waiting = [device for device in self.devices if device.channel is None]
        self.run(self._open(data.draw(st.sampled_from(waiting))))

    async def _open(self, device: Device) -> None:
        others = [
            other.process
            for other in self.devices
            if other.process and other.has_bench and other.person != device.person
        ]
        stopped = [process for process in others if process.stopped]
        channel = device.connection.session_requested()
        assert isinstance(channel, Channel)
        device.channel = channel
        channel.connection_made(device.wire)
        channel.pty_requested("xterm", (80, 24, 0, 0), {})
        channel.session_started()
        await self._welcome()
        if self.owners.get(device.name) != device.person:  # not even a dialog may be ended by a stranger
            assert [process for process in others if process.stopped] == stopped

    async def _welcome(self) -> None:
        """Find the processes that have begun, and check what their people see."""
        await self.settle()
        for device in self.devices:
            bench = None if device.channel is None else device.channel._bench
            if bench is None or device.process is not None or not isinstance(bench._process, Process):
                continue
            device.process = bench._process
            welcome = device.process.welcome
            assert welcome is not None
            assert self.owners.get(device.name) in (None, device.person)
            assert {self.begun[action.count] for action in welcome.actions} <= {device.person}  # type: ignore[union-attr]
            if welcome.resume_code:
                self.people[device.person].codes.setdefault(device.name, []).append(welcome.resume_code)

    # What happens on a bench

    @precondition(lambda self: any(device.has_bench for device in self.devices))
    @rule(
        data=st.data(),
        what=st.sampled_from(
            ["note", "keep", "keep", "forget", "act", "act", "leave", "drop", "drop", "exit"]
        ),
    )
    def something_happens(self, data: st.DataObject, what: str) -> None:
        with_bench = [device for device in self.devices if device.has_bench]
        self.run(self._happens(data.draw(st.sampled_from(with_bench)), what))

    async def _happens(self, device: Device, what: str) -> None:
        assert device.process is not None
        assert device.channel is not None
        dialog = device.process.welcome is not None and device.process.welcome.resume_code
        if what == "drop":
            device.wire.closed = True
            device.channel.connection_lost(None)
            device.connection.connection_lost(None)
        elif what in ("leave", "exit"):
            device.process.exit()
        elif what == "note" and not device.process.stopped:
            device.process.tell(say.ResumeCodeNoted())
            self.owners[device.name] = device.person
        elif what in ("keep", "forget") and not device.process.stopped and not dialog:
            device.process.tell(say.KeepKeys(what == "keep"))
            (self.with_key.add if what == "keep" else self.with_key.discard)(device.name)
        elif what == "act" and not device.process.stopped and not dialog:
            self.count += 1
            self.begun[self.count] = device.person
            device.process.tell(say.ActionDone(RunEpochs(self.count), Facts()))
        await self._welcome()

    @rule()
    def processes_exit(self) -> None:
        """Those that were told to exit, and those whose terminal is gone, exit."""
        self.run(self._processes_exit())

    async def _processes_exit(self) -> None:
        await self.settle()
        for process in [*self.forkserver.processes]:
            if not process.exited and (process.stopped or process.signal is not None):
                process.exit()
                await self.settle()
        await self._welcome()

    @rule()
    def time_passes(self) -> None:
        """The boards are updated, and what could not be stored is stored."""
        self.workshop.hub.update_boards()

    @rule(boards=st.booleans())
    def the_disk_is_full_for_a_while(self, boards: bool) -> None:
        """Somebody leaves while nothing can be written."""
        database = self.workshop.store._database
        database.connection.execute("PRAGMA query_only = ON")
        self.run(self._processes_exit())
        if boards:
            self.workshop.hub.update_boards()
        database.connection.execute("PRAGMA query_only = OFF")
        self.workshop.hub.update_boards()

    @rule(killed=st.booleans())
    def the_server_restarts(self, killed: bool) -> None:
        """End all benches first, unless the server is killed: then nothing more is written."""
        if not killed:
            self.run(self._processes_exit())
            for process in self.forkserver.processes:
                if not process.exited:
                    process.exit()
            self.run(self._welcome())
        database = self.workshop.store._database
        database.connection.execute("PRAGMA query_only = ON")
        self.run(self._end_all())
        database.close()
        self.devices.clear()
        self.start()

    # Invariants

    @invariant()
    def a_name_has_one_owner_who_is_the_only_one_on_a_bench(self) -> None:
        names = self.workshop.store.names
        for name in NAMES:
            benches = [device for device in self.devices if device.name == name and device.has_bench]
            owner = self.owners.get(name)
            if owner is not None:
                claim = names.owner(name)
                assert claim is not None
                assert names.state(claim) is NameState.OWNED
                assert {device.person for device in benches} <= {owner}
                key = KEYS[owner].get_fingerprint()
                assert names.keyed(name, key) == (claim if name in self.with_key else None)
                known = self.people[owner].codes.get(name, [])
                assert not known or any(names.resumed(name, code) == claim for code in known)
            assert len([device for device in benches if device.process and not device.process.stopped]) <= 1


Class.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestAnySequenceOfLogins = Class.TestCase


async def test_files_that_an_earlier_owner_has_left_are_kept_from_the_next_one(tmp_path: Path) -> None:
    """The database was lost, and with it who owned the name."""
    workshop = a_workshop(tmp_path)
    workshop.make_exports("ann")
    old = Path(workshop.exports_of("ann")) / "crops.ipynb"
    old.write_text("hers", encoding="ascii")
    connection = ClientConnection(workshop, lambda made: Channel(workshop, made))
    connection.connection_made(Wire())  # type: ignore[arg-type]
    connection.begin_auth("ann")
    assert await connection.validate_password("ann", JOIN_CODE)
    assert connection.claimed().name == "ann"
    assert [*old.parent.iterdir()] == []
    assert [path.read_text(encoding="ascii") for path in tmp_path.glob("exports/ann.*/*")] == ["hers"]
    workshop.store.close()
