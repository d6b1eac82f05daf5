"""A gradient check: what came of it, the list of elements, and the chosen one as arithmetic."""

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
from gradstep_tui.text.numbers import cell

if TYPE_CHECKING:
    from gradstep.analysis.gradient_check import ElementCheck, GradientCheck
    from gradstep.ledger.ledger import Ledger

CURSOR: Final = "|"
"""Stands before the chosen element."""

WORDS: Final = {Judgement.NORMAL: "normal", Judgement.SUSPICIOUS: "SUSPICIOUS", Judgement.UNKNOWN: "unknown"}


def check_lines(found: GradientCheck, ledger: Ledger, at: int, width: int, height: int) -> list[Line]:
    """Draw a check.

    Args:
        found: What came of it.
        ledger: What the `.grad`s are made of.
        at: Place of the chosen element.
        width: Cells per line.
        height: Lines that there is room for.
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
    """Name the columns."""
    text = f"  {'number':<14}{'autograd':>12}{'differences':>13}{'error':>9}{'normal':>10}"
    return line(Span(text, "label"))


def row_line(one: ElementCheck, chosen: bool, width: int) -> Line:
    """Draw one element."""
    role = "current" if chosen else "warn" if one.judgement is not Judgement.NORMAL else ""
    numbers = f"{cell(one.autograd):>12}{cell(one.finite):>13}{small(one.error):>9}{small(one.normal):>10}"
    name = fitted(line(Span(one.name, role)), 13, role)
    head, tail = (
        Span(f"{CURSOR if chosen else ' '} ", role),
        Span(f" {numbers}  {WORDS[one.judgement]}", role),
    )
    return fitted(line(head, *name, tail), width, role)


def element_lines(one: ElementCheck, ledger: Ledger, width: int) -> list[Line]:
    """Draw how one element was checked."""
    odd = one.judgement is not Judgement.NORMAL
    rows = [
        line(Span(step_text(one), "label")),
        line(Span(formula_text(one), "key")),
        *wrapped(f"= {arithmetic_text(one)}", width),
        line(f"autograd: {long(one.autograd)}; ", Span(error_text(one), "warn" if odd else "mark")),
        *wrapped(expected_text(one), width, "dim"),
    ]
    if one.judgement is Judgement.SUSPICIOUS:
        rows += wrapped(SUSPICIOUS, width, "warn")
    return [*rows, *wrapped(grad_text(one, ledger), width)]
