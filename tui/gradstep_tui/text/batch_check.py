"""Effect of splitting the samples on the gradient, in words for the bench and for a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Outcome
from gradstep.loop.batches import Split
from gradstep_tui.keys import SIGNS

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck, Trial

MOST_SIZES: Final = 8
"""Largest number of parts whose sizes are written out."""

ONE_PART: Final = "{samples:,} samples in 1 part: {size}"
PARTS: Final = "{samples:,} samples in {parts:,} parts: {sizes}"
MANY_PARTS: Final = "{samples:,} samples in {parts:,} parts of {size:,}"
MANY_PARTS_AND_REST: Final = "{samples:,} samples in {parts:,} parts of {size:,}, {last:,} in the last"

FULL_TEXT: Final = "One pass through all samples: what the others are held against."

WHY: Final[Mapping[tuple[str, str], str]] = {
    ("share", "equal"): "Every sample counts once, as in a mean over all: accumulation on purpose.",
    ("share", "multiple"): "This loss is a sum over samples, no mean: weighing it makes the step too small.",
    ("share", "differs"): "The parts do not make up the whole: something looks across samples, as BatchNorm "
    "does, or draws random numbers.",
    ("parts", "equal"): "Divided by the number of parts. That is right as long as all have the same size.",
    ("parts", "multiple"): "This loss is a sum over samples, no mean: dividing it makes the step too small.",
    ("parts", "differs"): "Divided by the number of parts, though the last one is smaller: its samples count "
    "more than the others.",
    ("none", "equal"): "This loss is a sum over samples, so the parts' gradients add up to the whole.",
    ("none", "multiple"): "Nobody divides: the gradients of so many means add up, and the step is as much "
    "longer.",
    ("none", "differs"): "Nobody divides: the gradients of several means add up, and the last part's samples "
    "count more.",
    ("zeroed", "differs"): "Zeroing inside the inner loop leaves the update the last part's share only. To "
    "run it, move zero ({move_up}) to the top of that loop, and have it set None ({set_to_none}).",
    ("mini", "differs"): "An update for each part: more steps in an epoch, each along its own part's "
    "gradient. The number is that of the first.",
    ("shuffled", "differs"): "Mini-batches in a new order of the samples every epoch, drawn from a seed: "
    "the same each time.",
}
"""Reason for each outcome of each way; a name in braces is a key's id."""


def sizes_text(split: Split) -> str:
    """Return how the samples are split, e.g. `5 samples in 3 parts: 2 + 2 + 1`."""
    sizes = split.sizes
    if len(sizes) == 1:
        template = ONE_PART
    elif len(sizes) <= MOST_SIZES:
        template = PARTS
    else:
        template = MANY_PARTS if sizes[-1] == sizes[0] else MANY_PARTS_AND_REST
    return template.format(
        samples=split.samples,
        parts=len(sizes),
        sizes=" + ".join(map(str, sizes[:MOST_SIZES])),
        size=sizes[0],
        last=sizes[-1],
    )


def way_text(trial: Trial, found: BatchCheck) -> str:
    """Return the name of a way to go through the samples."""
    if trial.batches.way == "mini":
        return "mini-batches, shuffled" if trial.batches.shuffle else "mini-batches"
    if trial.zeroed_inside:
        return "micro, zeroing inside"
    (weighed,) = Split(trial.batches, found.samples).weight_lines or ("loss",)
    return f"micro, {weighed.removeprefix('loss = ')}"


def outcome_text(trial: Trial) -> str:
    """Return how the gradient of a way compares with the gradient of the full batch."""
    match trial.outcome:
        case Outcome.REFUSED:
            return "PyTorch refuses"
        case Outcome.MULTIPLE:
            return f"{trial.times:.4g} times as long"
        case Outcome.EQUAL if trial.distance == 0:
            return "equal, to the last bit"
        case Outcome.EQUAL:
            return f"equal, but for rounding ({trial.distance:.0e})"
        case _ if trial.distance != trial.distance:
            return "another gradient every time"
        case _:
            return f"differs by {100 * trial.distance:,.1f}%"


def short_outcome_text(trial: Trial) -> str:
    """Return the same in at most 20 cells."""
    match trial.outcome:
        case Outcome.EQUAL if trial.distance == 0:
            return "equal to the bit"
        case Outcome.EQUAL:
            return "equal, but rounding"
        case _ if trial.distance != trial.distance and not trial.error:
            return "another every time"
        case _:
            return outcome_text(trial)


def why_text(trial: Trial, signs: Mapping[str, str] = SIGNS) -> str:
    """Return why the gradient of a way compares as it does; empty if there is nothing to explain.

    Args:
        trial: The way.
        signs: Key or command for each id of a key.
    """
    if trial.error:
        return f"{trial.error} The model does not take a part of the samples."
    name = str(trial.batches.weight)
    if trial.batches.way == "mini":
        name = "shuffled" if trial.batches.shuffle else "mini"
    elif trial.zeroed_inside:
        name = "zeroed"
    return WHY.get((name, str(trial.outcome)), "").format(**signs)


def usual_size(samples: int) -> int:
    """Return the size of a part to begin with: about a third of the samples."""
    return max(1, -(-samples // 3))
