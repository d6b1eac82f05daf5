"""Describes a gradient check in sentences."""

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
"""Largest number of suspicious elements that are listed if none is asked for."""


def check_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Check autograd's gradient, and return the lines on all elements, or on one.

    Args:
        session: The session.
        text: Parameter, row and column of the element; empty for all elements and details of the worst.
        stopped: Called again and again; if it returns True, the check is abandoned.

    Raises:
        EngineError: there is no such element, or the gradient cannot be checked.
    """
    place = None
    if text:
        parameter, at = place_from(session.frame, text)
        place = parameter.name, at.place_in(parameter.value)
    found, ledger = session.check_gradient(stopped), session.frame.ledger
    if place is None:
        return _all_texts(found, ledger)
    by_place = {(element.parameter, element.index): element for element in found.elements}
    element = by_place.get(place)
    if element is None:
        raise BadInput("that number is not in the sample that was checked: type check to see the sample")
    return _element_texts(element, ledger)


def _all_texts(found: GradientCheck, ledger: Ledger) -> Iterator[str]:
    yield summary_text(found)
    yield precision_text(found)
    suspicious = (element for element in found.elements if element.judgement is Judgement.SUSPICIOUS)
    for element in islice(suspicious, MOST_TOLD):
        yield f"{step_text(element)}; {error_text(element)}"
    yield from filter(None, [worst_text(found)])
    if found.largest is not None:
        yield from _element_texts(found.elements[found.largest], ledger)


def _element_texts(element: ElementCheck, ledger: Ledger) -> Iterator[str]:
    yield step_text(element)
    yield f"finite difference: {formula_text(element)} = {arithmetic_text(element)}"
    yield f"autograd: {long(element.autograd)}; {error_text(element)}"
    yield expected_text(element)
    if element.judgement is Judgement.SUSPICIOUS:
        yield SUSPICIOUS
    yield grad_text(element, ledger)
