"""What splitting the samples does to the gradient, in words: the same on the bench and in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.loop.batches import FULL, Batches, Split

if TYPE_CHECKING:
    from gradstep.analysis.batch_check import BatchCheck, Trial

MOST_SIZES: Final = 8
"""Sizes of parts that are written out at the most."""

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
    "run it, move zero (K) to the top of that loop, and have it set None (n).",
    ("mini", "differs"): "An update for each part: more steps in an epoch, each along its own part's "
    "gradient. The number is that of the first.",
    ("shuffled", "differs"): "Mini-batches in a new order of the samples every epoch, drawn from a seed: "
    "the same each time.",
}
"""For each way and what came of it, the reason."""


def sizes_text(found: BatchCheck) -> str:
    """Say how the samples are split."""
    sizes, size = found.sizes, found.sizes[0]
    many = f"{found.samples:,} samples in {len(sizes):,} part{'s' * (len(sizes) != 1)}"
    if len(sizes) <= MOST_SIZES:
        return f"{many}: {' + '.join(map(str, sizes))}"
    last = "" if sizes[-1] == size else f", {sizes[-1]:,} in the last"
    return f"{many} of {size:,}{last}"


def way_text(trial: Trial, found: BatchCheck) -> str:
    """Name a way to go through the samples."""
    if trial.batches.way == "mini":
        return "mini-batches, shuffled" if trial.batches.shuffle else "mini-batches"
    if trial.zeroed_inside:
        return "micro, zeroing inside"
    (weighed,) = Split(trial.batches, found.samples).weight_lines or ("loss",)
    return f"micro, {weighed.removeprefix('loss = ')}"


def outcome_text(trial: Trial) -> str:
    """Say how its gradient compares with the full batch's."""
    match str(trial.outcome):
        case "refused":
            return "PyTorch refuses"
        case "multiple":
            return f"{trial.times:.4g} times as long"
        case "equal" if trial.distance == 0:
            return "equal, to the last bit"
        case "equal":
            return f"equal, but for rounding ({trial.distance:.0e})"
        case _ if trial.distance != trial.distance:
            return "another gradient every time"
        case _:
            return f"differs by {100 * trial.distance:,.1f}%"


def why_text(trial: Trial) -> str:
    """Say why."""
    if trial.error:
        return f"{trial.error} The model does not take a part of the samples."
    name = str(trial.batches.weight)
    if trial.batches.way == "mini":
        name = "shuffled" if trial.batches.shuffle else "mini"
    elif trial.zeroed_inside:
        name = "zeroed"
    return WHY.get((name, str(trial.outcome)), "")


def choices(found: BatchCheck) -> tuple[Batches, ...]:
    """Give what can be chosen: the full batch, and each way that was tried."""
    return (FULL, *(trial.batches for trial in found.trials))


def usual_size(samples: int) -> int:
    """Give the size of a part to begin with: about a third of the samples."""
    return max(1, -(-samples // 3))
