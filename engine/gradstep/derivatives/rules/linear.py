"""Rules of products of matrices and vectors. Source: PyTorch's derivatives.yaml.

PyTorch computes the gradient of a column-major operand, such as `w.t()`, transposed, so that the gradient is
column-major, too. Only rounding differs, so the formula does the same to get the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, if_needed


def _column_major(name: str) -> str:
    return f"{name}_sym_strides == (1, {name}_sym_sizes[0])"


def _left(left: str, right: str, factor: str = "") -> Text:
    """Return the formula of the gradient of `left` in `left @ right`."""
    if factor:
        return When(_column_major(left), f"({right} @ g.T).T * {factor}", f"(g @ {right}.T) * {factor}")
    return When(_column_major(left), f"({right} @ g.T).T", f"g @ {right}.T")


def _right(left: str, right: str, factor: str = "") -> Text:
    """Return the formula of the gradient of `right` in `left @ right`."""
    if factor:
        return When(_column_major(right), f"(g.T @ {left}).T * {factor}", f"({left}.T @ g) * {factor}")
    return When(_column_major(right), f"(g.T @ {left}).T", f"{left}.T @ g")


def _left_words(left: str, right: str, turned: str = "T") -> Text:
    """Return the sentence about the gradient of `left`; `turned` is how Python transposes."""
    return if_needed(
        left,
        f"Each number of {{{left}}} was multiplied by a row of {{{right}}}, so its gradient adds up that row "
        f"times a row of the gradient: gradient @ {{{right}.{turned}}}.",
    )


def _right_words(left: str, right: str, turned: str = "T") -> Text:
    """Return the sentence about the gradient of `right`."""
    return if_needed(
        right,
        f"Each number of {{{right}}} was multiplied by a column of {{{left}}}, so its gradient adds up that "
        f"column times a column of the gradient: {{{left}.{turned}}} @ gradient.",
    )


_MATRICES = {"self": "left matrix", "mat1": "left matrix", "mat2": "right matrix"}
_BATCHES = {
    "self": "left matrices",
    "batch1": "left matrices",
    "batch2": "right matrices",
    "mat2": "right matrices",
}
_ADDED_TERM = if_needed(
    "self",
    When(
        "beta != 1",
        "The sum passes {beta} times the gradient on to {self}.",
        "The sum passes the gradient on unchanged to {self}.",
    ),
)
_SCALED = When(
    "alpha != 1", "The product was multiplied by {alpha}, so the gradients of its factors are, too.", ""
)
_OUTER = (
    "Each element of the matrix meets one element of {vec}, so {self} gets the outer product of the "
    "gradient and {vec}."
)
_VECTOR = "The vector of a product gets the transposed matrix times the gradient: {self.T} @ gradient."


LINEAR: Final[Mapping[str, Rule]] = {
    "MmBackward0": Rule(
        {"self": _left("self", "mat2"), "mat2": _right("self", "mat2")},
        (_left_words("self", "mat2"), _right_words("self", "mat2")),
        plain=_MATRICES,
    ),
    "AddmmBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "mat1": When("alpha == 1", _left("mat1", "mat2"), _left("mat1", "mat2", "alpha")),
            "mat2": When("alpha == 1", _right("mat1", "mat2"), _right("mat1", "mat2", "alpha")),
        },
        (_ADDED_TERM, _left_words("mat1", "mat2"), _right_words("mat1", "mat2"), _SCALED),
        plain={**_MATRICES, "self": "added term"},
    ),
    "BmmBackward0": Rule(
        {"self": "g @ mat2.mT", "mat2": "self.mT @ g"},
        (_left_words("self", "mat2", "mT"), _right_words("self", "mat2", "mT")),
        plain=_BATCHES,
    ),
    "BaddbmmBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "batch1": When("alpha == 1", "g @ batch2.mT", "(g @ batch2.mT) * alpha"),
            "batch2": When("alpha == 1", "batch1.mT @ g", "(batch1.mT @ g) * alpha"),
        },
        (
            _ADDED_TERM,
            _left_words("batch1", "batch2", "mT"),
            _right_words("batch1", "batch2", "mT"),
            _SCALED,
        ),
        plain={**_BATCHES, "self": "added term"},
    ),
    "MvBackward0": Rule(
        {"self": "g.outer(vec)", "vec": "self.T @ g"},
        (if_needed("self", _OUTER), if_needed("vec", _VECTOR)),
        plain={"self": "matrix", "vec": "vector"},
    ),
    "AddmvBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "mat": When("alpha == 1", "g.outer(vec)", "g.outer(vec) * alpha"),
            "vec": When("alpha == 1", "mat.T @ g", "mat.T @ g * alpha"),
        },
        (
            _ADDED_TERM,
            if_needed("mat", _OUTER.replace("{self}", "{mat}")),
            if_needed("vec", _VECTOR.replace("{self.T}", "{mat.T}")),
            _SCALED,
        ),
        plain={"self": "added term", "mat": "matrix", "vec": "vector"},
    ),
    "DotBackward0": Rule(
        {"self": "g * tensor", "tensor": "g * self"},
        "A dot product is one number, and each of its vectors gets the other vector times the gradient.",
        plain={"self": "first vector", "tensor": "second vector"},
    ),
}
