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


def test_strangers_beyond_the_limit_are_dropped_while_a_learner_is_served(narrow: Server) -> None:
    """Of thirty silent connections, four stay for the login time; after that, a new login works."""
    with narrow.join("served") as terminal, contextlib.ExitStack() as stack:
        until(lambda: len(narrow.events("bench", name="served")) == 1, "a bench")
        lines = [stack.enter_context(narrow.socket()) for _ in range(30)]
        until(lambda: sum(ended(line) for line in lines) >= 26, "26 of 30 dropped", 10)
        began = time.monotonic()
        terminal.send("f")
        terminal.wait_for("18746.5391")
        assert time.monotonic() - began < 5
        reasons = {event["why"] for event in narrow.events("refused")}
        assert "too many connections that have not logged in" in reasons
        assert narrow.run(narrow.command("too-early")).returncode == 255
        until(lambda: all(ended(line) for line in lines), "half-open logins freed", 10)
        with narrow.join("later"):
            pass
    gone(narrow)


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


def test_connections_from_one_address_and_in_all_are_counted(narrow: Server) -> None:
    """Connections that log in and open no channel are closed after the login time as well."""

    async def crowd() -> int:
        made = await asyncio.gather(
            *(connect(narrow, f"crowd{number}") for number in range(4)), return_exceptions=True
        )
        more = await asyncio.gather(
            *(connect(narrow, f"crowd{number + 4}") for number in range(4)), return_exceptions=True
        )
        last = await asyncio.gather(
            *(connect(narrow, f"crowd{number + 8}") for number in range(4)), return_exceptions=True
        )
        results = (*made, *more, *last)
        found = [result for result in results if isinstance(result, asyncssh.SSHClientConnection)]
        for connection in found:
            await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        return len(found)

    assert asyncio.run(crowd()) <= 10
    assert narrow.events("refused", why="too many connections from this address")
    with narrow.join("after-crowd"):
        pass
    gone(narrow)


def test_a_line_on_which_nothing_is_typed_is_closed_with_words(narrow: Server) -> None:
    with narrow.join("sleeper") as terminal:
        for key in "fs":
            time.sleep(0.8)  # each key restarts the timer
            terminal.send(key)
        terminal.wait_for("in backward 1/11")
        assert terminal.wait_exit(20) == 0
        said = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2]
        assert b"nothing was typed for a while" in said
        assert narrow.codes["sleeper"].encode() in said
        assert 1049 not in terminal.modes
        assert 25 in terminal.modes
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


def test_the_doors_count_all_connections_those_of_an_address_strangers_and_new_ones() -> None:
    limits = Limits(connections=4, per_address=2, strangers=3, per_second=0.001, at_once=6)
    limiter = ConnectionLimiter(limits)
    assert [limiter.enter("a"), limiter.enter("a")] == ["", ""]
    assert "from this address" in limiter.enter("a")
    assert limiter.enter("b") == ""
    assert "not logged in" in limiter.enter("c")
    limiter.know()
    assert limiter.enter("c") == ""
    assert "too many connections" in limiter.enter("d")
    limiter.leave("a", known=True)
    limiter.leave("b", known=False)
    limiter.know()
    assert [limiter.enter("d"), limiter.enter("a")] == ["", ""]
    limiter.leave("d", known=False)
    assert "at once" in limiter.enter("e")
    assert (limiter.connections, limiter.strangers) == (3, 2)


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
