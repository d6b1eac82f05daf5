"""What importing the engine brings along, seen by a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT / "engine").with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "engine").rglob("*.py")
    if path.stem != "__main__"  # importing that runs the command
    and (path.parent.name != "own_loops" or path.stem == "__init__")  # scripts, some of which raise
)


def loaded_after(statement: str, before: str = "") -> set[str]:
    """Give the top-level packages that a fresh interpreter loads for `statement`, after `before`."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    lines = ("import sys", before, f"had = {names}", statement, f"print(*{names} - had)")
    command = [sys.executable, "-c", "\n".join(lines)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return set(run.stdout.split())


def test_the_engine_needs_no_screen() -> None:
    # torch itself may load asyncio; the engine adds none of these.
    loaded = loaded_after(f"import {', '.join(MODULES)}", before="import torch")
    assert {"gradstep", "msgspec"} <= loaded
    assert not loaded & {"textual", "rich", "asyncio", "asyncssh", "gradstep_tui"}


@pytest.mark.parametrize("modules", ["gradstep.frame, gradstep.actions, gradstep.errors, gradstep.problems"])
def test_what_a_screen_needs_at_once_does_not_import_torch(modules: str) -> None:
    assert not loaded_after(f"import {modules}") & {"torch", "numpy"}
