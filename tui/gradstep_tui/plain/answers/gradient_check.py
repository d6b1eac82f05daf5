"""A gradient check in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Judgement
from gradstep.errors import BadInput
from gradstep_tui.plain.answers.ledger import place_from
from gradstep_tui.text.gradient_check import (
    SUSPICIOUS,
    arithmetic_text,
    error_text,
    expected_text,
    formula_text,
    grad_text,
    long,
    precision_text,
    step_text,
    summary_text,
    worst_text,
)

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
    from gradstep.ledger.ledger import Ledger
    from gradstep.session import Session

MOST_TOLD: Final = 10
"""Suspicious numbers that are told at the most, where none is asked for."""


def check_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Check autograd's gradient; tell of all numbers and how the worst was checked, or of the one asked for.

    Raises:
        EngineError: there is no such number, or as `Session.check_gradient` does.
    """
    place = None
    if text:
        parameter, at = place_from(session.frame, text)
        place = parameter.name, at.place_in(parameter.value)
    found, ledger = session.check_gradient(stopped), session.frame.ledger
    if place is None:
        return _all_texts(found, ledger)
    element = next((one for one in found.elements if (one.parameter, one.index) == place), None)
    if element is None:
        raise BadInput("that number is not in the sample that was checked: check tells of the sample")
    return _element_texts(element, ledger)


def _all_texts(found: GradientCheck, ledger: Ledger) -> Iterator[str]:
    yield summary_text(found)
    yield precision_text(found)
    suspicious = [one for one in found.elements if one.judgement is Judgement.SUSPICIOUS]
    for one in islice(suspicious, MOST_TOLD):
        yield f"{step_text(one)}; {error_text(one)}"
    yield from filter(None, [worst_text(found)])
    if found.largest is not None:
        yield from _element_texts(found.elements[found.largest], ledger)


def _element_texts(one: ElementCheck, ledger: Ledger) -> Iterator[str]:
    yield step_text(one)
    yield f"finite difference: {formula_text(one)} = {arithmetic_text(one)}"
    yield f"autograd: {long(one.autograd)}; {error_text(one)}"
    yield expected_text(one)
    if one.judgement is Judgement.SUSPICIOUS:
        yield SUSPICIOUS
    yield grad_text(one, ledger)
