"""Rules of products of matrices and vectors. Source: PyTorch's derivatives.yaml.

PyTorch computes the gradient of a column-major operand, such as `w.t()`, transposed, so that the gradient is
column-major, too. Only rounding differs, so the formula does the same to get the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, by_need


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


_LEFT = "gradient of left matrix = g @ right.T"
_RIGHT = "gradient of right matrix = left.T @ g"
_PRODUCT = f"{_LEFT}, {_RIGHT}"
_ADDED = "gradient of added tensor = g"
_LEFT_TRANSPOSED = f"{_LEFT} (PyTorch computes its transpose, right @ g.T)"
_RIGHT_TRANSPOSED = f"{_RIGHT} (PyTorch computes its transpose, g.T @ left)"


def _words(left: str, right: str) -> Text:
    """Return the sentence about `left @ right`, depending on which of them need a gradient."""
    return When(
        f"needed == ('{left}',)",
        When(_column_major(left), _LEFT_TRANSPOSED, _LEFT),
        When(f"needed == ('{right}',)", When(_column_major(right), _RIGHT_TRANSPOSED, _RIGHT), _PRODUCT),
    )


LINEAR: Final[Mapping[str, Rule]] = {
    "MmBackward0": Rule(
        {"self": _left("self", "mat2"), "mat2": _right("self", "mat2")},
        _words("self", "mat2"),
        by_need("g@mat2T, selfT@g", self="g @ mat2.T", mat2="self.T @ g"),
    ),
    "AddmmBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "mat1": When("alpha == 1", _left("mat1", "mat2"), _left("mat1", "mat2", "alpha")),
            "mat2": When("alpha == 1", _right("mat1", "mat2"), _right("mat1", "mat2", "alpha")),
        },
        When(
            "'self' in needed",
            When(
                "needed == ('self', 'mat2')",
                f"{_ADDED}, {_RIGHT}",
                f"{_ADDED}, {_PRODUCT}",
            ),
            _words("mat1", "mat2"),
        ),
        When(
            "needed == ('self', 'mat2')",
            "g, mat1.T @ g",
            by_need("g, and products", self="g", mat1="g @ mat2.T", mat2="mat1.T @ g"),
        ),
    ),
    "BmmBackward0": Rule(
        {"self": "g @ mat2.mT", "mat2": "self.mT @ g"},
        When(
            "needed == ('self',)",
            f"for each matrix of the batch, {_LEFT}",
            When(
                "needed == ('mat2',)",
                f"for each matrix of the batch, {_RIGHT}",
                f"for each matrix of the batch, {_PRODUCT}",
            ),
        ),
        by_need("g@mat2T, selfT@g", self="g @ mat2.mT", mat2="self.mT @ g"),
    ),
    "BaddbmmBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "batch1": When("alpha == 1", "g @ batch2.mT", "(g @ batch2.mT) * alpha"),
            "batch2": When("alpha == 1", "batch1.mT @ g", "(batch1.mT @ g) * alpha"),
        },
        f"{_ADDED}; for each matrix of the batch, {_PRODUCT}",
        "g, and products",
    ),
    "MvBackward0": Rule(
        {"self": "g.outer(vec)", "vec": "self.T @ g"},
        When(
            "needed == ('vec',)",
            "gradient of vector = matrix.T @ g",
            "gradient of matrix = outer product of g and vector, gradient of vector = matrix.T @ g",
        ),
        by_need("outer, selfT @ g", self="g.outer(vec)", vec="self.T @ g"),
    ),
    "AddmvBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "mat": When("alpha == 1", "g.outer(vec)", "g.outer(vec) * alpha"),
            "vec": When("alpha == 1", "mat.T @ g", "mat.T @ g * alpha"),
        },
        "gradient of added vector = g, gradient of matrix = outer product of g and vector, "
        "gradient of vector = matrix.T @ g",
        "g, and products",
    ),
    "DotBackward0": Rule(
        {"self": "g * tensor", "tensor": "g * self"},
        "the gradient of each vector is the other vector times g, which is a single number here",
        by_need("g*tensor, g*self", self="g * tensor", tensor="g * self"),
    ),
}
