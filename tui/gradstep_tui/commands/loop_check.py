"""`gradstep check` for a script with a loop of its own: a few rounds of it are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep.start import Start
from gradstep.tensors.gc_pause import without_collection
from gradstep_tui.commands.loop_report import is_odd, loop_json, loop_texts
from gradstep_tui.text.scripts.obstacles import obstacle_lines

if TYPE_CHECKING:
    from gradstep.capture.obstacles import NotCaptured
    from gradstep.captured_output import Printed

PRINTED: Final = 20
"""Number of lines of a script's output that are shown, from the end."""


def has_loop(start: Start) -> bool:
    """Return whether a start's script is looked through for a loop of its own."""
    return start.is_script and start.names is None


@dataclass(frozen=True, slots=True)
class LoopCheck:
    """What a look at a script's own loop has come to."""

    code: int
    """Exit code: 0 if nothing is odd, 1 if something is, 2 if the script could not be run to its loop."""

    lines: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """Lines for standard error."""


def check_loop(start: Start, *, as_json: bool) -> LoopCheck | NotCaptured:
    """Run a script to its loop and look at a few rounds; a script without a loop is told as `NotCaptured`."""
    with without_collection():
        from gradstep.capture.capture import capture
        from gradstep.capture.obstacles import NotCaptured, Obstacle
        from gradstep.learner_code.eager import uncompiled
        from gradstep.oddities.oddity_finder import inspect_loop

    source = start.source()
    with _seeded(start):
        try:
            with uncompiled(source.text):
                loop = capture(source, start.arguments)
        except NotCaptured as found:
            if found.reason in (Obstacle.NO_BACKWARD, Obstacle.NO_LOOP):
                return found
            return LoopCheck(2, errors=obstacle_lines(source.path, found))
        seen = inspect_loop(loop)
    code = 1 if is_odd(seen) else 0
    if as_json:
        return LoopCheck(code, (loop_json(str(source.path), loop, seen),))
    return LoopCheck(code, (*loop_texts(loop, seen), *printed_texts(loop.printed)))


@contextmanager
def _seeded(start: Start) -> Iterator[None]:
    """Run a script in the `with` block with the settings and random numbers of a new process."""
    import torch

    from gradstep.scripts.other_rngs import seed_others
    from gradstep.scripts.process_settings import apart_from_other_scripts

    torch.default_generator.manual_seed(start.seed or 0)
    seed_others(0)
    with apart_from_other_scripts():
        yield


def printed_texts(printed: Printed) -> Iterator[str]:
    """Yield the end of what a script printed."""
    lines = printed.lines
    if lines:
        yield "the script printed:"
        if printed.count > PRINTED:
            yield f"  ({printed.count - PRINTED:,} earlier lines are not shown)"
        yield from (f"  {text}" for text in lines[-PRINTED:])
