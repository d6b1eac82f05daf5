"""Elsewhere a test may be skipped and says why; in CI a skip is a failure."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import preloaded

ROOT = Path(__file__).parents[2]
SKIPPED = {
    "test_one.py": "import pytest\ndef test_it():\n    pytest.skip('no such program')\n",
    "test_file.py": "import pytest\npytest.importorskip('nothing_of_the_kind')\ndef test_it(): pass\n",
    "test_fine.py": (
        "import pytest\ndef test_it(): pass\n"
        "@pytest.mark.xfail(strict=True)\ndef test_known(): raise AssertionError\n"
    ),
}


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_skip_is_a_failure_in_ci_only(tmp_path: Path, ci: str) -> None:
    for name, text in SKIPPED.items():
        (tmp_path / name).write_text(text)
    env = {"CI": ci, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "tests.conftest", "-p", "no:xdist"]
    command += [
        "--rootdir",
        str(tmp_path),
        "-c",
        os.devnull,
        "--continue-on-collection-errors",
        str(tmp_path),
    ]
    run = preloaded.run(command, cwd=tmp_path, env=env)
    if ci:
        assert run.returncode == 1
        assert "1 failed, 1 passed, 1 xfailed, 1 error" in run.stdout
        assert run.stdout.count("skipped in CI: ") == 2
    else:
        assert run.returncode == 0
        assert "1 passed, 2 skipped, 1 xfailed" in run.stdout
        assert "no such program" in run.stdout
