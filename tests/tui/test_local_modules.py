"""A script with a module of its own called `engine`, on the bench: read again, saved, resumed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from gradstep.saving.reader import read_session_file
from gradstep.start import start_from
from gradstep_tui.cli import main
from gradstep_tui.session.autosave import Autosave
from tests.tui.bench import bench, frame, idle, opened, press, text, until

SCRIPT = """
import torch
import engine
X = torch.tensor([[0.0], [1.0], [2.0]])
y = X * engine.SLOPE
model = engine.make()
loss_fn = torch.nn.MSELoss()
lr = 0.1
"""

ENGINE = """
import torch
SLOPE = {slope}
def make():
    torch.manual_seed(1)
    return torch.nn.Linear(1, 1)
"""


def write_engine(folder: Path, slope: float) -> None:
    """Write the module as a file, or as a package if its folder is there."""
    package = folder / "engine"
    path = package / "__init__.py" if package.is_dir() else folder / "engine.py"
    path.write_text(ENGINE.format(slope=slope), encoding="utf-8")


@pytest.fixture(params=["module", "package"])
def script(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    if request.param == "package":
        (tmp_path / "engine").mkdir()
    write_engine(tmp_path, 2.0)
    path = tmp_path / "train.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


@pytest.fixture
def autosave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Autosave]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    autosave = Autosave()
    yield autosave
    autosave.close()


async def test_a_reload_sees_what_was_edited_in_a_module_called_engine(
    script: Path, autosave: Autosave
) -> None:
    async with opened(make=lambda: autosave.begin(start_from(str(script))), autosave=autosave) as pilot:
        await press(pilot, "f", "b")
        first = frame(pilot).loss
        write_engine(script.parent, 5.0)
        await press(pilot, "f5")
        await idle(pilot)
        await until(pilot, lambda: not bench(pilot).running)
        assert "train.py read again" in text(pilot)
        await press(pilot, "f", "b", "u")
        assert first is not None
        assert frame(pilot).loss > 2 * first


def run(*arguments: str, typed: str = "") -> int:
    with patch("sys.stdin", io.StringIO(typed)), redirect_stdout(io.StringIO()):
        return main(arguments)


def test_a_session_with_a_module_called_engine_resumes_bit_for_bit(script: Path, tmp_path: Path) -> None:
    saved = tmp_path / "session.jsonl"
    assert run(str(script), "--plain", "--save", str(saved), typed="forward\nbackward\nrun 3\n") == 0
    assert run("resume", str(saved), "--plain", typed="run 2\n") == 0
    assert len(read_session_file(saved).actions) == 4
    assert run("replay", "--to-end", str(saved)) == 0  # 1 if a number differs
