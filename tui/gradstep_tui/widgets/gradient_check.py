"""Draws a gradient check: its result, the list of elements, and the arithmetic for the chosen element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.analysis.judgement import Judgement
from gradstep_tui.drawing.lines import Line, Span, fitted, line, wrapped
from gradstep_tui.text.gradient_check import (
    SUSPICIOUS,
    arithmetic_text,
    error_text,
    expected_text,
    formula_text,
    grad_text,
    long,
    precision_text,
    small,
    step_text,
    summary_text,
)
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
    from gradstep.ledger.ledger import Ledger

CURSOR: Final = ">"
"""Sign before the chosen element."""

WORDS: Final = {Judgement.NORMAL: "normal", Judgement.SUSPICIOUS: "SUSPICIOUS", Judgement.UNKNOWN: "unknown"}


def check_lines(found: GradientCheck, ledger: Ledger, at: int, width: int, height: int) -> list[Line]:
    """Return the lines that show a gradient check.

    Args:
        found: Result of the check.
        ledger: Record of all writes to each `.grad`.
        at: Index of the chosen element in `found.elements`.
        width: Width of a line, in cells.
        height: Number of lines that fit.
    """
    suspicious = found.count(Judgement.SUSPICIOUS)
    top = [
        *wrapped(summary_text(found), width, "warn" if suspicious else "key"),
        *wrapped(precision_text(found), width, "dim", most=2),
        head_line(),
    ]
    below = [line(), *element_lines(found.elements[at], ledger, width)]
    rows = max(height - len(top) - len(below), 1)
    first = min(max(at - rows // 2, 0), max(len(found.elements) - rows, 0))
    places = range(first, min(first + rows, len(found.elements)))
    return [*top, *(row_line(found.elements[place], place == at, width) for place in places), *below]


def head_line() -> Line:
    """Return the line that names the columns."""
    text = f"  {'number':<14}{'autograd':>12}{'differences':>13}{'error':>9}{'normal':>10}"
    return line(Span(text, "label"))


def row_line(element: ElementCheck, chosen: bool, width: int) -> Line:
    """Return an element's row in the list."""
    role = "current" if chosen else "warn" if element.judgement is not Judgement.NORMAL else ""
    numbers = f"{cell(element.autograd):>12}{cell(element.finite):>13}"
    numbers += f"{small(element.error):>9}{small(element.normal):>10}"
    name = fitted(line(Span(element.name, role)), 13, role)
    head, tail = (
        Span(f"{CURSOR if chosen else ' '} ", role),
        Span(f" {numbers}  {WORDS[element.judgement]}", role),
    )
    return fitted(line(head, *name, tail), width, role)


def element_lines(element: ElementCheck, ledger: Ledger, width: int) -> list[Line]:
    """Return the lines that show the arithmetic of checking an element."""
    odd = element.judgement is not Judgement.NORMAL
    rows = [
        line(Span(step_text(element), "label")),
        line(Span(formula_text(element), "key")),
        *wrapped(f"= {arithmetic_text(element)}", width),
        line(f"autograd: {long(element.autograd)}; ", Span(error_text(element), "warn" if odd else "mark")),
        *wrapped(expected_text(element), width, "dim"),
    ]
    if element.judgement is Judgement.SUSPICIOUS:
        rows += wrapped(SUSPICIOUS, width, "warn")
    return [*rows, *wrapped(grad_text(element, ledger), width)]
