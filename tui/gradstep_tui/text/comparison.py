"""Words for two runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.indices import element_text
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison, FirstDifference, Gap
    from gradstep.frame import Frame

SAME: Final = "No difference: every number is the same, bit for bit."
OTHER_LOSS: Final = (
    "First difference in {unit} {epoch:,}: its loss is {losses[0]} here and {losses[1]} for {other}. The "
    "{unit} began with {element} = {values[0]} here and {values[1]} for {other}."
)
OTHER_LOSS_ONLY: Final = (
    "First difference in {unit} {epoch:,}: its loss is {losses[0]} here and {losses[1]} for {other}. It "
    "began with the same weights: another order of the lines, or other random numbers."
)
OTHER_WEIGHT: Final = (
    "First difference in {unit} {epoch:,}: its update led to {element} = {values[0]} here and {values[1]} "
    "for {other}."
)

MOMENTUM: Final = (
    "Never zeroing is SGD with momentum 1: .grad is the momentum buffer, and each update uses the sum of all "
    "gradients so far. Checked just now: torch.optim.SGD(momentum=1) with zeroing comes to these weights bit "
    "for bit."
)
MOMENTUM_ROUNDED: Final = (
    "Never zeroing is SGD with momentum 1: .grad is the momentum buffer, and each update uses the sum of all "
    "gradients so far. Checked just now: torch.optim.SGD(momentum=1) with zeroing comes to these weights up "
    "to rounding, {distance:.1e} at the most."
)
SAME_TO: Final = 1e-3
"""Up to this relative distance two runs are the same but for rounding, which grows with the epochs."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the two sides."""

    here: str
    """Name of the session's side."""

    other: str
    """Name of the other side."""

    short: str
    """Name of the other side within a sentence, e.g. `its twin`."""

    unit: str = EPOCH
    """Word for an epoch."""

    frame: Frame | None = None
    """The session's frame, whose parameters have names for rows and columns; None to use numbers."""

    def element(self, gap: Gap) -> str:
        """Return the name of an element, e.g. `w[apples, rainfall]`, or `w[0, 1]` as Python writes it."""
        return gap.name if self.frame is None else element_text(self.frame, gap)


def first_text(first: FirstDifference | None, names: Names) -> str:
    """Return the sentences about the first difference between the two sides."""
    if first is None:
        return SAME
    losses, weight = first.losses, first.weight
    with_loss = OTHER_LOSS_ONLY if weight is None else OTHER_LOSS
    template = OTHER_WEIGHT if losses is None else with_loss
    return template.format(
        epoch=first.epoch,
        unit=names.unit,
        losses=losses and told_apart(*losses),
        element=weight and names.element(weight),
        values=weight and told_apart(weight.first, weight.second),
        other=names.short,
    )


def momentum_text(found: Comparison) -> str:
    """Return the sentence that never zeroing equals momentum 1, if a run has shown so; else an empty text."""
    if found.momentum is None or not found.momentum < SAME_TO:
        return ""
    return MOMENTUM if found.momentum == 0 else MOMENTUM_ROUNDED.format(distance=found.momentum)


def told_apart(here: complex, other: complex) -> tuple[str, str]:
    """Return two numbers as texts that differ if the numbers do."""
    mine, others = cell(here), cell(other)
    if mine == others and here != other and not (here != here and other != other):
        return f"{here:.9g}", f"{other:.9g}"
    return mine, others
