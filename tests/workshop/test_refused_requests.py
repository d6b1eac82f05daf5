"""Requests that the server refuses, made by real clients."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_OPEN
from asyncssh.packet import String, UInt32

from gradstep_tui.workshop.server.access.algorithms import modern
from tests.workshop.misbehaving_clients import bench, confirm_resume_code, connect, shown
from tests.workshop.workshop_server import CODE, Server, need, until


def test_without_a_terminal_there_is_one_line_and_no_bench(served: Server) -> None:
    result = served.run(served.command("no-pty", "-T"))
    assert result.returncode == 1
    assert result.stdout == "A bench needs a terminal: log in without a command, or with ssh -t.\n"
    assert not served.events("bench", name="no-pty")
    assert not (served.state / "exports/no-pty").exists()
    with served.join("no-pty"):
        pass  # the name is still free, because nobody has seen its resume code


@pytest.mark.parametrize("command", ["id", "scp", "scp -f", "scp --help", "scp -x /", "sh -c id", "scpx"])
async def test_no_command_is_run(served: Server, command: str) -> None:
    name = "commander" + str(abs(hash(command)) % 10_000)
    async with await connect(served, name) as connection:
        try:
            process = await connection.create_process(command, encoding=None)
        except asyncssh.ChannelOpenError:
            return
        out, err = await process.communicate()
        assert b"uid" not in out + err
        assert process.returncode != 0


def test_the_usual_client_gets_no_command_either(served: Server, tmp_path: Path) -> None:
    for options in ([], ["-tt"]):
        command = [*served.command("exec" + "t" * len(options), *options), f"touch {tmp_path}/made"]
        result = served.run(command)
        assert result.returncode != 0
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("subsystem", ["shell", "netconf", "publickey", "sftp-server"])
async def test_no_subsystem_but_sftp_is_there(served: Server, subsystem: str) -> None:
    async with await connect(served, f"sub-{subsystem}") as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem=subsystem)


async def test_nothing_is_forwarded(served: Server, tmp_path: Path) -> None:
    """Ports and sockets in both directions, and tunnels: each is refused, and nothing is opened."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()[1]
        here.setblocking(False)
        async with await connect(served, "forwarder") as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", port)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_unix_connection(str(tmp_path / "socket"))
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.start_server(lambda *_: None, "127.0.0.1", 0)
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.start_unix_server(lambda *_: None, str(tmp_path / "socket"))
            for open_one in (connection.open_tun, connection.open_tap):
                with pytest.raises(asyncssh.ChannelOpenError):
                    await open_one()
        with pytest.raises(BlockingIOError):
            here.accept()
    assert not [*tmp_path.iterdir()]


def test_the_usual_client_is_forwarded_nothing_and_keeps_its_bench(served: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        here = free.getsockname()[1]
    agent = subprocess.Popen(
        [need("ssh-agent"), "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL
    )
    try:
        until((tmp_path / "agent").exists, "an agent")
        options = ("-A", "-X", "-L", f"{here}:127.0.0.1:{served.port}", "-R", "0:127.0.0.1:1")
        env = {"SSH_AUTH_SOCK": str(tmp_path / "agent"), "DISPLAY": ":0"}
        with served.join("usual", *options, "-o", "LogLevel=INFO", env=env) as terminal:
            before = bytes(terminal.output).partition(b"\x1b")[0].decode()
            assert "X11 forwarding request failed" in before
            assert "remote port forwarding failed" in before
            with socket.create_connection(("127.0.0.1", here), timeout=10) as through:
                assert through.recv(100) == b""  # the client listens, and the server refuses to forward
            terminal.send("f")
            terminal.wait_for("18746.5391")
            files = os.listdir(f"/proc/{served.process.pid}/fd")
            open_here = [os.readlink(f"/proc/{served.process.pid}/fd/{file}") for file in files]
            assert not [path for path in open_here if "agent" in path or "X11" in path]
    finally:
        agent.kill()
        agent.wait()


async def test_a_connection_has_one_channel(served: Server) -> None:
    async with await connect(served, "channels") as connection:
        process = await bench(connection)
        await confirm_resume_code(process)
        with pytest.raises(asyncssh.ChannelOpenError):
            await bench(connection)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        process.stdin.write(b"f")
        await shown(process, b"18746")


async def test_channels_of_odd_kinds_and_garbage_in_packets_harm_nobody(served: Server) -> None:
    async with await connect(served, "odd") as connection:
        raw: Any = connection
        for kind in ("x11", "auth-agent@openssh.com", "forwarded-tcpip", "\xff\x00", "session"):
            parts = (String(kind.encode("latin-1")), UInt32(7), UInt32(0), UInt32(2**31), b"garbage" * 9)
            raw.send_packet(MSG_CHANNEL_OPEN, *parts)
        await asyncio.sleep(0.1)
    async with await connect(served, "even") as connection:
        await confirm_resume_code(await bench(connection))


def test_only_modern_algorithms_are_offered(served: Server) -> None:
    """`ssh-audit` has no objection except about quantum computers, which `--post-quantum` answers."""
    tool = shutil.which("ssh-audit", path=str(Path(sys.executable).parent))
    assert tool is not None
    given = [tool, "-jj", "--skip-rate-test", "-p", str(served.port), "127.0.0.1"]
    found = json.loads(subprocess.run(given, capture_output=True, text=True, check=False, timeout=60).stdout)
    assert found["banner"]["raw"] == "SSH-2.0-gradstep"
    notes = [
        (row["algorithm"], level, text)
        for kind in ("kex", "key", "enc", "mac")
        for row in found[kind]
        for level in ("fail", "warn")
        for text in row.get("notes", {}).get(level, [])
    ]
    assert {text for _, _, text in notes} <= {"does not provide protection against post-quantum attacks"}
    assert not {name for name, _, _ in notes} & {*modern(compress=False, post_quantum=True)["kex_algs"]}
    assert not found["cves"]
    assert not any("vulnerab" in note for note in found["additional_notes"])


async def test_a_client_can_join_by_a_post_quantum_exchange_of_keys(
    served: Server,
) -> None:
    left = modern(compress=False, post_quantum=True)["kex_algs"]
    assert left
    for number, exchange in enumerate(left):
        async with await connect(served, f"quantum-{number}", kex_algs=[exchange]) as connection:
            assert connection.get_extra_info("send_cipher") == "aes256-gcm@openssh.com"
            await confirm_resume_code(await bench(connection))


async def test_a_session_goes_on_when_keys_are_changed(served: Server) -> None:
    async with await connect(served, "rekeyed", rekey_bytes=20_000) as connection:
        process = await bench(connection)
        await confirm_resume_code(process)
        process.stdin.write(b"f")
        await shown(process, b"18746")


def test_garbage_instead_of_a_banner_ends_that_connection_only(served: Server) -> None:
    for garbage in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 9000,
        b"SSH-1.5-old\r\n",
        b"SSH-2.0-\xff\xff\r\n",
    ):
        with served.socket() as line:
            line.sendall(garbage)
            end = time.monotonic() + 10
            while line.recv(4096):
                assert time.monotonic() < end
    with served.join("after-garbage"):
        pass
    assert CODE not in served.log
