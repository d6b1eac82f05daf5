"""Sentences for what the statement that ran last did, the same on the bench and in a conversation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from gradstep.statement_steps.statement_facts import Divisor, LossForm
from gradstep_tui.text.losses.loss_moves import moved_text
from gradstep_tui.text.statements import EPOCH, counted
from gradstep_tui.text.tensors.digits import DIGITS, number_text, telling_digits
from gradstep_tui.text.tensors.numbers import rate, shape_text

if TYPE_CHECKING:
    from gradstep.problem import Labels
    from gradstep.statement_steps.statement_facts import (
        EpochsStep,
        LossSum,
        Moved,
        Samples,
        UpdateStep,
        ZeroStep,
    )

TERMS: Final[Mapping[LossForm, str]] = {
    LossForm.SQUARES: "squares of the errors",
    LossForm.DISTANCES: "errors without their signs",
    LossForm.CLASSES: "-log(p)",
    LossForm.SIGMOID: "-log(p)",
    LossForm.PROBABILITIES: "-log(p)",
}
"""What is summed in each form of a loss."""

CHANCES: Final[Mapping[LossForm, str]] = {
    LossForm.CLASSES: "p is the probability that softmax gives to the true class",
    LossForm.SIGMOID: "p is the probability that the sigmoid gives to the true answer",
    LossForm.PROBABILITIES: "p is the probability that the prediction gives to the true answer",
}
"""Meaning of `p` in each form of a loss that has probabilities."""

DIVIDED: Final[Mapping[Divisor, str]] = {
    Divisor.NUMBERS: "the number of them",
    Divisor.SAMPLES: "the number of samples",
    Divisor.HALF: "which cancels the 2 of the derivative",
    Divisor.WEIGHED: "this part's share of the loss",
}
"""What a sum is divided by."""

LONG: Final = 7
"""Significant digits of a loss and of a sum: as many as float32 has."""

MOST_NAMES: Final = 6
"""Largest number of names in a sentence."""


def sum_text(found: LossSum, loss: float) -> str:
    """Return how the terms come to the loss: `sum 187465 / 10 = 18746.5`."""
    total = number_text(found.total, LONG)
    made = number_text(loss, LONG)
    if found.divisor == 1:
        return f"sum = {made} = loss"
    return f"sum {total} / {found.divisor} = {made} = loss"


def sum_sentence(found: LossSum, loss: float) -> str:
    """Return the same as a sentence."""
    count = found.terms.numel()
    what = TERMS[found.form]
    total, made = number_text(found.total, LONG), number_text(loss, LONG)
    if found.divisor == 1:
        return f"the sum of the {count:,} {what} is {made}: that is the loss"
    by = DIVIDED.get(found.divided_by, "")
    divided = f"divided by {found.divisor:,}, {by}, it is the loss, {made}"
    return f"the sum of the {count:,} {what} is {total}; {divided}"


def broadcast_text(samples: Samples) -> str:
    """Return the warning that predictions and targets have different shapes; empty if they do not."""
    found = samples.loss
    if found is None or not found.is_broadcast or samples.preds is None or samples.targets is None:
        return ""
    shapes = [shape_text(tuple(tensor.shape)) for tensor in (samples.preds, samples.targets, found.terms)]
    return (
        f"The predictions are {shapes[0]} and the targets {shapes[1]}: PyTorch repeats both to {shapes[2]}, "
        "so every prediction is compared with every target. Is that meant?"
    )


def rule_text(
    moved: Moved, learning_rate: float, digits: int = DIGITS, within: tuple[int, int] | None = None
) -> str:
    """Return how one number of a parameter was updated, in full: the one that moved furthest.

    Args:
        moved: The parameter.
        learning_rate: Learning rate of the update.
        digits: Significant digits of each number; more if the number before and after look alike.
        within: Number of first rows and columns among which it is chosen; None for all.
    """
    place = furthest(moved, within)
    before, after = moved.before[place].item(), moved.after[place].item()
    telling = telling_digits([(before, after)], digits)
    named = element_name(moved, place)
    if moved.grad is None or not moved.by_rule:
        return f"{named}: {number_text(before, telling)} -> {number_text(after, telling)}"
    step = f"{rate(learning_rate)} × {_signed(moved.grad[place].item(), digits)}"
    return f"{named}: {number_text(before, telling)} - {step} = {number_text(after, telling)}"


def furthest(moved: Moved, within: tuple[int, int] | None = None) -> tuple[int, ...]:
    """Return the index of the number of a parameter that moved furthest, among the first rows and columns."""
    change = (moved.after - moved.before).abs()
    grid = change.reshape(1, -1) if change.dim() < 2 else change.flatten(0, -2)
    some = grid if within is None else grid[: within[0], : within[1]]
    row, column = divmod(int(some.argmax()), some.shape[1])
    flat = row * grid.shape[1] + column
    index: list[int] = []
    for size in reversed(moved.before.shape):
        flat, place = divmod(flat, size)
        index.append(place)
    return tuple(reversed(index))


class Named(Protocol):
    """What belongs to a parameter."""

    @property
    def name(self) -> str:
        """Name of the parameter."""

    @property
    def labels(self) -> Labels:
        """Names of its rows and columns."""


def element_name(part: Named, index: tuple[int, ...], of: str = "") -> str:
    """Return the name of a number of a parameter: `w[apples, rainfall]`, or `w[0, 1]` without names.

    Args:
        part: What belongs to the parameter.
        index: Index of the number.
        of: Attribute of the parameter in which the number is: `.grad`; empty for the parameter itself.
    """
    if not index:
        return f"{part.name}{of}"
    labels = part.labels or ((),) * len(index)
    named = (names[place] if names else str(place) for names, place in zip(labels, index, strict=False))
    return f"{part.name}{of}[{', '.join(named)}]"


def zero_sentence(step: ZeroStep) -> str:
    """Return what zeroing means for the next backward pass."""
    if step.to_none:
        return "Every .grad is None: the next backward sets it to its own gradient."
    if not step.zeroes:
        return "The next update uses these gradients, and the next backward pass adds to them."
    return "The next backward adds to these zeros: .grad will be its gradient alone."


def epochs_sentence(step: EpochsStep, unit: str = EPOCH) -> str:
    """Return how many epochs ran and what became of the loss."""
    ran = counted(step.epochs, unit)
    updates = "" if step.updates is None else f", {counted(step.updates, 'update')}"
    return f"{ran}{updates}: {loss_change_text(step)}"


def loss_change_text(step: EpochsStep) -> str:
    """Return what became of the loss: `loss 18746.5 -> 9184.75 (down 51.0%)`."""
    before, after = step.loss_before, step.loss_after
    if after is None:
        return "no loss was computed"
    if before is None:
        return f"loss {number_text(after)}"
    digits = telling_digits([(before, after)])
    texts = f"loss {number_text(before, digits)} -> {number_text(after, digits)}"
    moved = moved_text(before, after)
    return f"{texts} ({moved})" if moved else texts


def distance(moved: Moved) -> float:
    """Return how far a parameter moved: the length of the change as a vector."""
    change = moved.after - moved.before
    found = float(change.norm())
    return found if math.isfinite(found) else float(change.double().norm())


def average_change(moved: Moved) -> float:
    """Return how much a number of a parameter changed on average, up or down."""
    return float((moved.after - moved.before).abs().double().mean())


def still_texts(step: UpdateStep) -> Iterator[str]:
    """Yield a sentence on the parameters that did not move, if there are any."""
    none = [moved.name for moved in step.parameters if moved.grad is None and not moved.has_moved]
    same = [moved.name for moved in step.parameters if moved.grad is not None and not moved.has_moved]
    if none:
        yield f"Not updated, because .grad is None: {named(none)}."
    if same:
        yield f"No number changed in {named(same)}: the steps are 0, or too small for the dtype."


def named(names: list[str]) -> str:
    """Return names in a row; of many, the first and how many more there are."""
    rest = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{rest}"


def _signed(number: float, digits: int) -> str:
    text = number_text(number, digits)
    return f"({text})" if text.startswith("-") else text
