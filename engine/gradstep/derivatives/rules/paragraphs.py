"""Paragraphs on why a gradient is what its rule says, for a view that has room for them.

Each can be read alone: it says nothing about the numbers or names of a script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gradstep.derivatives.sentence import Sentence

_LEFT: Final = (
    "A number of the left factor is multiplied by each number in one row of the right factor, and these "
    "products go into one row of the result. If it grows by a little, each result in that row grows by that "
    "little times the number it was multiplied by. Each of these changes counts as much as the gradient of "
    "its result says, and they add up."
)

_RIGHT: Final = (
    "A number of the right factor is multiplied by each number in one column of the left factor: by one "
    "number of each sample, if the samples are rows. If it grows by a little, one result of each sample "
    "grows by that little times the sample's number. Each of these changes counts as much as the gradient "
    "of its result says, and they add up: the gradient is a sum over the samples."
)

_TURNED: Final = (
    "The factor is a transposed matrix here, so PyTorch computes the transpose of this product; the numbers "
    "are the same."
)

_REASONS: Final[Mapping[tuple[str, ...], str]] = {
    ("Add", "Sub", "Rsub", "Neg"): (
        "If a term grows by a little, the sum grows by exactly as much, whatever the other terms are: the "
        "local derivative is 1, or -1 for a term that is subtracted. The chain rule multiplies the gradient "
        "that arrives by it, so the gradient stays as it is or changes its sign."
    ),
    ("Mul",): (
        "If one factor grows by a little, the product grows by that little times the other factor. The "
        "other factor is therefore the local derivative, element by element, and the chain rule multiplies "
        "the gradient that arrives by it. A tensor that is both factors, as in a square, gets a gradient "
        "from each side; their sum is 2 times the tensor times the gradient."
    ),
    ("Div", "Reciprocal"): (
        "Dividing by a number is multiplying by 1 over it, which is the local derivative of the numerator. "
        "A larger divisor makes the result smaller, so its own local derivative is negative: minus the "
        "numerator over the divisor squared. A large divisor makes both gradients small."
    ),
    ("Pow", "Sqrt", "Rsqrt"): (
        "The slope of a power is the exponent times the power with an exponent that is less by 1: 2 * x for "
        "a square, 0.5 / sqrt(x) for a root. The chain rule multiplies the gradient that arrives by this "
        "slope at the value of the forward pass. That is why autograd has kept that value."
    ),
    ("Exp", "Expm1", "Log", "Log1P", "Abs", "Sin", "Cos"): (
        "The function works element by element, so each result depends on one input alone. The local "
        "derivative is the slope of the function at that input, and the chain rule multiplies the gradient "
        "that arrives by it. Autograd has kept the input or the result of the forward pass to compute the "
        "slope from."
    ),
    ("Maximum", "Minimum", "Where", "MaskedFill"): (
        "Each element of the result is a copy of one input, and a small change of the other input changes "
        "nothing. The local derivative is therefore 1 for the input that was taken and 0 for the other. "
        "Gradients flow only through what was chosen in the forward pass."
    ),
    ("Clamp", "ClampMin", "ClampMax", "Hardtanh"): (
        "Between the limits the result is the input itself, so the local derivative is 1. Beyond a limit "
        "the result is the limit, whatever the input is: the local derivative is 0, and such an element "
        "learns nothing from this sample."
    ),
    ("Mm", "Addmm", "Bmm", "Baddbmm", "Mv", "Addmv", "Dot"): f"{_LEFT} {_RIGHT}",
    ("Sum", "Mean", "Cumsum"): (
        "Every element that is summed adds its own change to the sum, so the local derivative is 1 for each "
        "of them, and each gets a copy of the gradient: one number becomes as many as were summed. In a "
        "mean every element counts only 1 over their number, so the copies are divided by it."
    ),
    ("Max", "Min", "Amax", "Amin"): (
        "Only the largest or the smallest element decides the result; a small change of any other changes "
        "nothing. So the local derivative is 1 for the winner and 0 for all others, and several equal "
        "winners may share it."
    ),
    (
        "T",
        "Transpose",
        "Permute",
        "View",
        "UnsafeView",
        "ReshapeAlias",
        "Squeeze",
        "Unsqueeze",
        "Flip",
        "Clone",
    ): (
        "The forward pass computed nothing: it only put the same numbers in other places. So every number's "
        "local derivative is 1, and the gradient of each number is put back to where that number came from. "
        "That gives the gradient the shape of the tensor that it belongs to."
    ),
    ("Expand", "Repeat"): (
        "One number was used in several places, as if it had been copied there. If it grows by a little, "
        "every copy grows by as much, so the effects of all copies add up. The sum of their gradients is "
        "the gradient of the one number."
    ),
    ("Select", "Slice", "Index", "IndexSelect", "Gather", "Triu", "Tril", "Embedding"): (
        "The result is made of some elements of the tensor, and the others have no influence on it. So the "
        "chosen elements get the gradient of their place in the result, and all others get 0. An element "
        "that was chosen several times gets the sum."
    ),
    ("Cat", "Stack", "Unbind", "Split", "SplitWithSizes"): (
        "Joining and cutting move numbers without changing them. So each number's gradient goes back the "
        "same way: what was joined is cut again, and what was cut is joined again. A part that nothing used "
        "has no influence on the loss and counts as 0."
    ),
    ("ToCopy",): (
        "Another dtype keeps the numbers, but for rounding. So the local derivative is 1, and the gradient "
        "only gets the dtype of the tensor that it belongs to."
    ),
    ("Relu", "LeakyRelu", "Elu"): (
        "Above 0 the function hands its input on, so the slope is 1 and the gradient passes. Below 0 its "
        "slope is 0 or small. A unit that is below 0 for every sample gets hardly any gradient, or none: "
        "with ReLU it is dead and does not learn any more. At exactly 0 a kinked function has no slope; "
        "PyTorch takes the one from the left."
    ),
    ("Sigmoid", "LogSigmoid", "Tanh", "Softplus", "Gelu", "Silu"): (
        "The local derivative is the slope of the curve at the input, element by element. In the flat parts "
        "of a curve the slope is almost 0, so almost no gradient gets through: the unit is saturated and "
        "learns slowly. Through several such layers the gradient shrinks each time, which is called "
        "vanishing gradients."
    ),
    ("Softmax", "LogSoftmax"): (
        "The probabilities of a row share a sum of 1: if one grows, the others shrink. So a gradient for "
        "one of them reaches every input of its row, and an equal gradient for all of them has no effect at "
        "all. That is why each input's gradient has a part of the whole row's subtracted, by its own "
        "probability."
    ),
    ("MseLoss",): (
        "The loss is a square of each difference, and the slope of a square is twice its base. A prediction "
        "that is twice as far off gets twice the gradient, in the direction that makes the difference "
        "larger; the update then goes the other way."
    ),
    ("NllLoss", "NllLoss2D"): (
        "The loss is minus the log probability of the right class, averaged or summed over the samples. No "
        "other class is in it, so only the right one gets a gradient here, and it is negative: more of it "
        "makes the loss smaller. The log_softmax before it spreads the gradient over the other classes."
    ),
    ("BinaryCrossEntropyWithLogits",): (
        "The sigmoid and the logarithm of the loss cancel each other in the derivative. What is left is the "
        "predicted probability minus the target, which is large as long as the prediction is wrong, even if "
        "the sigmoid itself is flat there. That is why the two are one function."
    ),
    ("AccumulateGrad",): (
        "Here a path of the backward pass ends at a parameter. PyTorch adds the gradient to what the "
        "parameter's .grad already holds, so that several passes can share one update. That is also why a "
        "training loop zeroes the gradients: otherwise those of earlier passes stay in the sum."
    ),
}
"""Paragraphs by the nodes that they are about, without `Backward` and a number."""

_BY_NODE: Final = {name: Sentence(text) for names, text in _REASONS.items() for name in names}


_PRODUCTS: Final = ("Mm", "Addmm", "Bmm", "Baddbmm")


def reason_for(name: str, formulas: Sequence[tuple[str, str]] = ()) -> Sentence | None:
    """Return the paragraph for a node; None if there is none.

    Args:
        name: Autograd's name of the node, e.g. `MulBackward0`.
        formulas: Names and formulas of its gradients, if the paragraph is to be about these only.
    """
    kind = name.partition("Backward")[0]
    sides = [_RIGHT if factor in ("mat2", "batch2") else _LEFT for factor, text in formulas if "@" in text]
    if kind not in _PRODUCTS or len(sides) != 1:
        return _BY_NODE.get(kind)
    turned = any(").T" in text for _, text in formulas)
    return Sentence(f"{sides[0]} {_TURNED}" if turned else sides[0])
