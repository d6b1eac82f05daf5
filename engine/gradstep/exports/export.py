"""Makes the three exports of a session: a script, a notebook, and the loss history."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import torch

from gradstep.actions import Action, Backward, Forward, Reset
from gradstep.errors import EngineError
from gradstep.exports.code.cells import Cell
from gradstep.exports.code.helpers import TOLERANCE, helpers_for
from gradstep.exports.code.name_conflicts import settled
from gradstep.exports.code.parameter_expressions import added_lines
from gradstep.exports.code.seeding import seeded
from gradstep.exports.code.start_lines import Changing, start_cell
from gradstep.exports.losses_csv import losses_text, undefined_losses
from gradstep.exports.narration import retell
from gradstep.exports.notebook_format import notebook_text
from gradstep.exports.recording.moments import Moment, moments_of
from gradstep.exports.script_format import script_text
from gradstep.frame import Frame
from gradstep.loop.script_names import Spelling
from gradstep.opening import open_session
from gradstep.scripts.other_rngs import others_kept
from gradstep.scripts.source import ScriptSource
from gradstep.session import Session
from gradstep.start import Start


@dataclass(frozen=True, slots=True)
class Export:
    """A session to take home. The script and the notebook run without gradstep, and need torch only."""

    problem: str
    script: str
    notebook: str
    """JSON."""

    losses: str
    """CSV: `epoch,loss`; the loss is empty for an epoch without one."""

    picture: str = ""
    """SVG of the screen; empty where there was none."""


def export(start: Start, actions: Iterable[Action], source: ScriptSource | None = None) -> Export:
    """Do a session's actions again, on a session of their own, and export them.

    It takes as long as the actions did. A script of the learner's own is seeded as it was here, so that a
    model draws the same numbers.

    Args:
        start: Where the session started.
        actions: What was done since, without what was undone.
        source: What a file of the learner's own said then, which may have been edited since; None to read it.

    Raises:
        BadInput: there is no such problem, or a value of `start` cannot be used.
        ValueError: there is an `Undo` or a `Redo` among the actions.
    """
    if source is None or source.reads:
        source = start.source()
    begin = partial(open_session, start, source=source if start.has_file else None)
    text = seeded(source.text) if start.has_file and start.table is None else source.text
    return export_from(begin, text, actions, seed=start.seed)


def export_from(
    begin: Callable[[], Session], source: str, actions: Iterable[Action], *, seed: int | None = None
) -> Export:
    """Export what actions do to the sessions that `begin` gives.

    Args:
        begin: Gives a fresh session, the same at every call.
        source: The text of the problem's script.
        actions: What was done, without what was undone.
        seed: What drew the start values; None where they are those of the script.
    """
    with torch.random.fork_rng(devices=[]), others_kept():
        session = begin()
        first, rng = session.frame, session.state.trainer.rng
        moments = moments_of(session, actions)
        tried = begin()
        largest = _largest_at_start(tried)
    draws = not all(torch.equal(one.state.trainer.rng, rng) for one in (session, tried))
    changing = Changing(draws, tuple(session.problem.buffers))
    cells = list(_cells(source, first, moments, seed, largest, session.spelling, changing))
    return Export(
        first.problem,
        script_text(cells),
        notebook_text(cells),
        losses_text(session.frame.losses, undefined_losses(moments)),
    )


def _cells(
    source: str,
    first: Frame,
    moments: Sequence[Moment],
    seed: int | None,
    largest: dict[str, float],
    spelling: Spelling,
    changing: Changing,
) -> Iterator[Cell]:
    kept = any(isinstance(moment.action, Reset) for moment in moments)
    done = [start_cell(first, seed, kept=kept, changing=changing), *retell(moments, changing)]
    names = [one.name for one in first.parameters]
    lines = [line for cell in done for line in cell.lines]
    yield Cell(f"{first.problem}, trained in gradstep", _about(len(moments)))
    added = settled(added_lines(names, spelling), spelling.taken)
    yield Cell("", code=(*source.rstrip().splitlines(), *added))
    numbers = Cell("Numbers", TOLERANCE, helpers_for(lines, source, names, largest))
    for cell in (numbers, *done):
        code, checks = (settled(part, spelling.taken) for part in (cell.code, cell.checks))
        yield replace(cell, code=code, checks=checks)
    yield Cell("All done", "", ('print("Every number is as the session showed it.")',))


def _about(actions: int) -> str:
    threads = torch.get_num_threads()
    return "\n".join(
        (
            f"What was done ({actions:,} action{'s' * (actions != 1)}), in plain PyTorch; it asserts every "
            "number that was shown.",
            "To run it, Python with torch is all it takes. It was recorded with "
            f"PyTorch {torch.__version__}, on {threads} thread{'s' * (threads != 1)}.",
        )
    )


def _largest_at_start(session: Session) -> dict[str, float]:
    """Give the loss at the start, and by its name each `.grad`'s largest element; only what is finite.

    Rounding errors are in proportion to these for as long as training goes on.
    """
    with suppress(EngineError):
        session.apply(Forward())
        session.apply(Backward())
    sizes = {"loss": abs(session.frame.loss or 0.0)} | {
        f"{one.name}.grad": one.grad.abs().max().item()
        for one in session.frame.parameters
        if one.grad is not None and one.grad.numel()
    }
    return {name: size for name, size in sizes.items() if math.isfinite(size)}
