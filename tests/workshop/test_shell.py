"""`gradstep-shell`: an account that has a bench and nothing else, behind OpenSSH's own server."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradstep_tui.workshop.bench.rlimits import MEMORY
from tests.terminal import Terminal
from tests.workshop.workshop_server import NEW, make_key, need, until

ROOT = Path(__file__).parents[2]
SHELL = f"PYTHONPATH={ROOT}/engine:{ROOT}/tui {sys.executable} -m gradstep_tui.workshop.shell"


class Sshd:
    """OpenSSH's server on a free port, for the user who runs the tests, with a forced command."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.key = make_key(folder / "key")
        host = make_key(folder / "host")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "authorized").write_bytes((folder / "key.pub").read_bytes())
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
            "Subsystem sftp internal-sftp\nDisableForwarding yes\nPermitUserRC no\nAcceptEnv *\n"
            f'ForceCommand env -i HOME={self.home} TERM="$TERM" LANG="$LANG" {SHELL}\n',
            encoding="ascii",
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd separates privileges there
        self.process = subprocess.Popen(
            [need("sshd"), "-D", "-e", "-f", str(folder / "config")], stderr=(folder / "log").open("wb")
        )
        until(lambda: b"listening" in (folder / "log").read_bytes(), "sshd listens")

    def command(self, *arguments: str, program: str = "ssh") -> list[str]:
        options = ("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR")
        given = [part for option in options for part in ("-o", option)]
        port = "-p" if program == "ssh" else "-P"
        return [need(program), "-F", "none", port, str(self.port), "-i", str(self.key), *given, *arguments]


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with tempfile.TemporaryDirectory(prefix="gradstep-sshd-") as folder:
        server = Sshd(Path(folder))
        yield server
        server.process.terminate()
        server.process.wait()


TO = f"{getpass.getuser()}@127.0.0.1"


def test_a_forced_command_is_a_bench_whose_session_and_files_stay_in_the_account(sshd: Sshd) -> None:
    state = sshd.home / ".local/state/gradstep"
    with Terminal(sshd.command("-t", TO, "id; sh")) as terminal:
        terminal.wait_for(NEW)
        terminal.send("f")
        terminal.wait_for("18746.5391")
        for wrong in ("/tmp/out", "../out"):
            terminal.send("x")
            terminal.wait_for("Export to which files?")
            terminal.send(wrong)
            terminal.send("enter")
            terminal.wait_for(f"{wrong!r} is not a valid file name")
            terminal.send("escape")
            terminal.wait_for(lambda text: "Export to which files?" not in text)
        terminal.send("x")
        terminal.wait_for("Export to which files?")
        terminal.send("enter")
        terminal.wait_for(f"{state}/exports")
        assert sorted(os.listdir(state / "exports")) == ["crops.csv", "crops.ipynb", "crops.py", "crops.svg"]
        terminal.send("\x1a")  # ctrl+z
        terminal.send("s")
        terminal.wait_for("in backward 1/11")
        terminal.send("q")
        assert terminal.wait_exit() == 0
        assert b"uid=" not in terminal.output
    assert len([*(state / "sessions").iterdir()]) == 1


@pytest.mark.parametrize("asked", [["id"], ["-T"], ["-s", "sftp"], ["-T", "scp -f /etc/passwd"]])
def test_without_a_terminal_there_is_one_line_whatever_is_asked_for(sshd: Sshd, asked: list[str]) -> None:
    options = [part for part in asked if part.startswith("-")]
    rest = [part for part in asked if not part.startswith("-")]
    result = subprocess.run(
        sshd.command(*options, TO, *rest),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    if "-s" not in asked:  # ssh does not show the standard error of a subsystem
        assert result.stderr.count("\n") == 1
        assert "this account runs a bench and nothing else" in result.stderr


def test_variables_of_the_client_change_nothing(sshd: Sshd, tmp_path: Path) -> None:
    """The server above accepts any variable, and has the manual's command: see its configuration."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("sitecustomize", "usercustomize", "runpy", "gradstep", "gradstep_tui", "textual"):
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w')", encoding="ascii")
    sent = {
        "TEXTUAL_LOG": str(tmp_path / "log"),
        "TEXTUAL_DRIVER": "antigravity:Driver",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "BROWSER": f"touch {tmp_path}/browser",
        **{
            f"PYTHON{name}": str(hostile) for name in ("PATH", "HOME", "USERBASE", "PLATLIBDIR", "EXECUTABLE")
        },
        **{f"PYTHON{name}": "1" for name in ("INSPECT", "VERBOSE", "DEBUG", "OPTIMIZE", "PROFILEIMPORTTIME")},
        "PYTHONSTARTUP": str(hostile / "sitecustomize.py"),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "cache"),
        "PYTHONBREAKPOINT": "sitecustomize.run",
        "PYTHONWARNINGS": "error",
        "PYTHONIOENCODING": "utf-16",
    }
    options = [part for name in sent for part in ("-o", f"SendEnv={name}")]
    with Terminal(sshd.command("-t", *options, TO), env=sent) as terminal:
        terminal.wait_for(NEW)
        terminal.send("f")
        terminal.wait_for("18746.5391")
        terminal.send("q")
        assert terminal.wait_exit() == 0
        for unwanted in (b"import time:", b">>>", b"Traceback", b"# matches"):
            assert unwanted not in terminal.output
    assert os.listdir(tmp_path) == ["hostile"]


def test_as_a_login_shell_its_arguments_are_not_looked_at_and_it_has_its_share_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradstep_tui.workshop.shell", "-c", f"touch {tmp_path}/made"]
    env = {"HOME": str(tmp_path), "SSH_ORIGINAL_COMMAND": "id", "TEXTUAL_LOG": str(tmp_path / "log")}
    with Terminal(command, env=env) as terminal:
        terminal.wait_for(NEW)
        limits = Path(f"/proc/{terminal.process.pid}/limits").read_text(encoding="ascii").splitlines()
        assert next(line.split()[3] for line in limits if line.startswith("Max data size")) == str(MEMORY)
        terminal.send("fb")
        terminal.wait_for("next: update")
        terminal.send("q")
        assert terminal.wait_exit() == 0
    assert sorted(os.listdir(tmp_path)) == [".local"]
