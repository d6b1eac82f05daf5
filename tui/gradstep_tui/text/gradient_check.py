"""Words for a gradient check, the same on the bench and in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Judgement
from gradstep.ledger.ledger import since_zeroing
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
    from gradstep.ledger.ledger import Ledger

SUSPICIOUS: Final = (
    "The two disagree by more than rounding explains: a backward written by hand may be wrong, a path may be "
    "cut off (detach, no_grad), or the loss may have a kink here."
)


SUMMARIES: Final[Mapping[tuple[bool, bool], str]] = {
    (False, False): "{checked:,} of {total:,} numbers checked: {counts}.",
    (False, True): "{checked:,} of {total:,} numbers checked (stopped): {counts}.",
    (True, False): "{checked:,} of {total:,} numbers checked (a sample: the largest gradients, and others "
    "evenly spread): {counts}.",
    (True, True): "{checked:,} of {total:,} numbers checked (a sample: the largest gradients, and others "
    "evenly spread; stopped): {counts}.",
}
"""Summary of a check, by whether it was of a sample, and whether the learner stopped it."""

PRECISION: Final = "Computed in {precision}, on a copy."
LOWER_PRECISION: Final = (
    "Computed in {precision}, where larger errors are normal, since this model does not run in float64: {why}"
)
COUNTS: Final[Mapping[Judgement, str]] = {
    Judgement.NORMAL: "{count:,} normal",
    Judgement.SUSPICIOUS: "{count:,} suspicious",
    Judgement.UNKNOWN: "{count:,} unknown",
}
ERRORS: Final[Mapping[Judgement, str]] = {
    Judgement.NORMAL: "error {error}, normal up to {limit}: normal",
    Judgement.SUSPICIOUS: "error {error}, normal up to {limit}: suspicious",
    Judgement.UNKNOWN: "error {error}, normal up to {limit}: unknown",
}


def summary_text(found: GradientCheck) -> str:
    """Return how many elements were checked, and how many of them have a normal error."""
    judgements = sorted({element.judgement for element in found.elements})
    counts = ", ".join(COUNTS[judgement].format(count=found.count(judgement)) for judgement in judgements)
    template = SUMMARIES[found.sampled, found.stopped]
    return template.format(checked=len(found.elements), total=found.total, counts=counts)


def precision_text(found: GradientCheck) -> str:
    """Return the precision of the computation, and the reason for it."""
    template = LOWER_PRECISION if found.why_not_double else PRECISION
    return template.format(precision=found.precision, why=found.why_not_double)


def worst_text(found: GradientCheck) -> str:
    """Return the element whose error is largest relative to its normal error; empty if there is none."""
    if found.largest is None:
        return ""
    worst = found.elements[found.largest]
    return f"Largest beside what is normal: {worst.name}, {error_text(worst)}."


def error_text(element: ElementCheck) -> str:
    """Return how large the error is, and whether that is normal."""
    return ERRORS[element.judgement].format(error=small(element.error), limit=small(element.normal))


def formula_text(element: ElementCheck) -> str:
    """Write the difference quotient with letters."""
    name = element.name
    return f"(L({name} + h) - L({name} - h)) / 2h"


def arithmetic_text(element: ElementCheck) -> str:
    """Write the difference quotient with numbers."""
    return f"({element.plus:.16g} - {element.minus:.16g}) / {long(2 * element.step)} = {long(element.finite)}"


def step_text(element: ElementCheck) -> str:
    """Return the value of the element, and how far it is moved."""
    return f"{element.name} = {cell(element.value)}, moved by h = {long(element.step)}"


def expected_text(element: ElementCheck) -> str:
    """Return the parts of the normal error."""
    return (
        f"expected error: {small(element.truncation)} that the formula leaves out (grows with h^2), "
        f"{small(element.rounding)} from rounding L (grows with 1/h); normal up to 10 times their sum"
    )


NO_GRAD: Final = "{name} is None: no pass has written to it. A backward here would make it {own}."
ZERO_GRAD: Final = "{name} holds 0 here: a backward now would add {own}."
SAME_GRAD: Final = "{name} holds just this: {held}, one pass at these parameters."
SUMMED_GRAD: Final = (
    "{name} holds {held}: the sum of {passes} passes, not zeroed in between. What is checked is one pass "
    "here: {own}."
)
OTHER_GRAD: Final = (
    "{name} holds {held}: from other parameter values, or from more than one pass. What is checked is one "
    "pass here: {own}."
)


def grad_text(element: ElementCheck, ledger: Ledger) -> str:
    """Return how `.grad` relates to the checked gradient, which is that of one pass at the present values."""
    passes = len({part.number for part in since_zeroing(ledger.newest_first(element.parameter))})
    if element.grad is None:
        template = NO_GRAD
    elif element.grad == 0 and element.own != 0:
        template = ZERO_GRAD
    elif element.grad == element.own:
        template = SAME_GRAD
    else:
        template = SUMMED_GRAD if passes > 1 else OTHER_GRAD
    held = "" if element.grad is None else cell(element.grad)
    return template.format(name=f"{element.parameter}.grad", own=cell(element.own), held=held, passes=passes)


def long(value: float) -> str:
    """Write a number with so many digits that a difference shows."""
    return f"{value:.13g}"


def small(value: float) -> str:
    """Return the size of an error as text, e.g. `1.2e-08`."""
    return "0" if value == 0 else f"{value:.1e}"
