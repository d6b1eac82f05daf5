"""Runs a learner's script as Python would, up to the first `backward` inside a loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.obstacles import NotCaptured
from gradstep.capture.random_states import random_states, set_random_states
from gradstep.capture.running.script_run import ScriptRun
from gradstep.capture.search.wanted_passes import Wanted
from gradstep.captured_output import Printed
from gradstep.scripts.process_settings import set_settings, settings_now
from gradstep.scripts.source import ScriptSource


def capture(
    source: ScriptSource,
    arguments: Sequence[str] = (),
    stopped: Callable[[], bool] = lambda: False,
    printed: Printed | None = None,
    folder: Path | None = None,
) -> CapturedLoop:
    """Run a script or a notebook up to its first `backward` inside a loop, and return that loop.

    The loop is at the begin of the round in which the `backward` stands: nothing has been updated, and what
    the round had changed before is put back.

    Args:
        source: Text of the script.
        arguments: The script's own arguments, without its name.
        stopped: Polled meanwhile; return True to stop the script.
        printed: Buffer for what the script prints; None for a new one.
        folder: Folder in which the script runs; None for the present one.

    Raises:
        NotCaptured: the script has no such loop, or cannot be run.
        Abandoned: the script was stopped.
    """
    return _captured(source, arguments, printed or Printed(), stopped, None, folder)


def capture_function(
    function: Callable[[], object],
    stopped: Callable[[], bool] = lambda: False,
    printed: Printed | None = None,
) -> CapturedLoop:
    """Call a function, which is in a file, and return its loop; as `capture` does for a script.

    Only loops of the function itself are found, not those of the functions that it calls.
    """
    file = inspect.getsourcefile(function) or ""
    source = ScriptSource(Path(file), "".join(inspect.findsource(function)[0]))
    return _captured(source, (), printed or Printed(), stopped, function)


def _captured(
    source: ScriptSource,
    arguments: Sequence[str],
    printed: Printed,
    stopped: Callable[[], bool],
    function: Callable[[], object] | None,
    folder: Path | None = None,
) -> CapturedLoop:
    """Run a script; a second time if it trains otherwise than by `backward` in a loop."""
    states, settings, mark = random_states(), settings_now(), printed.mark()
    wanted, runs = Wanted(), 0
    while True:
        attempt = ScriptRun(source, arguments, printed, wanted, folder)
        runs += 1
        try:
            loop = attempt.run(stopped, function)
            loop.runs = runs
            return loop
        except NotCaptured as found:
            more = attempt.wanted(found.reason)
            if more is None:
                raise
        wanted = more
        set_random_states(states)
        set_settings(settings)
        printed.back_to(mark)
