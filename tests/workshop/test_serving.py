"""Error messages of `gradstep serve`, and the files that it makes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workshop.workshop_server import CODE, Server


def refusal(*arguments: str, user: int | None = None) -> str:
    """Try to start a server; return the one line of its error message."""
    command = [sys.executable, "-m", "gradstep_tui", "serve", "--listen", "127.0.0.1:0", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, user=user)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


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
    assert CODE in served.output
    assert ("the server runs as root" in served.output) == (os.geteuid() == 0)


def test_an_address_that_is_taken_is_told(served: Server, tmp_path: Path) -> None:
    said = refusal("--listen", f"127.0.0.1:{served.port}", "--state", str(tmp_path / "state"))
    assert f"cannot listen on 127.0.0.1:{served.port}" in said
