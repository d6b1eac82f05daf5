"""The verdict on an edited loop, in sentences: the same on the bench and in a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Finding
from gradstep_tui.text.remarks import Remark, Sense
from gradstep_tui.text.statements import EPOCH
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.loop_verdict import ParameterDifference, Verdict

FOUND: Final[Mapping[Finding, str]] = {
    Finding.EQUIVALENT: "the loop is equivalent to the reference loop",
    Finding.RAISES: "the loop raises an error",
    Finding.UPDATES_TOO_SOON: "the loop updates before the gradient exists",
    Finding.NEVER_UPDATES: "the loop never updates",
    Finding.ACCUMULATES: "the loop accumulates",
    Finding.DROPS: "the loop zeroes parts of the gradient away",
    Finding.STALE: "the loop uses stale gradients",
    Finding.DIFFERS: "the loop trains differently",
}
"""Sentence for each finding; the evidence follows it as a sentence of its own."""


SENSES: Final[Mapping[Finding, Sense]] = {
    Finding.EQUIVALENT: Sense.SUCCESS,
    Finding.RAISES: Sense.ERROR,
    Finding.UPDATES_TOO_SOON: Sense.ERROR,
}
"""Sense of the findings that are no warnings."""


def verdict_text(verdict: Verdict, unit: str = EPOCH) -> str:
    """Return what an edited loop does, and the first difference from the reference loop.

    Args:
        verdict: The verdict.
        unit: Word for an epoch.
    """
    return f"{FOUND[verdict.finding]}: {_evidence(verdict, unit)}"


def verdict_remark(verdict: Verdict, unit: str = EPOCH) -> Remark:
    """Return what an edited loop does as a remark: a success if it does what the reference loop does."""
    return Remark(SENSES.get(verdict.finding, Sense.WARNING), verdict_text(verdict, unit))


def _evidence(verdict: Verdict, unit: str) -> str:
    if verdict.error is not None:
        return f"{unit} {verdict.epoch} ends with {verdict.error.kind}"
    if verdict.difference is None:
        return f"{verdict.epochs} {unit}s give the same numbers"
    return _difference_text(verdict.difference, unit)


def _difference_text(found: ParameterDifference, unit: str) -> str:
    mine, other = cell(found.value), cell(found.reference)
    if mine == other:
        mine, other = f"{found.value:.9g}", f"{found.reference:.9g}"
    return f"in {unit} {found.epoch} {found.name} is {mine}, reference {other}"
