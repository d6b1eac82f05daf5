"""`gradstep.backward`: a program's own backward pass, stepped where it runs, as `breakpoint()` steps Python.

Whoever draws screens is called by name, as `sys.breakpointhook` calls a debugger: the environment variable
`GRADSTEP_BACKWARD` may name another function, or be `0`, so that every pass just runs.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor

from gradstep._version import __version__
from gradstep.autograd.trace import TRACE_LIMIT
from gradstep.recordings.leaf_names import rate_of
from gradstep.recordings.pass_recorder import PassRecorder, Room
from gradstep.recordings.recording import Origin, Recording, RoundRecord
from gradstep.torch_internals import engine_entered_by, engine_entry

Stepper: TypeAlias = Callable[[Recording], object]
"""Shows a recording of one pass until the learner leaves it."""

STEPPER: Final = "gradstep_tui.live_bench.step_through"
"""Function that is called with a recording of the pass, if no other one is named."""

VARIABLE: Final = "GRADSTEP_BACKWARD"
"""Environment variable that names another function, or is `0` to step nothing."""

INCAPABLE: Final = ("", "dumb", "unknown")
"""Values of TERM for terminals that can only show lines of text."""

INSTEAD: Final = "with gradstep.record(...) the passes go to a file that can be stepped through elsewhere"


class Unshown(StrEnum):
    """Reason for which a pass runs without being stepped; the value is a clause of a sentence."""

    NOTEBOOK = "a notebook has no terminal of its own"
    NO_TERMINAL = "there is no terminal on standard input and output"
    DUMB = "this terminal cannot draw"
    THREAD = "only the main thread of a program can have the terminal"
    OPEN = "the terminal shows another pass"
    NO_BENCH = "nothing is installed that can show it"


class _Process:
    """What this module knows of its process."""

    told: Final = set[Unshown]()
    """Reasons that were told: each is told once."""

    calls: Final = Counter[tuple[str, int]]()
    """Number of passes that were stepped at each file and line."""

    stepping = False
    """Whether a pass is stepped now."""


def backward(loss: Tensor, **arguments: Any) -> None:
    """Run `loss.backward(**arguments)`, and step through the pass on the bench before the program goes on.

    Gradients come out as `loss.backward()` leaves them, bit for bit. If the bench cannot be shown, as in a
    notebook, the pass runs all the same, and one sentence on standard error says what to do instead.

    Args:
        loss: Tensor to differentiate.
        arguments: Arguments of `torch.Tensor.backward`.

    Raises:
        Exception: whatever the pass raises, after the bench has shown it.
        KeyboardInterrupt: the learner ended the program from the bench.
    """
    step = _stepper()
    if step is None:
        loss.backward(**arguments)  # type: ignore[no-untyped-call]
        return
    one = PassRecorder(Room(TRACE_LIMIT), None, sys._getframe(1))
    try:
        _run(one, loss, arguments)
    except Exception:
        _show(one, step)
        raise
    _show(one, step)


def _run(one: PassRecorder, loss: Tensor, arguments: dict[str, Any]) -> None:
    """Run the pass; the first one that enters autograd's engine meanwhile is recorded."""
    plain, entered = engine_entry(), False

    def entry(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal entered
        if entered or threading.current_thread() is not threading.main_thread():
            return plain(outputs, *args, **kwargs)
        entered = True
        one.look(outputs)
        return one.run(plain, outputs, args, kwargs)

    with engine_entered_by(entry):
        loss.backward(**arguments)  # type: ignore[no-untyped-call]


def _show(one: PassRecorder, step: Stepper) -> None:
    """Show a pass that has run; a failure to show it does not stop the program."""
    if not one.has_events:
        return
    _Process.stepping = True
    try:
        step(recording_of(one))
    except Exception as error:
        _say(f"the pass could not be shown: {type(error).__name__}: {error}; the program goes on")
    finally:
        _Process.stepping = False


def recording_of(one: PassRecorder) -> Recording:
    """Return a recording of a pass that has run in this process."""
    record, optimizers = one.record(), one.optimizers
    place = record.code.file, record.code.line
    _Process.calls[place] += 1
    origin = Origin(
        program=os.path.basename(record.code.file) or "python",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        gradstep=__version__,
        torch=str(torch.__version__),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}".strip(),
        devices=tuple(dict.fromkeys(str(leaf.value.device) for leaf in record.leaves)),
    )
    return Recording(
        origin,
        (RoundRecord((record,), ()),),
        1,
        first_round=_Process.calls[place],
        optimizers=tuple(dict.fromkeys(type(optimizer).__name__ for optimizer in optimizers)),
        rate=rate_of(optimizers[0]) if optimizers else None,
    )


# Whether the pass can be stepped


def _stepper() -> Stepper | None:
    """Return the function that shows a pass; None if it has to run without being shown."""
    named = os.environ.get(VARIABLE, "") or STEPPER
    if named == "0":
        return None
    obstacle = _obstacle(named)
    if obstacle is None:
        found = _resolved(named)
        if found is not None:
            return found
        obstacle = Unshown.NO_BENCH
    if obstacle not in _Process.told:
        _Process.told.add(obstacle)
        _say(f"{obstacle}, so the pass ran like loss.backward(); {INSTEAD}")
    return None


def _obstacle(named: str) -> Unshown | None:
    """Return why a pass cannot be shown in this process and thread; None if it can."""
    if threading.current_thread() is not threading.main_thread():
        return Unshown.THREAD
    if _Process.stepping:
        return Unshown.OPEN
    if named != STEPPER:
        return None
    if _is_notebook():
        return Unshown.NOTEBOOK
    if not _has_terminal():
        return Unshown.NO_TERMINAL
    return Unshown.DUMB if os.name == "posix" and os.environ.get("TERM", "") in INCAPABLE else None


def _resolved(named: str) -> Stepper | None:
    module, _, name = named.rpartition(".")
    try:
        found: Stepper | None = getattr(import_module(module), name, None)
    except Exception:  # an installation that is broken, too
        return None
    return found


def _is_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    try:
        return shell is not None and hasattr(shell(), "kernel")
    except Exception:
        return False


def _has_terminal() -> bool:
    """Return whether standard input and output are a terminal of which this process is in the foreground."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.__stdin__ is None or sys.__stdout__ is None:
            return False
        if not all(os.isatty(number) for number in (0, 1, sys.__stdin__.fileno(), sys.__stdout__.fileno())):
            return False
        return not hasattr(os, "tcgetpgrp") or os.tcgetpgrp(0) == os.getpgrp()
    return False


def _say(what: str) -> None:
    with suppress(Exception):
        print(f"gradstep.backward: {what}", file=sys.stderr, flush=True)
