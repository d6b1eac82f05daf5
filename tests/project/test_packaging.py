"""What is installed: two packages and nothing else, by one version, and how it starts."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from gradstep._version import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions, without the network, and return the folder that they are in."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> ZipFile:
    return ZipFile(next(built.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    return Parser().parsestr(wheel.read(f"gradstep-{__version__}.dist-info/METADATA").decode())


def test_two_packages_are_installed_and_nothing_else(wheel: ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    name = f"gradstep-{__version__}"
    assert tops == {"gradstep", "gradstep_tui", f"{name}.dist-info", f"{name}.data"}
    data = [path for path in wheel.namelist() if path.startswith(f"{name}.data/")]
    assert data == [f"{name}.data/data/share/man/man1/gradstep.1"]


def test_every_file_of_both_packages_is_installed(wheel: ZipFile) -> None:
    wanted = {
        str(path.relative_to(ROOT / top))
        for top in ("engine", "tui")
        for path in (ROOT / top).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"gradstep/py.typed", "gradstep_tui/py.typed", "gradstep_tui/screens/bench.tcss"} <= wanted
    assert wanted <= set(wheel.namelist())


def test_the_version_stands_in_one_place(metadata: Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert metadata["Version"] == __version__


def test_a_package_index_links_to_the_repository_and_knows_what_this_is(metadata: Message) -> None:
    labels = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Repository", "Issues", "Changelog", "Manual"} <= labels.keys()
    assert all(url.startswith("https://github.com/gradstep/gradstep") for url in labels.values())
    classifiers = metadata.get_all("Classifier", [])
    assert {"Typing :: Typed", "Intended Audience :: Education"} <= set(classifiers)


def test_the_source_distribution_takes_the_tests_along(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/conftest.py", f"tests/project/{Path(__file__).name}", "pyproject.toml", ".ci/run"} <= names


@pytest.mark.parametrize("module", ["gradstep", "gradstep_tui"])
def test_both_packages_start_the_command(module: str, tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise AssertionError('not of the current folder')\n")
    command = [sys.executable, "-m", module, "--version"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"gradstep {__version__}\n", "")


def test_the_engine_alone_says_that_the_screens_are_missing() -> None:
    without = "import runpy, sys; sys.modules['gradstep_tui'] = None"
    started = "runpy.run_module('gradstep', run_name='__main__')"
    command = [sys.executable, "-c", f"{without}; {started}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith(
        "gradstep: the package gradstep_tui, which draws the screens, is not installed."
    )
