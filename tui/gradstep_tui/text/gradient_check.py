"""Words for a gradient check, the same on the bench and in a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.ledger.ledger import since_zeroing
from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
    from gradstep.ledger.ledger import Ledger

SUSPICIOUS: Final = (
    "The two disagree by more than rounding explains: a backward written by hand may be wrong, a path may be "
    "cut off (detach, no_grad), or the loss may have a kink here."
)


def summary_text(found: GradientCheck) -> str:
    """Return how many elements were checked, and how many of them have a normal error."""
    counts = {one: found.count(one) for one in sorted({element.judgement for element in found.elements})}
    told = ", ".join(f"{count:,} {judgement}" for judgement, count in counts.items())
    many = f"{len(found.elements):,} of {found.total:,} numbers checked"
    why = " (stopped)" if found.stopped else ""
    if found.sampled:
        why = f" (a sample: the largest gradients, and others evenly spread{'; stopped' * found.stopped})"
    return f"{many}{why}: {told}."


def precision_text(found: GradientCheck) -> str:
    """Return the precision of the computation, and the reason for it."""
    if not found.why_not_double:
        return f"Computed in {found.precision}, on a copy."
    return (
        f"Computed in {found.precision}, where larger errors are normal, since this model does not run in "
        f"float64: {found.why_not_double}"
    )


def worst_text(found: GradientCheck) -> str:
    """Return the element whose error is largest relative to its normal error; empty if there is none."""
    if found.largest is None:
        return ""
    worst = found.elements[found.largest]
    return f"Largest beside what is normal: {worst.name}, {error_text(worst)}."


def error_text(one: ElementCheck) -> str:
    """Return how large the error is, and whether that is normal."""
    return f"error {small(one.error)}, normal up to {small(one.normal)}: {one.judgement}"


def formula_text(one: ElementCheck) -> str:
    """Write the difference quotient with letters."""
    name = one.name
    return f"(L({name} + h) - L({name} - h)) / 2h"


def arithmetic_text(one: ElementCheck) -> str:
    """Write the difference quotient with numbers."""
    return f"({one.plus:.16g} - {one.minus:.16g}) / {long(2 * one.step)} = {long(one.finite)}"


def step_text(one: ElementCheck) -> str:
    """Return the value of the element, and how far it is moved."""
    return f"{one.name} = {cell(one.value)}, moved by h = {long(one.step)}"


def expected_text(one: ElementCheck) -> str:
    """Return the parts of the normal error."""
    return (
        f"expected error: {small(one.truncation)} that the formula leaves out (grows with h^2), "
        f"{small(one.rounding)} from rounding L (grows with 1/h); normal up to 10 times their sum"
    )


def grad_text(one: ElementCheck, ledger: Ledger) -> str:
    """Return how `.grad` relates to the checked gradient, which is that of one pass at the present values."""
    name = f"{one.parameter}.grad"
    if one.grad is None:
        return f"{name} is None: no pass has written to it. A backward here would make it {cell(one.own)}."
    if one.grad == 0 and one.own != 0:
        return f"{name} holds 0 here: a backward now would add {cell(one.own)}."
    if one.grad == one.own:
        return f"{name} holds just this: {cell(one.grad)}, one pass at these parameters."
    passes = len({part.number for part in since_zeroing(ledger.newest_first(one.parameter))})
    if passes > 1:
        why = f"the sum of {passes} passes, not zeroed in between"
    else:
        why = "from other parameter values, or from more than one pass"
    return f"{name} holds {cell(one.grad)}: {why}. What is checked is one pass here: {cell(one.own)}."


def long(value: float) -> str:
    """Write a number with so many digits that a difference shows."""
    return f"{value:.13g}"


def small(value: float) -> str:
    """Return the size of an error as text, e.g. `1.2e-08`."""
    return "0" if value == 0 else f"{value:.1e}"
