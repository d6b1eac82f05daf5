"""Words for two runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison, FirstDifference

MOMENTUM: Final = (
    "Never zeroing is SGD with momentum 1: .grad is the momentum buffer, and each update uses the sum of all "
    "gradients so far. Checked just now: torch.optim.SGD(momentum=1) with zeroing comes to these weights"
)
SAME_TO: Final = 1e-3
"""Up to this relative distance two runs are the same but for rounding, which grows with the epochs."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the two sides."""

    one: str
    other: str
    short: str
    """Name of the other side within a sentence."""


def first_text(first: FirstDifference | None, names: Names) -> str:
    """Return the sentence about the first difference between the two sides."""
    if first is None:
        return "No difference: every number is the same, bit for bit."
    texts = [f"First difference in epoch {first.epoch:,}:"]
    if first.losses is not None:
        one, other = told_apart(*first.losses)
        texts.append(f"its loss is {one}, {names.short} {other}.")
    if first.weight is not None:
        one, other = told_apart(first.weight.one, first.weight.other)
        by = "The epoch began with" if first.losses is not None else "its update led to"
        texts.append(f"{by} {first.weight.name} = {one}, {names.short} {other}.")
    elif first.losses is not None:
        texts.append("It began with the same weights: another order of the lines, or other random numbers.")
    return " ".join(texts)


def momentum_text(found: Comparison) -> str:
    """Return the sentence that never zeroing equals momentum 1, if a run has shown so; else an empty text."""
    if found.momentum is None or not found.momentum < SAME_TO:
        return ""
    exact = "bit for bit" if found.momentum == 0 else f"up to rounding, {found.momentum:.1e} at the most"
    return f"{MOMENTUM} {exact}."


def told_apart(one: complex, other: complex) -> tuple[str, str]:
    """Write two numbers so that they look as different as they are."""
    mine, others = cell(one), cell(other)
    if mine == others and one != other and not (one != one and other != other):
        return f"{one:.9g}", f"{other:.9g}"
    return mine, others
