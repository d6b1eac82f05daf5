"""Rules of products of matrices and vectors. Source: PyTorch's derivatives.yaml.

PyTorch computes the gradient of a column-major operand (`w.t()`, say) transposed, so that it comes out
column-major, too. It is the same product; the last bit may differ, so the formula follows PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.rule import Rule, Text, When, by_need


def _column_major(name: str) -> str:
    return f"{name}_sym_strides == (1, {name}_sym_sizes[0])"


def _left(left: str, right: str, factor: str = "") -> Text:
    """Give the gradient of `left` in `left @ right`."""
    if factor:
        return When(_column_major(left), f"({right} @ g.T).T * {factor}", f"(g @ {right}.T) * {factor}")
    return When(_column_major(left), f"({right} @ g.T).T", f"g @ {right}.T")


def _right(left: str, right: str, factor: str = "") -> Text:
    """Give the gradient of `right` in `left @ right`."""
    if factor:
        return When(_column_major(right), f"(g.T @ {left}).T * {factor}", f"({left}.T @ g) * {factor}")
    return When(_column_major(right), f"(g.T @ {left}).T", f"{left}.T @ g")


_PRODUCT = "the left matrix gets g @ right.T, and the right matrix gets left.T @ g"
_LEFT = "the left matrix gets g times the transposed right one"
_RIGHT = "the right matrix gets the transposed left one times g"
_TURNED = ", computed as its transpose"


def _words(left: str, right: str) -> Text:
    """Say what the factors of `left @ right` get, by which of them need a gradient."""
    return When(
        f"needed == ('{left}',)",
        When(_column_major(left), _LEFT + _TURNED, _LEFT),
        When(f"needed == ('{right}',)", When(_column_major(right), _RIGHT + _TURNED, _RIGHT), _PRODUCT),
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
                f"the added tensor gets g, and {_RIGHT}",
                f"the added tensor gets g, and in the product {_PRODUCT}",
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
            f"in each matrix of the batch, {_LEFT}",
            When(
                "needed == ('mat2',)",
                f"in each matrix of the batch, {_RIGHT}",
                f"in each matrix of the batch, {_PRODUCT}",
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
        f"the added tensor gets g, and in each matrix of the batch {_PRODUCT}",
        "g, and products",
    ),
    "MvBackward0": Rule(
        {"self": "g.outer(vec)", "vec": "self.T @ g"},
        When(
            "needed == ('vec',)",
            "the vector gets the transposed matrix times g",
            "the matrix gets every product of an element of g with one of vec, and vec gets self.T @ g",
        ),
        by_need("outer, selfT @ g", self="g.outer(vec)", vec="self.T @ g"),
    ),
    "AddmvBackward0": Rule(
        {
            "self": When("beta == 1", "g", "g * beta"),
            "mat": When("alpha == 1", "g.outer(vec)", "g.outer(vec) * alpha"),
            "vec": When("alpha == 1", "mat.T @ g", "mat.T @ g * alpha"),
        },
        "the added vector gets g, the matrix gets g.outer(vec), and vec gets mat.T @ g",
        "g, and products",
    ),
    "DotBackward0": Rule(
        {"self": "g * tensor", "tensor": "g * self"},
        "each vector gets the other one times g, which is a single number here",
        by_need("g*tensor, g*self", self="g * tensor", tensor="g * self"),
    ),
}
