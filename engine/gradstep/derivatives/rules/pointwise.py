"""Rules of arithmetic, element by element. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, if_needed
from gradstep.torch_internals import clamp_keeps_gradient_at_limits

_TIMES_THAT = "so the gradient is multiplied by that."
_POWER = (
    "The slope of {self**exponent} is {exponent * self**(exponent - 1)}, so {self} gets the gradient times "
    "that."
)
_GROWTH = (
    "Seen from its exponent, the slope of a power is the power times the log of the base, so {exponent} "
    "gets the gradient times that."
)
_ROUNDED = "A rounded quotient is a step function, flat between its steps, so its gradient is zero."
_SHRINKS = "The result shrinks as {other} grows, so {other} gets the gradient times {-self / other**2}."
_OF_PARTS = "A quotient hands its numerator the gradient divided by {other}."
_QUOTIENT = {"self": "numerator", "other": "divisor"}
_DIVIDED = When("rounding_mode is None", "g / other", "zeros_like(g)")
_KEEPS_LIMITS = clamp_keeps_gradient_at_limits()  # PyTorch 2.14 changed it
_ABOVE, _BELOW = (">=", "<=") if _KEEPS_LIMITS else (">", "<")
_INSIDE, _AT_LIMITS = ("within", "") if _KEEPS_LIMITS else ("between", " or equal a limit")
_NOT_BELOW, _NOT_ABOVE = ("at least", "at most") if _KEEPS_LIMITS else ("above", "below")


def _unary(formula: Text, words: Text, plain: str = "input") -> Rule:
    """Return the rule of a function of one tensor, `self`."""
    return Rule({"self": formula}, words, plain={"self": plain})


POINTWISE: Final[Mapping[str, Rule]] = {
    "AddBackward0": Rule(
        {"self": "g", "other": When("alpha == 1", "g", "g * alpha")},
        When(
            "len(needed) == 2",
            When(
                "alpha == 1",
                When(
                    "twice",
                    "A sum passes the gradient on unchanged to each of its terms. Both are the same tensor "
                    "here, so {self} gets it twice.",
                    "A sum passes the gradient on unchanged to both of its terms.",
                ),
                "A sum passes the gradient on unchanged to {self}, and {alpha} times the gradient to "
                "{other}.",
            ),
            When(
                "needed == ('other',) and alpha != 1",
                "The result grows {alpha} times as fast as {other}, so {other} gets {alpha} times the "
                "gradient.",
                When(
                    "needed == ('self',)",
                    "A sum passes the gradient on unchanged: the result grows by as much as {self}.",
                    "A sum passes the gradient on unchanged: the result grows by as much as {other}.",
                ),
            ),
        ),
        plain={"self": "first term", "other": "second term"},
    ),
    "AddBackward1": _unary("g", "Adding a number changes no slope, so the gradient is passed on unchanged."),
    "SubBackward0": Rule(
        {"self": "g", "other": When("alpha == 1", "-g", "-g * alpha")},
        (
            if_needed("self", "A difference passes the gradient on unchanged to {self}."),
            if_needed(
                "other",
                When(
                    "alpha == 1",
                    "The result falls by as much as {other} grows, so {other} gets the gradient with the "
                    "opposite sign.",
                    "The result falls {alpha} times as fast as {other} grows, so {other} gets the gradient "
                    "times {-alpha}.",
                ),
            ),
        ),
        plain={"self": "first term", "other": "subtracted term"},
    ),
    "SubBackward1": _unary(
        "g", "Subtracting a number changes no slope, so the gradient is passed on unchanged."
    ),
    "RsubBackward0": Rule(
        {"self": When("alpha == 1", "-g", "-g * alpha"), "other": "g"},
        (
            if_needed(
                "self",
                "The result falls as {self} grows, so {self} gets the gradient with the opposite sign.",
            ),
            if_needed(
                "other", "The result grows by as much as {other}, so {other} gets the gradient unchanged."
            ),
        ),
        plain={"self": "subtracted term", "other": "first term"},
    ),
    "RsubBackward1": _unary(
        When("alpha == 1", "-g", "-g * alpha"),
        "The result falls as {self} grows, so {self} gets the gradient with the opposite sign.",
        "subtracted term",
    ),
    "MulBackward0": Rule(
        {"self": "g * other", "other": "g * self"},
        When(
            "twice",
            "A product hands each factor the gradient times the other factor. Both are the same tensor here, "
            "so {self} gets that twice.",
            When(
                "needed == ('self',)",
                "A product hands {self} the gradient times {other}.",
                When(
                    "needed == ('other',)",
                    "A product hands {other} the gradient times {self}.",
                    "A product hands each factor the gradient times the other factor.",
                ),
            ),
        ),
        plain={"self": "first factor", "other": "second factor"},
    ),
    "MulBackward1": _unary(
        "g * other",
        "The result grows {other} times as fast as {self}, so {self} gets the gradient times {other}.",
    ),
    "DivBackward0": Rule(
        {"self": "g / other", "other": "-g * (self / other / other)"},
        (if_needed("self", _OF_PARTS), if_needed("other", _SHRINKS)),
        plain=_QUOTIENT,
    ),
    "DivBackward1": Rule({"self": "g / other"}, _OF_PARTS, plain=_QUOTIENT),
    "DivBackward2": Rule(
        {
            "self": _DIVIDED,
            "other": When("rounding_mode is None", "-g * (self / other / other)", "zeros_like(g)"),
        },
        When("rounding_mode is None", _OF_PARTS, _ROUNDED),
        plain=_QUOTIENT,
    ),
    "DivBackward3": Rule(
        {"self": _DIVIDED}, When("rounding_mode is None", _OF_PARTS, _ROUNDED), plain=_QUOTIENT
    ),
    "PowBackward0": Rule(
        {
            "self": When(
                "exponent == 2",
                "g * (2 * self)",
                When("exponent == 0", "zeros_like(g)", "g * (exponent * self**(exponent - 1))"),
            )
        },
        When(
            "exponent == 2",
            "The slope of a square is twice its base, so {self} gets the gradient times {2 * self}.",
            When("exponent == 0", "Anything to the power of 0 is 1, so the gradient is zero.", _POWER),
        ),
        plain={"self": "base"},
    ),
    "PowBackward1": Rule(
        {
            "self": "where(exponent == 0, 0, g * (exponent * self**(exponent - 1)))",
            "exponent": "g * where((self == 0) & (exponent >= 0), 0, result * log(self))",
        },
        (if_needed("self", _POWER), if_needed("exponent", _GROWTH)),
        plain={"self": "base", "exponent": "exponent"},
    ),
    "PowBackward2": Rule(
        {
            "exponent": When(
                "self == 0",
                "g * where(exponent >= 0, 0, result * log(self))",
                "g * (result * log(self))",
            )
        },
        _GROWTH,
        plain={"exponent": "exponent"},
    ),
    "NegBackward0": _unary(
        "-g", "The result falls by as much as {self} grows, so the gradient changes its sign."
    ),
    "ExpBackward0": _unary(
        "g * result", "The slope of exp is its own result, so the gradient is multiplied by {result}."
    ),
    "Expm1Backward0": _unary(
        "g * (result + 1)", f"The slope of exp(x) - 1 is exp(x), here {{result + 1}}, {_TIMES_THAT}"
    ),
    "LogBackward0": _unary("g / self", f"The slope of a logarithm is {{1 / self}}, {_TIMES_THAT}"),
    "Log1PBackward0": _unary(
        "g / (self + 1)", f"The slope of log(1 + x) is 1 / (1 + x), here {{1 / (self + 1)}}, {_TIMES_THAT}"
    ),
    "SqrtBackward0": _unary(
        "g / (2 * result)",
        f"The slope of a root is 1 over twice the root, {{1 / (2 * result)}}, {_TIMES_THAT}",
    ),
    "RsqrtBackward0": _unary(
        "-0.5 * g * result**3", f"The slope of 1 over a root is {{-0.5 * result**3}}, {_TIMES_THAT}"
    ),
    "ReciprocalBackward0": _unary(
        "-g * (result * result)",
        "The result shrinks as {self} grows: the slope of {1 / self} is {-1 / self**2}.",
    ),
    "AbsBackward0": _unary(
        "g * sgn(self)",
        "The gradient is multiplied by the sign of {self}: by 1 above 0, by -1 below, and by 0 at 0.",
    ),
    "SinBackward0": _unary(
        "g * self.cos()", f"The slope of a sine is the cosine, {{self.cos()}}, {_TIMES_THAT}"
    ),
    "CosBackward0": _unary(
        "g * -self.sin()", f"The slope of a cosine is the negative sine, {{-self.sin()}}, {_TIMES_THAT}"
    ),
    "MaximumBackward0": Rule(
        {
            "self": "where(self == other, g / 2, g).masked_fill(self < other, 0)",
            "other": "where(self == other, g / 2, g).masked_fill(self > other, 0)",
        },
        "Element by element, the larger input gets the gradient and the smaller one gets 0; equal ones get "
        "half each.",
    ),
    "MinimumBackward0": Rule(
        {
            "self": "where(self == other, g / 2, g).masked_fill(self > other, 0)",
            "other": "where(self == other, g / 2, g).masked_fill(self < other, 0)",
        },
        "Element by element, the smaller input gets the gradient and the larger one gets 0; equal ones get "
        "half each.",
    ),
    "WhereBackward0": Rule(
        {"self": "where(condition, g, 0)", "other": "where(condition, 0, g)"},
        "Element by element, the input that was chosen gets the gradient, and the other one gets 0.",
    ),
    "MaskedFillBackward0": _unary(
        "g.masked_fill(mask, 0)",
        "A filled-in element does not depend on {self}, so its gradient is 0; the others get the gradient "
        "unchanged.",
    ),
    "ClampBackward1": _unary(
        When(
            "max is None",
            f"where(self {_ABOVE} min, g, 0)",
            When(
                "min is None",
                f"where(self {_BELOW} max, g, 0)",
                f"where((self {_ABOVE} min) & (self {_BELOW} max), g, 0)",
            ),
        ),
        f"Elements {_INSIDE} the limits get the gradient; those that were clamped{_AT_LIMITS} get 0.",
    ),
    "ClampMinBackward0": _unary(
        f"where(self {_ABOVE} min, g, 0)",
        f"Elements {_NOT_BELOW} the limit get the gradient, and the others get 0.",
    ),
    "ClampMaxBackward0": _unary(
        f"where(self {_BELOW} max, g, 0)",
        f"Elements {_NOT_ABOVE} the limit get the gradient, and the others get 0.",
    ),
}
