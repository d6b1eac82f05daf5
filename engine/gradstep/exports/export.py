"""Makes the three exports of a session: a script, a notebook, and the loss history."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch

from gradstep.actions import Action, Backward, Forward, Reset
from gradstep.errors import BadInput, EngineError
from gradstep.exports.code.cells import Cell
from gradstep.exports.code.helpers import TOLERANCE, helpers_for
from gradstep.exports.code.name_conflicts import settled
from gradstep.exports.code.parameter_expressions import added_lines
from gradstep.exports.code.seeding import seeded
from gradstep.exports.code.set_order import with_sets_in_order
from gradstep.exports.code.start_lines import Changing, start_cell, uncompiled_line
from gradstep.exports.losses_csv import losses_text, undefined_losses
from gradstep.exports.narration import retell
from gradstep.exports.notebook_format import notebook_text
from gradstep.exports.own_loop.own_session import own_texts
from gradstep.exports.predicted import prediction_words
from gradstep.exports.recording.moments import Moment, moments_of
from gradstep.exports.script_format import script_text
from gradstep.frame import Frame
from gradstep.loop.script_names import Spelling
from gradstep.opening import open_session
from gradstep.problem import Problem
from gradstep.script_training.script_opening import trains_by_itself
from gradstep.script_training.script_session import ScriptSession
from gradstep.scripts.notebooks.ipython_shell import awaits
from gradstep.scripts.other_rngs import others_kept
from gradstep.scripts.source import ScriptSource
from gradstep.session import Session
from gradstep.start import Start

AWAITS: Final = (
    "the notebook cannot be exported, because it has an await outside a function, which no script can have: "
    "put it into an async function and call asyncio.run"
)


@dataclass(frozen=True, slots=True)
class Export:
    """Contents of a session's exported files. The script and the notebook need torch, but not gradstep."""

    problem: str
    script: str
    notebook: str
    """Text of a Jupyter notebook, as JSON."""

    losses: str
    """CSV with the columns `epoch` and `loss`; the loss is empty if the epoch computed none."""

    picture: str = ""
    """SVG of the screen; empty if the session was exported without a screen."""


def export(start: Start, actions: Iterable[Action], source: ScriptSource | None = None) -> Export:
    """Replay a session's actions on a fresh session, and export them.

    Replaying takes as long as the actions did. If the learner's own script is trained, the export seeds it
    with the seed that gradstep uses, so that its model draws the same numbers.

    Args:
        start: Problem and options that the session began with.
        actions: Actions applied since the start, without those that were undone.
        source: Script as it was when the session began, in case the file has been edited since; None to read
            the file.

    Returns:
        The texts of the script, the notebook and the loss history.

    Raises:
        BadInput: there is no such problem, a value of `start` cannot be used, or a notebook has an `await`
            outside a function.
        ValueError: `actions` contains an `Undo`, a `Redo` or a `GoTo`.
    """
    if source is None or source.reads:
        source = start.source()
    begin = partial(open_session, start, source=source if start.has_file else None)
    if source.is_notebook and awaits(source.text):
        raise BadInput(AWAITS)
    if not start.is_script:
        return export_from(begin, source.text, actions, seed=start.seed)
    made = _on_own_loop(start, begin, source, actions) if trains_by_itself(source) else None
    if made is None:
        text = seeded(source.text, notebook=source.is_notebook)
        made = export_from(begin, text, actions, seed=start.seed)
    return replace(made, script=with_sets_in_order(made.script))


def _on_own_loop(
    start: Start, begin: Callable[[], Session], source: ScriptSource, actions: Iterable[Action]
) -> Export | None:
    """Return the export of a session on a script's own loop; None if the session is none."""
    with torch.random.fork_rng(devices=[]), others_kept():
        session = begin()
        if not isinstance(session, ScriptSession):
            return None
        predicted = [
            f"Round {moment.before.epoch + 1:,}. {prediction_words(moment.prediction)}"
            for moment in moments_of(session, actions)
            if moment.prediction is not None
        ]
        made = own_texts(session, source, start.arguments, start.seed, predicted)
    return Export(session.frame.problem, made.script, made.notebook, made.losses)


def export_from(
    begin: Callable[[], Session], source: str, actions: Iterable[Action], *, seed: int | None = None
) -> Export:
    """Replay actions on a session that `begin` makes, and export them.

    Args:
        begin: Returns a fresh session, with the same start values at every call.
        source: Text of the problem's script.
        actions: Actions to replay, without those that were undone.
        seed: Seed that drew the start values; None if the start values are the script's own.
    """
    with torch.random.fork_rng(devices=[]), others_kept():
        session = begin()
        problem = session.problem
        assert isinstance(problem, Problem)
        first, rng = session.frame, session.state.trainer.rng
        moments = moments_of(session, actions)
        tried = begin()
        largest = _largest_at_start(tried)
    draws = not all(torch.equal(used.state.trainer.rng, rng) for used in (session, tried))
    changing = Changing(draws, tuple(problem.buffers))
    if problem.frozen:
        lines = (f"{name}.requires_grad_(False)  # no optimizer updates it" for name in problem.frozen)
        source = "\n".join([source.rstrip(), "", *lines, ""])
    if problem.compiled:
        source = f"{source.rstrip()}\n\n{uncompiled_line()}\n"
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
    names = [parameter.name for parameter in first.parameters]
    lines = [line for cell in done for line in cell.lines]
    yield Cell(f"{first.problem}, trained in gradstep", _about(len(moments)))
    added = settled(added_lines(names, spelling), spelling.taken)
    yield Cell("", code=(*source.rstrip().splitlines(), *added))
    numbers = Cell("Numbers", TOLERANCE, helpers_for(lines, source, names, largest))
    for cell in (numbers, *done):
        code, checks = (settled(part, spelling.taken) for part in (cell.code, cell.checks))
        yield replace(cell, code=code, checks=checks)
    yield Cell("All done", "", ('print("All numbers match those in the session.")',))


def _about(actions: int) -> str:
    threads = torch.get_num_threads()
    return "\n".join(
        (
            f"The session's {actions:,} action{'s' * (actions != 1)} in plain PyTorch, with an assertion for "
            "every number that gradstep showed.",
            "It needs only Python and torch to run. It was recorded with "
            f"PyTorch {torch.__version__}, on {threads} thread{'s' * (threads != 1)}.",
        )
    )


def _largest_at_start(session: Session) -> dict[str, float]:
    """Return the loss at the start and the largest element of each `.grad`, by name; only finite numbers.

    Rounding errors stay in proportion to these numbers throughout training.
    """
    with suppress(EngineError):
        session.apply(Forward())
        session.apply(Backward())
    sizes = {"loss": abs(session.frame.loss or 0.0)} | {
        f"{parameter.name}.grad": parameter.grad.abs().max().item()
        for parameter in session.frame.parameters
        if parameter.grad is not None and parameter.grad.numel()
    }
    return {name: size for name, size in sizes.items() if math.isfinite(size)}
