"""Processes of a workshop import nothing from the current folder, whatever lies there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gradstep_tui.workshop.server.processes.forkserver_client import ForkserverClient
from gradstep_tui.workshop.wire.isolation import PACKAGES, trusted_folders
from tests.terminal import Terminal
from tests.workshop.workshop_server import NEW

NAMES = ("glob", "sitecustomize", "usercustomize", "platformdirs", "textual", "torch")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules that leave a file `ran` when they are imported."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nraise ImportError\n", encoding="utf-8"
        )
    return folder


async def test_a_forkserver_runs_no_file_of_the_current_folder(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hostile)
    for variable in ("PYTHONPATH", "PYTHONUSERBASE", "PYTHONPLATLIBDIR"):
        monkeypatch.setenv(variable, str(hostile))
    forkserver = ForkserverClient()
    await forkserver.start()
    await forkserver.stop()
    assert not (hostile.parent / "ran").exists()


def test_the_current_folder_is_not_handed_on_unless_gradstep_lies_there(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", ["", ".", str(hostile), *PACKAGES])
    monkeypatch.chdir(hostile)
    assert trusted_folders() == [*PACKAGES]
    monkeypatch.chdir(PACKAGES[0])
    assert PACKAGES[0] in trusted_folders()


def test_a_login_shell_runs_no_file_of_the_current_folder(hostile: Path) -> None:
    """The client has set PYTHONPATH as well, but nothing on it is imported by the bench."""
    script = hostile.parent / "gradstep-shell"
    script.write_text(
        "import sys\nfrom gradstep_tui.workshop.shell import main\nsys.exit(main())\n", encoding="ascii"
    )
    for name in ("sitecustomize", "usercustomize"):
        (hostile / f"{name}.py").unlink()  # these run before any line of gradstep
    paths = ":".join([*PACKAGES, str(hostile)])
    command = ["sh", "-c", f"cd {hostile} && exec {sys.executable} {script}"]
    env = {"HOME": str(hostile.parent), "PYTHONPATH": paths}
    with Terminal(command, env=env) as terminal:
        terminal.wait_for(NEW)
        terminal.send("q")
        assert terminal.wait_exit() == 0
    assert not (hostile.parent / "ran").exists()
