"""Rules of activation functions. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, When

ACTIVATIONS: Final[Mapping[str, Rule]] = {
    "ReluBackward0": Rule(
        {"self": "where(result <= 0, 0, g)"},
        "g passes where the result is positive, and is 0 elsewhere, even at exactly 0",
        "g where > 0",
    ),
    "LeakyReluBackward0": Rule(
        {"self": "where(self > 0, g, g * negative_slope)"},
        "g passes where self is positive, and is scaled by the small slope elsewhere",
        "g or g * slope",
    ),
    "EluBackward0": Rule(
        {
            "self": "where(self <= 0, g * alpha * exp(self * input_scale) * input_scale * scale, g * scale)",
        },
        "g passes where self is positive, and is scaled by alpha * exp(self) elsewhere",
        "g or g * exp",
    ),
    "SigmoidBackward0": Rule(
        {"self": "g * (1 - result) * result"},
        "the slope of a sigmoid is result * (1 - result), steepest in the middle",
        "g*(1-r)*r",
    ),
    "LogSigmoidBackward0": Rule(
        {"self": "g * sigmoid(-self)"}, "the slope of log(sigmoid(self)) is sigmoid(-self)", "g*sigmoid(-x)"
    ),
    "TanhBackward0": Rule(
        {"self": "g * (1 - result**2)"},
        "the slope of tanh is 1 - result squared, steepest at 0",
        "g * (1 - r²)",
    ),
    "HardtanhBackward0": Rule(
        {"self": "where((self > min_val) & (self < max_val), g, 0)"},
        "g passes between the limits, and is 0 where the result was clamped",
        "g inside limits",
    ),
    "GeluBackward0": Rule(
        {
            "self": When(
                "approximate == 'tanh'",
                "g / 2 * (1 + t + self * (1 - t**2) * sqrt(2 / pi) * (1 + 0.134145 * self**2))",
                "g * (ndtr(self) + self * exp(-self**2 / 2) / sqrt(2 * pi))",
            )
        },
        "the result is self times the bell curve's area below self; the product rule gives the slope",
        "g * slope",
        where={"t": "tanh(sqrt(2 / pi) * (self + 0.044715 * self**3))"},
    ),
    "SiluBackward0": Rule(
        {"self": "g * s * (1 + self * (1 - s))"},
        "the result is self * sigmoid(self); the product rule gives the slope",
        "g * slope",
        where={"s": "sigmoid(self)"},
    ),
    "SoftplusBackward0": Rule(
        {"self": "where(beta * self > threshold, g, g * sigmoid(beta * self))"},
        "the slope of softplus is a sigmoid, and 1 beyond the threshold",
        "g * sigmoid",
    ),
    "SoftmaxBackward0": Rule(
        {"self": "result * (g - (result * g).sum(dim, True))"},
        "a row of results always sums to 1, so the weighted mean of g is subtracted from g",
        "r*(g - mean g)",
    ),
    "LogSoftmaxBackward0": Rule(
        {"self": "g - exp(result) * g.sum(dim, True)"},
        "each element gets its g minus its probability times the sum of g over the row",
        "g - p * sum g",
    ),
}
