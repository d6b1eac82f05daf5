"""The client's terminal and environment, as far as they reach the bench."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from gradstep.errors import BadInput
from gradstep.start import Start
from gradstep_tui.workshop.bench.session.autosave import ServerAutosave
from gradstep_tui.workshop.bench.session.server_link import ServerLink
from gradstep_tui.workshop.wire.messages import SessionBegan, Welcome, from_bench
from tests.workshop.misbehaving_clients import bench, confirm_resume_code, connect
from tests.workshop.workshop_server import Server, until


def test_variables_that_change_behaviour_do_not_reach_a_bench(served: Server, tmp_path: Path) -> None:
    sent = {
        "LD_PRELOAD": "",  # for `ssh` itself; the value that is sent is below
        "TEXTUAL_DRIVER": "antigravity:Driver",
        "TEXTUAL_LOG": str(tmp_path / "log"),
        "PYTHONPATH": str(tmp_path),
        "BROWSER": f"touch {tmp_path}/browser",
        "LC_ALL": "../../etc/passwd",
        "COLORTERM": "truecolor; id",
        "LC_SECRET": "x",
    }
    options = [part for name in sent for part in ("-o", f"SendEnv={name}")]
    more = ("-o", "SetEnv=LD_PRELOAD=/tmp/evil.so")
    with served.join("sender", *more, *options, env=sent):
        environment = served.environment_of("sender")
        assert environment["python"] == {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        assert environment["c"] == {"TERM": "xterm-256color"}
    assert not [*tmp_path.iterdir()]


async def test_a_bench_has_its_own_files_only(served: Server) -> None:
    async with await connect(served, "holder") as connection:
        await confirm_resume_code(await bench(connection))
        folder = f"/proc/{served.bench('holder')}/fd"
        found = {int(file): os.readlink(f"{folder}/{file}") for file in os.listdir(folder)}
        assert {found[standard].startswith("/dev/pts/") for standard in (0, 1, 2)} == {True}
        assert not [to for file, to in found.items() if file > 2 and re.match(r"/(?!dev/null)", to)], found


@pytest.mark.parametrize(
    ("size", "expected"),
    [((100_000, 100_000), (300, 120)), ((1, 1), (20, 8)), ((0, 0), (20, 8)), ((2**32 - 1, 24), (300, 24))],
)
async def test_a_window_of_any_size_becomes_a_sane_one(
    served: Server, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    name = f"size-{size[0]}-{size[1]}"
    async with await connect(served, name) as connection:
        process = await bench(connection, term_size=(80, 24))
        await confirm_resume_code(process)
        process.change_terminal_size(*size)
        process.stdin.write(b"f")
        await process.stdout.read(1000)
        until(lambda: tuple(_size(served.bench(name))) == expected, f"{expected}", 5)


def _size(pid: int) -> os.terminal_size:
    """Return the size of a process's terminal."""
    with open(f"/proc/{pid}/fd/0", "rb", buffering=0) as terminal:
        return os.get_terminal_size(terminal.fileno())


def test_a_resized_window_is_drawn_at_its_new_size(served: Server) -> None:
    with served.join("resizer") as terminal:
        terminal.resize(130, 40)
        terminal.wait_for(lambda text: any(len(line.rstrip()) > 100 for line in text.splitlines()))


def test_a_locale_without_utf8_gets_ascii(served: Server) -> None:
    options = ("-o", "SendEnv=LANG LC_ALL")
    with served.join("asciier", *options, env={"LANG": "C", "LC_ALL": None}) as terminal:
        assert terminal.text.isascii()
    with served.join("lines") as terminal:
        assert not terminal.text.isascii()


def test_colour_is_what_the_client_says(served: Server) -> None:
    options = ("-o", "SendEnv=NO_COLOR COLORTERM LANG")
    sent = {"NO_COLOR": "1", "COLORTERM": "truecolor", "LANG": "de_DE.UTF-8", "TERM": "screen-256color"}
    with served.join("grey", *options, env=sent):
        assert served.environment_of("grey")["python"] == sent


def test_keys_that_would_reach_the_servers_disk_or_job_control_do_nothing(served: Server) -> None:
    with served.join("explorer") as terminal:
        terminal.send("ctrl+p")
        terminal.wait_for("Search")
        terminal.send("screenshot")
        terminal.settle()
        assert "Save an SVG" not in terminal.text
        assert "Screenshot" not in terminal.text
        terminal.send("escape")
        terminal.settle()
        terminal.send("\x1a\x1c\x13")  # ctrl+z, ctrl+\\, ctrl+s
        terminal.settle()
        terminal.send("f")
        terminal.wait_for("18746.5391")


def test_the_manual_opens_on_a_learners_bench_and_finds_words(served: Server) -> None:
    with served.join("reader") as terminal:
        terminal.wait_for("next: forward")
        terminal.send("\x1bOP")  # F1
        terminal.wait_for("> first-steps")
        terminal.send("/")
        terminal.send("ssh-audit\r")
        terminal.wait_for("> workshop-administration")
        terminal.send("\r")
        terminal.wait_for("finds no failure")


def test_scripts_of_ones_own_are_not_run(served: Server, tmp_path: Path) -> None:
    with served.join("scripter") as terminal:
        terminal.send("p")
        assert ".py" not in terminal.wait_for("begin another problem")
    own = tmp_path / "own.py"
    own.write_text(f"open({str(tmp_path / 'made')!r}, 'w')\n", encoding="utf-8")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        welcome = Welcome(name="scripter", role="learner", start=Start(str(own)))
        autosave = ServerAutosave(ServerLink(theirs), welcome)
        with pytest.raises(BadInput, match="scripts of your own do not run here"):
            autosave.begin(Start(str(own)))
        assert autosave.rejoin().origin == Start()  # a built-in problem in its place
        with ours.makefile("rb") as lines:
            told = from_bench.decode(lines.readline())
        assert isinstance(told, SessionBegan)
        assert "scripts of your own do not run here" in told.failed
    assert not (tmp_path / "made").exists()
