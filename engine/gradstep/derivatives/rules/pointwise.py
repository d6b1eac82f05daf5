"""Rules of arithmetic, element by element. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, by_need
from gradstep.torch_internals import clamp_keeps_gradient_at_limits

_POWER = "the slope of a power is the exponent times one power less; g is multiplied by that"
_GROWTH = "the slope in the exponent is result * log(base); g is multiplied by that"
_ROUNDED = "a rounded quotient is a step function, so its gradient is zero"
_DIVIDED = When("rounding_mode is None", "g / other", "zeros_like(g)")
_KEEPS_LIMITS = clamp_keeps_gradient_at_limits()  # PyTorch 2.14 changed it
_ABOVE, _BELOW = (">=", "<=") if _KEEPS_LIMITS else (">", "<")
_INSIDE, _AT_LIMITS = ("within", "") if _KEEPS_LIMITS else ("between", " or equals a limit")
_NOT_BELOW, _NOT_ABOVE = ("at least", "at most") if _KEEPS_LIMITS else ("above", "below")


def _unary(formula: Text, words: Text, brief: Text | None = None) -> Rule:
    """Return the rule of a function of one tensor, `self`."""
    return Rule({"self": formula}, words, brief or str(formula))


POINTWISE: Final[Mapping[str, Rule]] = {
    "AddBackward0": Rule(
        {"self": "g", "other": When("alpha == 1", "g", "g * alpha")},
        When(
            "len(needed) == 2",
            When(
                "alpha == 1", "a sum passes g on to both inputs", "g goes to self, and alpha times g to other"
            ),
            "a sum passes g on unchanged: the result changes by as much as the input",
        ),
        by_need("g to both", self="g", other="g"),
    ),
    "AddBackward1": _unary("g", "adding a number leaves g as it is"),
    "SubBackward0": Rule(
        {"self": "g", "other": When("alpha == 1", "-g", "-g * alpha")},
        by_need(
            "the gradient of a - b is g for a, and -g for b",
            self="the gradient of a - b is g for a: the result changes by as much as a",
            other="the gradient of a - b is -g for b: the result falls by as much as b grows",
        ),
        by_need("g, -g", self="g", other="-g"),
    ),
    "SubBackward1": _unary("g", "subtracting a number leaves g as it is"),
    "RsubBackward0": Rule(
        {"self": When("alpha == 1", "-g", "-g * alpha"), "other": "g"},
        "the result is other - self, so self gets -g, and other gets g",
        by_need("-g, g", self="-g", other="g"),
    ),
    "RsubBackward1": _unary(
        When("alpha == 1", "-g", "-g * alpha"), "self is subtracted from a number, so it gets -g", "-g"
    ),
    "MulBackward0": Rule(
        {"self": "g * other", "other": "g * self"},
        When(
            "twice",
            "each factor gets g times the other factor, and here both factors are the same tensor",
            "each factor gets g times the other factor",
        ),
        When("twice", "g*other twice", by_need("g*other, g*self", self="g * other", other="g * self")),
    ),
    "MulBackward1": _unary("g * other", "g is multiplied by the same number"),
    "DivBackward0": Rule(
        {"self": "g / other", "other": "-g * (self / other / other)"},
        When(
            "needed == ('self',)",
            "g is divided by the same divisor",
            When(
                "needed == ('other',)",
                "the divisor gets -g * self / other squared: the result shrinks as the divisor grows",
                "the numerator gets g / other, and the divisor gets -g * self / other squared",
            ),
        ),
        by_need("g / other, ...", self="g / other", other="-g*self/other²"),
    ),
    "DivBackward1": _unary("g / other", "g is divided by the same number"),
    "DivBackward2": Rule(
        {
            "self": _DIVIDED,
            "other": When("rounding_mode is None", "-g * (self / other / other)", "zeros_like(g)"),
        },
        When("rounding_mode is None", "g is divided by the same divisor", _ROUNDED),
        When("rounding_mode is None", "g / other", "zeros"),
    ),
    "DivBackward3": _unary(
        _DIVIDED,
        When("rounding_mode is None", "g is divided by the same number", _ROUNDED),
        When("rounding_mode is None", "g / other", "zeros"),
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
            "the slope of a square is 2 * self, so g is multiplied by 2 * self",
            When("exponent == 0", "anything to the power 0 is 1, so the gradient is zero", _POWER),
        ),
        When("exponent == 2", "g * 2 * self", When("exponent == 0", "zeros", "g * power rule")),
    ),
    "PowBackward1": Rule(
        {
            "self": "where(exponent == 0, 0, g * (exponent * self**(exponent - 1)))",
            "exponent": "g * where((self == 0) & (exponent >= 0), 0, result * log(self))",
        },
        When("needed == ('self',)", _POWER, When("needed == ('exponent',)", _GROWTH, f"{_POWER}; {_GROWTH}")),
        "g * power rule",
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
        "g*result*log",
    ),
    "NegBackward0": _unary("-g", "the sign changes, so g changes its sign"),
    "ExpBackward0": _unary("g * result", "exp is its own slope, so g is multiplied by the result"),
    "Expm1Backward0": _unary("g * (result + 1)", "the slope is exp(self), which is the result plus 1"),
    "LogBackward0": _unary("g / self", "the slope of log is 1 / self, so g is divided by self"),
    "Log1PBackward0": _unary("g / (self + 1)", "the slope of log(1 + self) is 1 / (1 + self)"),
    "SqrtBackward0": _unary(
        "g / (2 * result)", "the slope of a root is 1 over twice the root", "g / (2*result)"
    ),
    "RsqrtBackward0": _unary(
        "-0.5 * g * result**3", "the slope of self**-0.5 is -0.5 * self**-1.5", "-g/2 * result³"
    ),
    "ReciprocalBackward0": _unary(
        "-g * (result * result)", "the slope of 1 / self is -1 / self squared", "-g * result²"
    ),
    "AbsBackward0": _unary("g * sgn(self)", "the slope is the sign of self, and 0 at 0"),
    "SinBackward0": _unary("g * self.cos()", "the slope of sin is cos"),
    "CosBackward0": _unary("g * -self.sin()", "the slope of cos is -sin"),
    "MaximumBackward0": Rule(
        {
            "self": "where(self == other, g / 2, g).masked_fill(self < other, 0)",
            "other": "where(self == other, g / 2, g).masked_fill(self > other, 0)",
        },
        "the larger input gets g and the smaller input 0; equal inputs get g / 2 each",
        "g to the larger",
    ),
    "MinimumBackward0": Rule(
        {
            "self": "where(self == other, g / 2, g).masked_fill(self > other, 0)",
            "other": "where(self == other, g / 2, g).masked_fill(self < other, 0)",
        },
        "the smaller input gets g and the larger input 0; equal inputs get g / 2 each",
        "g to the smaller",
    ),
    "WhereBackward0": Rule(
        {"self": "where(condition, g, 0)", "other": "where(condition, 0, g)"},
        "g goes to the input that was chosen, element by element, and 0 to the other",
        "g to the chosen",
    ),
    "MaskedFillBackward0": _unary(
        "g.masked_fill(mask, 0)",
        "a filled-in element does not depend on self, so g is 0 there",
        "0 where filled",
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
        f"g passes where self is {_INSIDE} the limits, and is 0 where it was clamped{_AT_LIMITS}",
        "g inside limits",
    ),
    "ClampMinBackward0": _unary(
        f"where(self {_ABOVE} min, g, 0)",
        f"g passes where self is {_NOT_BELOW} the limit, and is 0 elsewhere",
        "g above min",
    ),
    "ClampMaxBackward0": _unary(
        f"where(self {_BELOW} max, g, 0)",
        f"g passes where self is {_NOT_ABOVE} the limit, and is 0 elsewhere",
        "g below max",
    ),
}
