"""Exports of scripts' own loops, and their runs: many in one process, each in a copy that has torch loaded.

`python -m tests.engine.exported_runs FOLDER` runs every `*.py` in a folder, and writes what each printed
beside it, to `NAME.out`, with its exit code in the last line.
"""

from __future__ import annotations

import atexit
import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from gradstep.exports.own_loop.loop_plan import LoopPlan
from tests import preloaded

LONGEST = 20
"""Seconds that a script may run."""


def exported(path: Path, plan: LoopPlan, *arguments: str) -> tuple[str, str]:
    """Return the script and the notebook for what ran of a script's loop."""
    from gradstep.capture.capture import capture
    from gradstep.exports.own_loop.loop_numbers import numbers_of
    from gradstep.exports.own_loop.own_export import LoopExport, OwnLoop
    from gradstep.scripts.process_settings import apart_from_other_scripts
    from gradstep.scripts.source_reader import read_source
    from tests.engine.captured_runs import seed

    seed()
    source = read_source(path)
    with apart_from_other_scripts():
        loop = capture(source, arguments)
        numbers, ran = numbers_of(loop, plan, str(source.path))
    made = LoopExport(OwnLoop(source, loop.loops, arguments), ran, numbers)
    return made.script(), made.notebook()


def run_all(folder: Path) -> dict[str, tuple[int, str]]:
    """Run every script in a folder; return its exit code and what it printed, by its name without `.py`."""
    command = [sys.executable, "-m", "tests.engine.exported_runs", str(folder)]
    ran = preloaded.run(command, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    found = {}
    for file in sorted(folder.glob("*.out")):
        printed, _, code = file.read_text(encoding="utf-8").rpartition("\n")
        found[file.stem] = int(code), printed
    return found


def main(folder: Path) -> None:
    """Run every script in a folder."""
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # loads what most scripts need, for all copies

    for file in sorted(folder.glob("*.py")):
        out = file.with_suffix(".out")
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            opened = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(opened, 1)
            os.dup2(opened, 2)
            _run(file)
        _, status = os.waitpid(child, 0)
        with out.open("a", encoding="utf-8") as written:
            written.write(f"\n{os.waitstatus_to_exitcode(status)}")


def _run(file: Path) -> NoReturn:
    """Run a script as Python does, and end: without the seconds that Python takes to free all of torch."""
    sys.path[0], sys.argv, code = str(file.parent), [str(file)], 0
    try:
        runpy.run_path(str(file), run_name="__main__")
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
