"""Error messages of `gradstep serve`, and the files that it makes."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, redirect_stderr
from pathlib import Path
from typing import Final

import asyncssh
import pytest

from gradstep.errors import BadInput
from gradstep_tui.workshop.server.command import _stop_on_signals, serve
from gradstep_tui.workshop.server.invitation import public_address
from gradstep_tui.workshop.server.join_code import join_code
from gradstep_tui.workshop.server.storage.database import reason_of
from tests.workshop.workshop_server import CODE, Server


def refusal(*arguments: str) -> str:
    """Try to start a server, which does not get as far as to listen; return the one line of its message."""
    with redirect_stderr(io.StringIO()) as said:
        try:
            code: object = serve(["--listen", "127.0.0.1:0", *arguments])
        except SystemExit as wrong_option:
            code = wrong_option.code
    assert code == 2
    assert said.getvalue().count("\n") == 1, said.getvalue()
    return said.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "nowhere"], "is not an address to listen on"),
        (["--listen", "127.0.0.1:99999"], "is not an address to listen on"),
        (["--max-learners", "0"], "whole number from 1"),
        (["--problem", "own.py"], "own.py"),
        (["--code", " - "], "too easy to guess"),
        (["--code", ""], "too easy to guess"),
        (["--code", "abc"], "too easy to guess"),
        (["--code", "123456"], "too easy to guess"),
        (["--code", "k7mq-3f9d", "--code-file", "x"], "choose one of them"),
        (["--code-file", "/nowhere"], "/nowhere"),
        (["--name", "two words"], "HOST or HOST:PORT"),
        (["--instructor-keys", "/nowhere"], "/nowhere"),
    ],
)
def test_a_wrong_option_is_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert said in refusal("--state", str(tmp_path / "state"), *arguments)


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="ascii")
    assert "File exists" in refusal("--state", str(file))
    assert "Not a directory" in refusal("--state", str(file / "below"))
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert "other users may write to the folder" in refusal("--state", str(open_to_all))
    if os.geteuid() == 0:
        foreign = tmp_path / "foreign"
        foreign.mkdir()
        os.chown(foreign, 12345, 12345)
        assert "belongs to another user" in refusal("--state", str(foreign))


def test_a_half_written_or_readable_secret_is_told_and_never_used(tmp_path: Path) -> None:
    """A full disk may leave an empty file, and an empty code would admit everybody."""
    for name in ("join_code", "instructor_code"):
        state = tmp_path / name
        state.mkdir(mode=0o700)
        (state / name).write_text("", encoding="ascii")
        assert "too easy to guess" in refusal("--state", str(state))
    state = tmp_path / "key"
    state.mkdir(mode=0o700)
    (state / "host_key").write_text("", encoding="ascii")
    (state / "host_key").chmod(0o640)
    assert "other users may read the host key" in refusal("--state", str(state), "--code", CODE)
    (state / "host_key").chmod(0o600)
    assert "does not contain a private key" in refusal("--state", str(state), "--code", CODE)


def test_what_is_kept_is_its_owners_alone_and_a_second_server_is_refused(served: Server) -> None:
    for name in ("host_key", "instructor_code", "workshop.db", "lock"):
        assert stat.S_IMODE((served.state / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(served.state.stat().st_mode) == 0o700
    assert "another server uses" in refusal("--state", str(served.state))


def test_it_says_how_to_join_and_that_it_runs_as_root(served: Server) -> None:
    assert f"ssh -p {served.port} NAME@" in served.output
    assert "SHA256:" in served.output
    assert f"[{socket.gethostname()}]:{served.port} ssh-ed25519 AAAA" in served.output
    assert ("the server runs as root" in served.output) == (os.geteuid() == 0)


def test_an_address_that_is_taken_is_told(served: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradstep_tui", "serve", "--listen", f"127.0.0.1:{served.port}"]
    result = subprocess.run(
        [*command, "--state", str(tmp_path / "state")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert f"cannot listen on 127.0.0.1:{served.port}" in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr


def test_the_codes_are_in_no_list_of_processes_and_on_no_journal(served: Server) -> None:
    """Standard output is a file here, as it is a journal under systemd."""
    code = (served.state / "instructor_code").read_text(encoding="ascii").strip()
    assert code not in served.output + served.log
    assert CODE not in served.output + served.log
    assert str(served.state / "instructor_code") in served.output


def test_a_code_on_the_command_line_disappears_from_it() -> None:
    program = (
        "import sys; from gradstep_tui.workshop.server.join_code import hide_argument; "
        "hide_argument(sys.argv[1]); print(open('/proc/self/cmdline').read())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, "k7mq-3f9d", "other"], capture_output=True, text=True, check=True
    ).stdout
    assert "k7mq-3f9d" not in shown
    assert "*********\0other" in shown


def test_a_code_comes_from_a_file_or_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gradstep_code").write_text("k7mq 3f9d\n", encoding="ascii")
    assert join_code(None, tmp_path / "gradstep_code", tmp_path) == "k7mq 3f9d"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert join_code(None, None, tmp_path) == "k7mq 3f9d"
    monkeypatch.setenv("GRADSTEP_CODE_FILE", str(tmp_path / "nothing"))
    with pytest.raises(BadInput, match="cannot be read"):
        join_code(None, None, tmp_path)


@pytest.mark.parametrize(
    ("name", "ssh", "host"),
    [
        ("lab.example.org", "ssh -p 2222 ada@lab.example.org", "[lab.example.org]:2222"),
        ("lab.example.org:22", "ssh ada@lab.example.org", "lab.example.org"),
        ("[2001:db8::1]:99", "ssh -p 99 ada@2001:db8::1", "[2001:db8::1]:99"),
    ],
)
def test_the_name_that_learners_type_can_be_set(name: str, ssh: str, host: str) -> None:
    address = public_address(name, 2222)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="gradstep workshop")
    assert address.ssh("ada") == ssh
    assert address.known_hosts(key).startswith(f"{host} ssh-ed25519 AAAA")


@pytest.mark.parametrize("name", ["two words", "host:0", "host:70000", "a;b", "\x1b[2J", ""])
def test_a_name_that_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is not HOST or HOST:PORT"):
        public_address(name, 2222)


def test_a_signal_that_ends_no_server_is_logged(served: Server) -> None:
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        served.process.send_signal(number)
        served.logged("ignored signal", name=number.name)
    assert served.process.poll() is None


ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.mark.parametrize("number", ENDING)
async def test_every_other_signal_ends_it_in_order(number: signal.Signals) -> None:
    stopped = _stop_on_signals()
    try:
        os.kill(os.getpid(), number)
        assert await asyncio.wait_for(stopped, 10) == number.name
    finally:
        for handled in (*ENDING, signal.SIGUSR1, signal.SIGUSR2):
            asyncio.get_running_loop().remove_signal_handler(handled)


def test_what_could_not_be_saved_at_the_end_is_in_the_log_and_the_exit_code(tmp_path: Path) -> None:
    server = Server(state=tmp_path / "state")
    with server.join("unlucky") as terminal, closing(sqlite3.connect(server.state / "workshop.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        terminal.send("f")
        terminal.wait_for("the workshop cannot store your session")
        server.process.send_signal(signal.SIGHUP)
        terminal.wait_exit()
        assert b"did not take what you did last" in terminal.output
        assert 1049 not in terminal.modes
        assert server.process.wait(60) == 1
    assert server.events("stopping", why="SIGHUP")
    assert server.events("lost", name="unlucky", actions=1, level="error")
    assert all(line.startswith("{") for line in server.log.splitlines())
    server.close()


def test_a_full_disk_is_named_where_the_database_speaks_of_an_error_of_input_and_output() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 8 << 8
    assert reason_of(error) == "disk I/O error (is the disk full?)"
    assert reason_of(sqlite3.DatabaseError("file is not a database")) == "file is not a database"
