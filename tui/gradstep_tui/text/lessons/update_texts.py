"""An optimizer's step in text: its options, and one number of a parameter through every formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep.statement_steps.statement_facts import Moved
from gradstep_tui.text.lessons.statement_texts import element_name, furthest
from gradstep_tui.text.tensors.digits import DIGITS, number_text, telling_digits
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.derivatives import Explanation
    from gradstep.derivatives.worked_update import ParameterUpdate, WorkedFormula
    from gradstep.problem import Labels

PARAMETER: Final = "p"
"""Name of the parameter in formulas."""

COUNTER: Final = "step"
"""Target of the formula that counts steps."""

SMALL: Final = 0.01
"""Magnitude below which a number has all its significant digits: it may be multiplied by a large one."""

_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def options_text(update: ParameterUpdate) -> str:
    """Return the optimizer with the values of the options in its formulas: `Adam: lr = 0.1, beta1 = 0.9`."""
    told = (f"{name} = {rate(value)}" for name, value in update.options.items())
    return f"{update.optimizer.name}: {', '.join(told)}"


def formula_text(formula: WorkedFormula, update: ParameterUpdate) -> str:
    """Return a formula in the script's names: `w = w - lr * mean / (root + eps)`."""
    names = {PARAMETER: update.name, "grad": f"{update.name}.grad"}
    return f"{names.get(formula.target, formula.target)} = {_filled(formula.expression, names)}"


def numbers_texts(formula: WorkedFormula, update: ParameterUpdate, element: str) -> Iterator[str]:
    """Yield a formula with its numbers, in ever fewer digits: `w[0] = 0.5 - 0.1 * 2 / (2 + 1e-08) = 0.4`.

    Args:
        formula: The formula.
        update: The update that it belongs to.
        element: What to call the number of the parameter.
    """
    target = element if formula.target == PARAMETER else formula.target
    old = formula.values.get(formula.target)
    for digits in (DIGITS, DIGITS - 1, DIGITS - 2):
        telling = digits if old is None else telling_digits([(old, formula.result)], digits)
        texts = {
            name: rate(value)
            if name in update.options
            else _signed(_number(value, telling if name == formula.target else digits))
            for name, value in formula.values.items()
        }
        if formula.expression.isidentifier():  # the same number twice says nothing
            texts = {"grad": f"{update.name}.grad"}
        yield f"{target} = {_filled(formula.expression, texts)} = {_number(formula.result, telling)}"


def fitting_numbers(formula: WorkedFormula, update: ParameterUpdate, element: str, width: int) -> str:
    """Return a formula with its numbers in as many digits as fit; the result alone if not even few do."""
    texts = [*numbers_texts(formula, update, element)]
    target = element if formula.target == PARAMETER else formula.target
    result = texts[-1].rpartition(" = ")[2]
    start = f"{target} = "
    return next(
        (
            text
            for text in (
                *texts,
                *(_without_index(text, element) for text in texts),
                f"{start}… = {result}",
                f"{start}{result}",
            )
            if len(text) <= width
        ),
        result,
    )


class WorkedNumber(NamedTuple):
    """A number of a parameter that is worked out in full."""

    update: ParameterUpdate
    element: str
    """Name of the number: `w[apples, temp]`."""

    formulas: tuple[WorkedFormula, ...]


def worked_number(update: Explanation, labels: Mapping[str, Labels]) -> WorkedNumber | None:
    """Return the number that moved furthest of the first parameter that moved; None without numbers."""
    known = [each for each in update.updates if not each.before.is_meta and each.before.numel()]
    if not known:
        return None
    parts = [moved_by(each, labels) for each in known]
    first = next((at for at, part in enumerate(parts) if part.has_moved), 0)
    place = furthest(parts[first])
    return WorkedNumber(known[first], element_name(parts[first], place), known[first].worked(place))


def moved_by(update: ParameterUpdate, labels: Mapping[str, Labels]) -> Moved:
    """Return a parameter before and after an optimizer's step."""
    has_moved = not update.before.is_meta and bool((update.before != update.after).any())
    names = labels.get(update.name, ())
    return Moved(update.name, names, update.before, update.after, update.grad, has_moved=has_moved)


def _filled(expression: str, texts: Mapping[str, str]) -> str:
    return _NAME.sub(lambda found: texts.get(found[0], found[0]), expression)


def _number(value: float, digits: int) -> str:
    """Return a number with its significant digits, however small it is."""
    return f"{value:.{digits}g}" if 0 < abs(value) < SMALL else number_text(value, digits)


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _without_index(text: str, element: str) -> str:
    """Return a formula with numbers, with the parameter's name in place of that of its number."""
    return f"{element.partition('[')[0]}{text.removeprefix(element)}" if text.startswith(element) else text
