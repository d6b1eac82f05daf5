"""From the name of a problem, or from a saved start, to a live problem and its session."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gradstep import problems
from gradstep.loop.batches import FULL
from gradstep.start import Start, start_from
from gradstep.tensors.gc_pause import without_collection

if TYPE_CHECKING:
    from gradstep.problem import Problem
    from gradstep.scripts.source import ScriptSource
    from gradstep.session import Session


def load_problem(problem: str | PathLike[str], seed: int | None = None) -> Problem:
    """Load a built-in problem, or run a script and return the problem that it defines.

    Args:
        problem: Name of a built-in problem, as in `gradstep.problems.names()`, or path of a script.
        seed: Seed of `torch.manual_seed` for random start values; None for the script's own values.

    Returns:
        A problem with inputs of shape `(samples, ...)` and live parameters; a session trains them in place.

    Raises:
        BadInput: No such problem exists, or PyTorch refuses the seed.
        ScriptError: The script cannot be read or run, or defines nothing that can be trained.
    """
    from gradstep.problem import Problem
    from gradstep.scripts.script_errors import ScriptError

    found = open_session(start_from(fspath(problem), seed)).problem
    if not isinstance(found, Problem):
        raise ScriptError(
            Path(fspath(problem)),
            "the script trains by a loop of its own, which is no problem with a model and a loss function",
            "Open a session on it, with `gradstep.load_session`.",
        )
    return found


def load_session(
    problem: str | PathLike[str], arguments: Sequence[str] = (), seed: int | None = None
) -> Session:
    """Return a session on a built-in problem or a script; a script with a training loop is stepped by it.

    Args:
        problem: Name of a built-in problem, as in `gradstep.problems.names()`, or path of a script.
        arguments: The script's own arguments, which it finds in `sys.argv` after its path.
        seed: Seed of the random generators before the script's loop is reached, or of random start values.

    Raises:
        BadInput: No such problem exists, or PyTorch refuses the seed.
        ScriptError: The script cannot be read or run, or has nothing that can be trained.
    """
    return open_session(start_from(fspath(problem), seed, arguments=tuple(arguments)))


def open_session(
    start: Start, stopped: Callable[[], bool] = lambda: False, source: ScriptSource | None = None
) -> Session:
    """Load PyTorch, run the problem's script and return a session at its start.

    Args:
        start: The problem, and what the learner chose before the first action.
        stopped: Polled while the script runs; return True to abandon it.
        source: Text of the learner's file if it was read before; None to read the file.

    Raises:
        BadInput: No such problem exists, its script cannot be trained, or a value cannot be used.
        Abandoned: `stopped` returned True.
    """
    if source is None and start.has_file:
        source = start.source()
    _load_pytorch()
    import torch

    from gradstep.scripts.loader import problem_from
    from gradstep.scripts.other_rngs import seed_others
    from gradstep.scripts.process_settings import apart_from_other_scripts
    from gradstep.session import Session
    from gradstep.torch_internals import shortcomings_of_pytorch

    # Draws are the same in every process, so that they can be replayed. `torch.manual_seed` would also
    # format a traceback for every other kind of device, which takes milliseconds.
    torch.default_generator.manual_seed(0)
    seed_others(0)
    batches = start.batches or FULL
    with apart_from_other_scripts():
        session = _session_on_own_loop(start, source, stopped)
        if session is None:
            if source is None:
                problem = problems.load(start.problem, start.seed)
            else:
                problem = problem_from(source, start.seed, start.names, stopped, start.title)
            if shortcomings_of_pytorch():
                problem = replace(problem, notes=(*problem.notes, *shortcomings_of_pytorch()))
            session = Session(problem, start.rate, start.optimizer, batches)
    digest = start.digest if source is None else source.digest
    session.origin = msgspec.structs.replace(start, digest=digest, modules=session.modules)
    session.source = source
    return session


def _session_on_own_loop(
    start: Start, source: ScriptSource | None, stopped: Callable[[], bool]
) -> Session | None:
    """Return a session on the script's own loop; None if it has none, or if gradstep's loop is asked for."""
    from gradstep.script_training.script_opening import open_script

    if start.problem in problems.own_loop_names():
        return open_script(start.source(), start.title, seed=start.seed, rate=start.rate, stopped=stopped)
    if source is None or start.names or start.optimizer or start.batches:
        return None
    if start.digest is not None and start.modules is None:
        return None  # an earlier session on the same script, by gradstep's loop
    session = open_script(
        source, start.title, start.arguments, seed=start.seed, rate=start.rate, stopped=stopped
    )
    if session is not None and start.modules is not None:
        start.check_modules(session.modules or {})
    return session


def _load_pytorch() -> None:
    """Import PyTorch in two thirds of the usual time, unless it is loaded already.

    The import makes a million objects that stay. The garbage collector is paused meanwhile and never looks at
    them afterwards, not even at exit.
    """
    if "torch" not in sys.modules:
        with without_collection():
            import torch  # noqa: F401
        gc.freeze()
