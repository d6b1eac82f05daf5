"""Describes a check of the ways to split the samples in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.loop.batches import Batches, Split
from gradstep_tui.text.batch_check import outcome_text, sizes_text, usual_size, way_text, why_text

if TYPE_CHECKING:
    from gradstep.session import Session


COMMANDS: Final = {"move_up": "up zero", "set_to_none": "none"}
"""Commands that reasons mention, by the key's id."""


def split_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines of a check of the ways to split the samples, with the command that chooses each.

    Args:
        session: The session.
        text: Number of samples in a part; empty for the size that the session uses, or a usual one.
        stopped: Called again and again; if it returns True, the check is abandoned.

    Raises:
        EngineError: `text` is not a size, or the ways cannot be checked.
    """
    split, samples = session.state.loop.split, session.problem.samples
    size = split.batches.size if split is not None else usual_size(samples or 1)
    if text:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
            raise BadInput(f"{text[:40]!r} is not a batch size: enter a whole number from 1, e.g. split 2")
        size = int(text)
    found = session.check_batches(size, stopped)
    yield sizes_text(Split(Batches("micro", size), found.samples))
    for trial in found.trials:
        chosen = "" if trial.zeroed_inside else f" (batches {trial.batches.text})"
        yield f"{way_text(trial, found)}{chosen}: {outcome_text(trial)}. {why_text(trial, COMMANDS)}".rstrip()
