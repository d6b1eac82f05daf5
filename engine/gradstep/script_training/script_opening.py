"""From a script with a training loop to a session that steps this loop."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import torch

from gradstep.capture.capture import capture
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.obstacles import NotCaptured, NotSteppable, Obstacle
from gradstep.captured_output import Printed, harmless
from gradstep.learner_code.eager import uncompiled
from gradstep.script_training.script_session import ScriptSession
from gradstep.scripts.execution import RAISED, folder_for, located
from gradstep.scripts.local_modules import hidden_modules, local_imports
from gradstep.scripts.other_rngs import seed_others
from gradstep.scripts.plot_windows import without_plot_windows
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource

SIGNS: Final = frozenset({"backward", "grad", "minimize"})
"""Names that a script without a loop mentions if it differentiates by itself."""

LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)

NONE_HERE: Final = frozenset({Obstacle.NO_BACKWARD, Obstacle.NO_LOOP})
"""Obstacles with which a script may still define a problem."""


def trains_by_itself(source: ScriptSource) -> bool:
    """Return whether a script may train by itself, as far as names tell; False for data and a model alone."""
    if source.table is not None:
        return False
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # the usual way says what is wrong
    signs = (isinstance(node, LOOPS) or _name_of(node) in SIGNS for node in ast.walk(tree))
    return any(signs) or bool(local_imports(source))


def _name_of(node: ast.AST) -> str:
    """Return the name or the attribute that a piece of code is; empty if it is neither."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def open_script(
    source: ScriptSource,
    name: str,
    arguments: Sequence[str] = (),
    *,
    seed: int | None = None,
    rate: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> ScriptSession | None:
    """Run a script to its training loop, and return a session on it; None if it has no such loop.

    Args:
        source: Text of the script.
        name: Name of the problem.
        arguments: The script's own arguments.
        seed: Seed of all random generators before the script runs; None for 0.
        rate: Learning rate to set before the first round; None for the script's own.
        stopped: Polled while the script runs; return True to abandon it.

    Raises:
        ScriptError: The script raised an exception, ended, or trains where it cannot be stepped.
        Abandoned: `stopped` returned True.
    """
    if not trains_by_itself(source):
        return None

    def run(asked: Callable[[], bool] = lambda: False) -> CapturedLoop:
        return loop_of(source, arguments, seed, asked)

    try:
        loop = run(stopped)
    except NotCaptured as found:
        if found.reason in NONE_HERE:
            return None
        raise _script_error(source, found) from found
    notes = tuple(map(harmless, (*source.notes, *hidden_modules(source))))
    return ScriptSession(name, loop, run, notes, rate, stopped)


def loop_of(
    source: ScriptSource,
    arguments: Sequence[str] = (),
    seed: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> CapturedLoop:
    """Run a script to its training loop, and return the loop; for arguments and errors see `open_script`.

    Raises:
        NotCaptured: The script has no such loop, or cannot be run.
    """
    seed_all(0 if seed is None else seed)
    return _captured(source, arguments, stopped)


def seed_all(seed: int) -> None:
    """Seed the random generators of torch, numpy and `random`."""
    torch.default_generator.manual_seed(seed)
    seed_others(seed % (1 << 32))


def _captured(source: ScriptSource, arguments: Sequence[str], stopped: Callable[[], bool]) -> CapturedLoop:
    """Capture a script's loop; a script written to be used from another folder runs there."""
    drawn = torch.get_rng_state()
    try:
        return _captured_in(source, arguments, stopped, None)
    except NotCaptured as found:
        folder = folder_for(source, found.error) if found.reason is Obstacle.RAISED else None
        if folder is None:
            raise
    torch.set_rng_state(drawn)
    return _captured_in(source, arguments, stopped, folder)


def _texts(source: ScriptSource) -> str:
    """Return the text of a script with those of the modules beside it that it imports itself."""
    texts = [source.text]
    for name in local_imports(source):
        with suppress(OSError, ValueError):
            texts.append(source.path.with_name(f"{name}.py").read_text(encoding="utf-8"))
    return "\n".join(texts)


def _captured_in(
    source: ScriptSource, arguments: Sequence[str], stopped: Callable[[], bool], folder: Path | None
) -> CapturedLoop:
    with without_plot_windows(), uncompiled(_texts(source)):
        return capture(source, arguments, stopped, Printed(), folder=folder)


def _script_error(source: ScriptSource, found: NotCaptured) -> ScriptError:
    if found.error is not None:
        try:
            with located(source, RAISED):
                raise found.error
        except ScriptError as error:
            return error
    return NotSteppable(source.path, found)
