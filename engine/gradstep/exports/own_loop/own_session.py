"""The export of a session on a script's own loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradstep.exports.own_loop.loop_numbers import LoopNumbers, numbers_of
from gradstep.exports.own_loop.own_export import LoopExport, OwnLoop
from gradstep.exports.own_loop.session_plan import plan_of
from gradstep.frame import Frame
from gradstep.learner_code.eager import uncompiled
from gradstep.script_training.script_opening import loop_of
from gradstep.script_training.script_session import ScriptSession
from gradstep.script_training.script_state import ScriptState
from gradstep.scripts.plot_windows import without_plot_windows
from gradstep.scripts.process_settings import apart_from_other_scripts
from gradstep.scripts.source import ScriptSource
from gradstep.tensors.bitwise import same_bits


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """Texts of an export."""

    script: str
    notebook: str
    losses: str


def own_texts(
    session: ScriptSession,
    source: ScriptSource,
    arguments: Sequence[str],
    seed: int | None,
    predicted: Sequence[str] = (),
) -> OwnTexts:
    """Run what ran in a session again, apart from it, and return the export of that.

    Args:
        session: The session, with the actions of which it is exported.
        source: Text of its script.
        arguments: The script's own arguments.
        seed: Seed of the random generators before the script ran; None for 0.
        predicted: Sentences on the predictions that were made in the session.
    """
    state, frame = session.state, session.frame
    assert isinstance(state, ScriptState)
    plan = plan_of(state)
    with apart_from_other_scripts(), without_plot_windows(), uncompiled():
        loop = loop_of(source, arguments, seed)
        numbers, ran = numbers_of(loop, plan, str(source.path))
    repeats = _is_same(frame, numbers)
    own = OwnLoop(source, loop.loops, tuple(arguments), loop.started_in, seed or 0, repeats, tuple(predicted))
    made = LoopExport(own, ran, numbers)
    return OwnTexts(made.script(), made.notebook(), losses_by_round(numbers, ran.rounds))


def losses_by_round(numbers: LoopNumbers, rounds: int) -> str:
    """Return the loss of each whole round as CSV, in full precision; empty if the round computed none."""
    fields = ["" if not several else repr(several[0].item()) for several in numbers.losses[:rounds]]
    return "round,loss\n" + "".join(f"{number},{loss}\n" for number, loss in enumerate(fields, 1))


def _is_same(frame: Frame, numbers: LoopNumbers) -> bool:
    """Return whether numbers are those of a session's last frame, as far as both have them."""
    losses = [several[0].item() if several else math.nan for several in numbers.losses[: frame.epoch]]
    shown = [frame.losses[number] for number in range(min(len(losses), len(frame.losses)))]
    if any(a != b and a == a and b == b for a, b in zip(losses, shown, strict=False)):
        return False
    return all(
        same_bits(parameter.value, numbers.values[parameter.name])
        for parameter in frame.parameters
        if parameter.name in numbers.values
    )
