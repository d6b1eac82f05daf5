"""Rules of activation functions. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, When

ACTIVATIONS: Final[Mapping[str, Rule]] = {
    "ReluBackward0": Rule(
        {"self": "where(result <= 0, 0, g)"},
        "Elements of {self} above 0 get the gradient; all others get 0, even at exactly 0.",
    ),
    "LeakyReluBackward0": Rule(
        {"self": "where(self > 0, g, g * negative_slope)"},
        "Elements of {self} above 0 get the gradient; all others get {negative_slope} times the gradient.",
    ),
    "EluBackward0": Rule(
        {
            "self": "where(self <= 0, g * alpha * exp(self * input_scale) * input_scale * scale, g * scale)",
        },
        "Above 0 the slope of ELU is {scale}; below 0 it falls towards 0 like exp.",
    ),
    "SigmoidBackward0": Rule(
        {"self": "g * (1 - result) * result"},
        "The slope of a sigmoid is {result * (1 - result)}: steepest in the middle, almost 0 at both ends.",
    ),
    "LogSigmoidBackward0": Rule(
        {"self": "g * sigmoid(-self)"},
        "The slope of the logarithm of a sigmoid is {sigmoid(-self)}: near 1 far below 0, near 0 far above.",
    ),
    "TanhBackward0": Rule(
        {"self": "g * (1 - result**2)"},
        "The slope of tanh is {1 - result**2}: steepest at 0, almost 0 at both ends.",
    ),
    "HardtanhBackward0": Rule(
        {"self": "where((self > min_val) & (self < max_val), g, 0)"},
        "Elements between the limits get the gradient; those that were clamped or equal a limit get 0.",
    ),
    "GeluBackward0": Rule(
        {
            "self": When(
                "approximate == 'tanh'",
                "g / 2 * (1 + t + self * (1 - t**2) * sqrt(2 / pi) * (1 + 0.134145 * self**2))",
                "g * (ndtr(self) + self * exp(-self**2 / 2) / sqrt(2 * pi))",
            )
        },
        "GELU multiplies {self} by the area of the bell curve below it; the product rule gives its slope.",
        where={"t": "tanh(sqrt(2 / pi) * (self + 0.044715 * self**3))"},
    ),
    "SiluBackward0": Rule(
        {"self": "g * s * (1 + self * (1 - s))"},
        "SiLU is {self * sigmoid(self)}; the product rule gives its slope.",
        where={"s": "sigmoid(self)"},
    ),
    "SoftplusBackward0": Rule(
        {"self": "where(beta * self > threshold, g, g * sigmoid(beta * self))"},
        "The slope of softplus is a sigmoid, and 1 beyond its threshold of {threshold}.",
    ),
    "SoftmaxBackward0": Rule(
        {"self": "result * (g - (result * g).sum(dim, True))"},
        "From each gradient the row's mean, weighted by the probabilities, is subtracted; the rest is "
        "multiplied by the element's own probability.",
    ),
    "LogSoftmaxBackward0": Rule(
        {"self": "g - exp(result) * g.sum(dim, True)"},
        "Each element gets its own gradient minus its probability times the sum of the row's gradients.",
    ),
}
