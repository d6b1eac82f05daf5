"""One client against a class: whatever it sends, the others go on, and the server stays small."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.terminal import Terminal
from tests.workshop.attacks import ATTACKS, Attack, LongAnswers
from tests.workshop.misbehaving_clients import connect
from tests.workshop.workshop_server import Server

COMPRESSED = ("zlib@openssh.com",)

LONGEST_HOLD = 0.05
"""Seconds for which one client may hold the server's event loop."""

LARGEST_GROWTH = 1 << 20
"""Bytes by which one client may make the server grow."""


@pytest.fixture(scope="module")
def attacked() -> Iterator[Server]:
    """A workshop in which everything has been done once, so that nothing is loaded for the first time."""
    server = Server()
    with server.join("attacker"):
        pass
    (server.state / "exports/attacker/data").write_bytes(os.urandom(1 << 16) * 64)
    asyncio.run(_warm_up(server))
    yield server
    server.close()


async def _warm_up(server: Server) -> None:
    async with await attacker(server) as connection, connection.start_sftp_client() as files:
        assert "data" in await files.listdir(".")
        await files.get("data", server.folder / "data")


async def attacker(server: Server) -> asyncssh.SSHClientConnection:
    """Log in as the attacker, who has an export of four megabytes."""
    return await connect(server, "attacker", server.codes["attacker"], compression_algs=COMPRESSED)


@pytest.fixture(scope="module")
def typist(attacked: Server) -> Iterator[Terminal]:
    """The terminal of a learner who goes on during the attacks."""
    with attacked.join("typist", "-C") as terminal:
        yield terminal


def types(terminal: Terminal) -> None:
    """Open the help, and close it again."""
    terminal.send("?")
    terminal.wait_for("Esc: close")
    terminal.send("escape")
    terminal.wait_for(lambda text: "no loss yet" in text)


def peak(server: Server, *, restart: bool = False) -> int:
    """Return the largest size of the server's memory, in bytes, since the last restart of the measurement."""
    process = Path(f"/proc/{server.process.pid}")
    if restart:
        (process / "clear_refs").write_text("5", encoding="ascii")
    line = next(
        line for line in (process / "status").read_text(encoding="ascii").splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) << 10


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_a_class_goes_on_beside(attack: Attack, attacked: Server, typist: Terminal) -> None:
    connection: Any = await attacker(attacked)
    try:
        descriptors = len(os.listdir(f"/proc/{attacked.process.pid}/fd"))
        before = peak(attacked, restart=True)
        attacked.held()
        await asyncio.gather(attack(connection), asyncio.to_thread(types, typist))
        held, grown = attacked.held(), peak(attacked) - before
        opened = len(os.listdir(f"/proc/{attacked.process.pid}/fd")) - descriptors
        assert held < LONGEST_HOLD
        assert grown < LARGEST_GROWTH
        assert opened < 30
    finally:
        connection.abort()


@pytest.mark.parametrize("length", [12_000, 200_000, 1_000_000])
async def test_a_class_goes_on_beside_long_names_passwords_and_answers(
    length: int, attacked: Server, typist: Terminal
) -> None:
    before = peak(attacked, restart=True)
    attacked.held()
    for methods in (["password"], ["keyboard-interactive"]):
        with pytest.raises((asyncssh.Error, OSError)):
            await connect(
                attacked,
                "guesser",
                "",
                client_factory=lambda: LongAnswers(length),
                preferred_auth=methods,
                password=None,
            )
    await asyncio.to_thread(types, typist)
    assert attacked.held() < LONGEST_HOLD
    assert peak(attacked) - before < LARGEST_GROWTH
