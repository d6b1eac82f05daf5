"""Draws the ways to split the samples: what each does, its gradient, and an explanation of the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Outcome
from gradstep.loop.batches import Batches, Split
from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.batch_check import FULL_TEXT, outcome_text, short_outcome_text, sizes_text, why_text
from gradstep_tui.text.choices.ways import WAYS, trial_of

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck, Trial

NAMES: Final = max(len(way.name) for way in WAYS)
WORDS: Final = max(len(way.words) for way in WAYS)
"""Widths of the columns of names and of words, in cells."""

REFERENCE: Final = "the reference"
COMPARING: Final = "The gradients of all ways are being compared."


def batches_lines(split: Split, at: int, now: Batches, found: BatchCheck | None, width: int) -> list[Line]:
    """Return the lines of the list of ways, and the reason for what the chosen one does.

    Args:
        split: Number of samples, and of those in each part.
        at: Index in `WAYS` of the chosen way, which is marked by `>`.
        now: Way of the session, which is marked by `*`.
        found: Check of the ways for this size; None if there is none yet.
        width: Width of a line, in cells.
    """
    words = "what an epoch does"
    head = f"   {'way':<{NAMES}}  {words:<{WORDS}}  against full batch"
    rows = [
        fitted(
            line(
                Span(
                    f"{'>' if place == at else ' '}{'*' if way.fits(now) else ' '} {way.name:<{NAMES}}  ",
                    "key" if place == at else "dim" if way.zeroed_inside else "",
                ),
                Span(f"{way.words:<{WORDS}}  ", "dim" if way.zeroed_inside else ""),
                Span(REFERENCE, "dim") if way.batches.full else _outcome(trial_of(way, found)),
            ),
            width,
        )
        for place, way in enumerate(WAYS)
    ]
    below = _why_lines(split, at, now, found, width)
    return [
        *wrapped(sizes_text(split), width, "key"),
        line(),
        line(Span(head, "label")),
        *rows,
        line(),
        *below,
    ]


def _outcome(trial: Trial | None) -> Span:
    if trial is None:
        return Span("")
    wrong = trial.batches.way != "mini" and trial.outcome is not Outcome.EQUAL
    role = "mark" if trial.outcome is Outcome.EQUAL else "caution" if wrong else ""
    return Span(short_outcome_text(trial), role)


def _why_lines(split: Split, at: int, now: Batches, found: BatchCheck | None, width: int) -> list[Line]:
    """Return the text and the code of the chosen way, and the reason for its gradient."""
    way = WAYS[at]
    batches, trial = way.of(split.batches.size, now), trial_of(way, found)
    if batches.full:
        return [line(Span(batches.text, "key")), *wrapped(FULL_TEXT, width)]
    weighed = Split(batches, split.samples, split.index).weight_lines
    code = [*weighed, *([] if trial is None else [outcome_text(trial)])]
    first = fitted(line(Span(batches.text, "key"), *(f"   {text}" for text in code)), width)
    return [first, *(wrapped(COMPARING, width, "dim") if trial is None else wrapped(why_text(trial), width))]
