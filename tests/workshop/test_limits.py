"""Limits on what a stranger, or a learner, can have of the server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

import asyncssh
import pytest
from asyncssh.channel import SSHClientChannel
from asyncssh.packet import String

from gradstep_tui.workshop.server.access.rate_limits import ConnectionLimiter, Limits
from tests.workshop.misbehaving_clients import bench, confirm_resume_code, connect, shown
from tests.workshop.workshop_server import CODE, CONFIRM, PATIENCE, Server, lives, resident, until


def ended(line: socket.socket) -> bool:
    """Return whether the server has closed a connection."""
    line.settimeout(0.05)
    try:
        while data := line.recv(4096):
            assert data
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_silent_connections_make_room_for_those_who_log_in(narrow: Server) -> None:
    """Of thirty silent connections, the latest four stay until a login needs a place."""
    with narrow.join("served") as terminal, contextlib.ExitStack() as stack:
        lines = [stack.enter_context(narrow.socket()) for _ in range(30)]
        until(lambda: sum(ended(line) for line in lines) >= 26, "26 of 30 dropped", 10)
        began = time.monotonic()
        terminal.send("f")
        terminal.wait_for("18746.5391")
        assert time.monotonic() - began < 5
        reasons = {event["why"] for event in narrow.events("refused")}
        assert "too many connections from this address that have not logged in" in reasons
        with narrow.join("among-them"):
            pass
        until(lambda: all(ended(line) for line in lines), "half-open logins freed", 10)
        assert narrow.events("refused", why="the key exchange took too long")
    gone(narrow)


async def test_a_host_with_four_hundred_silent_connections_locks_nobody_out(served: Server) -> None:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(served.socket()) for _ in range(400)]
        for number in range(3):
            (await connect(served, f"not-locked-out-{number}")).close()
        assert sum(not ended(line) for line in lines[-100:]) > 50  # they were not simply all dropped


class Slow(asyncssh.SSHClient):
    """A client with a person who thinks about the code."""

    def __init__(self, everybody_is_asked: asyncio.Barrier) -> None:
        self._asked = everybody_is_asked

    async def password_auth_requested(self) -> str:
        await self._asked.wait()
        return CODE


async def test_sixty_people_behind_one_address_who_all_think_at_the_same_time_get_in(served: Server) -> None:
    """Nobody answers the question for the code before everybody has been asked."""
    asked = asyncio.Barrier(60)
    joining = (
        connect(served, f"slow-{number}", "", client_factory=lambda: Slow(asked), password=None)
        for number in range(60)
    )
    connections = await asyncio.wait_for(asyncio.gather(*joining), PATIENCE)
    for connection in connections:
        connection.close()


def test_a_person_has_more_time_than_a_program_and_reads_why_it_is_over(narrow: Server) -> None:
    limits = Limits(connections=1)
    assert limits.exchange == 20
    assert limits.login == 120
    assert limits.strangers > limits.per_address > 60
    with narrow.join("thinker", env={"SSH_ASKPASS": None, "SSH_ASKPASS_REQUIRE": None}, wait="") as terminal:
        terminal.wait_for("code:")
        narrow.logged("refused", why="the login took too long")
        terminal.send("a late answer\r")
        terminal.wait_for("nobody has logged in for 2 sec", seconds=10)


async def test_a_name_has_a_few_connections_and_the_newest_stay(narrow: Server) -> None:
    made = [await connect(narrow, "many") for _ in range(4)]
    newest = await connect(narrow, "many")
    await asyncio.wait_for(made[0].wait_closed(), PATIENCE)
    assert not newest.is_closed()
    assert narrow.events("refused", why="too many connections under this name")
    for connection in (*made, newest):
        connection.abort()


def test_more_learners_than_there_is_room_for_are_told_so(narrow: Server) -> None:
    teaches = (narrow.state / "instructor_code").read_text(encoding="ascii").strip()
    with (
        narrow.join("teaches", code=teaches, wait=CONFIRM),  # does not count as a learner
        narrow.join("first"),
        narrow.join("second"),
    ):
        third = narrow.join("third", wait="This workshop is full.")
        assert third.wait_exit() == 1
        third.close()
    gone(narrow)
    with narrow.join("third"):
        pass
    gone(narrow)


async def test_connections_on_which_nothing_begins_are_closed(narrow: Server) -> None:
    connection = await connect(narrow, "undecided")
    await asyncio.wait_for(connection.wait_closed(), PATIENCE)
    assert narrow.events("refused", why="nothing was requested")


def test_a_line_on_which_nothing_is_typed_is_closed_with_words(narrow: Server) -> None:
    """Whoever follows a presentation is not idle, although nothing was typed there for longer."""
    teaches = (narrow.state / "instructor_code").read_text(encoding="ascii").strip()
    with (
        narrow.join("presenter", code=teaches, wait=CONFIRM) as teacher,
        narrow.join("follower") as follower,
        narrow.join("sleeper") as terminal,
    ):
        teacher.send("\r")
        teacher.wait_for("2 here")
        teacher.send("\x1b[17~")  # F6
        follower.wait_for("presenter's bench, live")
        terminal.wait_for("presenter's bench, live")
        terminal.send("\x1b[17~")
        terminal.wait_for("no loss yet")
        terminal.send("fs")
        terminal.wait_for("in backward 1/11")
        assert terminal.wait_exit(20) == 0
        said = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2]
        assert b"nothing was typed for a while" in said
        assert narrow.codes["sleeper"].encode() in said
        assert 1049 not in terminal.modes
        assert 25 in terminal.modes
        assert "presenter's bench, live" in follower.text
        teacher.wait_for(" 1 here")
    gone(narrow)


async def test_a_dead_peer_is_noticed(narrow: Server) -> None:
    """A proxy stops forwarding and closes nothing, as if a cable were cut."""
    cut = asyncio.Event()
    ends: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if not cut.is_set():
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", narrow.port)
        ends.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    connection = await asyncssh.connect(
        "127.0.0.1", port, username="cut-off", password=CODE, known_hosts=None, client_keys=None, config=None
    )
    process = await bench(connection)
    await confirm_resume_code(process)
    cut.set()
    began = time.monotonic()
    while not narrow.events("leave", name="cut-off"):
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < 10
    connection.abort()
    for end in ends:
        end.close()
    proxy.close()
    gone(narrow)


async def test_a_paste_of_a_megabyte_leaves_server_and_bench_small(served: Server) -> None:
    async with await connect(served, "paster") as connection:
        process = await bench(connection)
        await confirm_resume_code(process)
        before = resident(served.process.pid), resident(served.bench("paster"))
        paste = b"x?\x1b[A" * 250_000
        writing = asyncio.create_task(_write(process, paste))
        end = asyncio.get_running_loop().time() + 2
        while asyncio.get_running_loop().time() < end:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.stdout.read(1 << 16), 0.2)
        assert resident(served.process.pid) - before[0] < 10 << 20
        assert resident(served.bench("paster")) - before[1] < 60 << 20
        assert lives(served.bench("paster"))
        writing.cancel()
        connection.abort()
    with served.join("neighbour"):
        pass
    until(lambda: not lives(served.bench("paster")), "its process has left")


async def _write(process: asyncssh.SSHClientProcess[bytes], data: bytes) -> None:
    for at in range(0, len(data), 1 << 14):
        process.stdin.write(data[at : at + (1 << 14)])
        await process.stdin.drain()


async def test_a_client_that_does_not_read_makes_its_bench_wait_and_nobody_else(served: Server) -> None:
    async with await connect(served, "deaf", code=CODE) as connection:
        process = await bench(connection, term_size=(200, 60))
        await confirm_resume_code(process)
        process.channel.pause_reading()
        before = resident(served.process.pid)
        for _ in range(30):
            process.stdin.write(b"?q")  # opens a screen and closes it
            await asyncio.sleep(0.02)
        assert resident(served.process.pid) - before < 16 << 20
        assert lives(served.bench("deaf"))
        async with await connect(served, "hearing") as other:
            await confirm_resume_code(await bench(other))
        process.channel.resume_reading()
        process.stdin.write(b"f")
        await asyncio.wait_for(shown(process, b"18746"), PATIENCE)


class Fake:
    """A connection to a limiter."""

    def __init__(self, limiter: ConnectionLimiter, address: str, *, silent: bool = True) -> None:
        self.limiter, self.address, self.is_silent = limiter, address, silent
        self.age, self.has_bench, self.dropped = 0.0, False, ""

    def drop(self, why: str) -> None:
        self.dropped = why
        self.limiter.leave(self)


def test_the_oldest_silent_connections_of_the_fullest_address_make_room() -> None:
    limiter = ConnectionLimiter(Limits(connections=4, per_address=3, strangers=5))
    idle = [Fake(limiter, "a") for _ in range(5)]
    assert [limiter.enter(one) for one in idle] == [""] * 5
    assert [bool(one.dropped) for one in idle] == [True, True, False, False, False]
    person = Fake(limiter, "b", silent=False)
    others = [Fake(limiter, address) for address in "cd"]
    assert [limiter.enter(one) for one in (person, *others)] == [""] * 3
    assert limiter.strangers == 5
    assert idle[2].dropped
    assert not person.dropped


def test_without_silent_connections_only_those_that_took_half_the_time_make_room() -> None:
    limiter = ConnectionLimiter(Limits(connections=4, per_address=2, strangers=3, login=100.0))
    people = [Fake(limiter, "a", silent=False) for _ in range(2)]
    assert [limiter.enter(one) for one in people] == ["", ""]
    assert "from this address" in limiter.enter(Fake(limiter, "a"))
    assert limiter.enter(Fake(limiter, "b", silent=False)) == ""
    assert "not logged in" in limiter.enter(Fake(limiter, "c"))
    people[1].age = 51.0
    assert limiter.enter(Fake(limiter, "a")) == ""
    assert [bool(one.dropped) for one in people] == [False, True]


def test_a_name_and_all_names_have_so_many_connections() -> None:
    limiter = ConnectionLimiter(Limits(connections=3, per_name=2))
    mine = [Fake(limiter, "a") for _ in range(3)]
    mine[0].has_bench = True
    for one in mine:
        assert limiter.enter(one) == ""
        assert limiter.know(one, "ada") == ""
    assert [bool(one.dropped) for one in mine] == [False, True, False]
    mine[2].has_bench = True
    assert "under this name" in limiter.know(Fake(limiter, "a"), "ada")
    assert limiter.know(Fake(limiter, "b"), "bob") == ""
    assert "no room" in limiter.know(Fake(limiter, "c"), "cy")
    assert (limiter.connections, limiter.strangers) == (3, 0)
    limiter.leave(mine[0])
    assert limiter.connections == 2


def test_key_exchanges_are_slowed_by_address_and_refused_in_a_long_queue() -> None:
    limits = Limits(connections=9, address_per_second=1.0, address_at_once=2.0)
    limiter = ConnectionLimiter(limits)
    waits = [limiter.wait_before_exchange("a") for _ in range(20)]
    assert waits[:2] == [0.0, 0.0]
    assert 0 < (waits[2] or 0) < (waits[3] or 0) <= 7
    assert waits[-1] is None
    assert limiter.wait_before_exchange("b") == 0.0
    assert limiter.wait_before_exchange("2001:db8::1") == 0.0
    assert limiter.wait_before_exchange("2001:db8::2") == 0.0
    assert limiter.wait_before_exchange("2001:db8::3") != 0.0  # the same network


def gone(server: Server) -> None:
    """Wait until nobody is logged in any more."""
    until(
        lambda: not [event for event in server.events("bench") if lives(event["pid"])], "nobody is logged in"
    )


pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


async def test_a_session_that_is_opened_and_in_which_nothing_begins_is_closed(narrow: Server) -> None:
    async with await connect(narrow, "hesitant") as connection:
        opened: Any = SSHClientChannel(
            connection, asyncio.get_running_loop(), "strict", None, "strict", 1 << 20, 1 << 15
        )
        await opened._open(b"session")
        for number in range(1_000):
            opened._send_request(b"env", String(f"A{number}"), String("x"))
        await asyncio.wait_for(connection.wait_closed(), 10)
