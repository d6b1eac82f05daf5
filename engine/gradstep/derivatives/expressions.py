"""Formulas as Python expressions: their names, their value, and the matrices that they multiply."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from gradstep.derivatives.functions import VOCABULARY

TROUBLE = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
"""Exceptions that a formula may raise if the recorded values are of a kind that it was not written for."""


@cache
def names_in(formula: str) -> tuple[str, ...]:
    """Return the names in a formula, from left to right and without repetition."""
    nodes = [node for node in ast.walk(ast.parse(formula, mode="eval")) if isinstance(node, ast.Name)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in nodes))


@cache
def _compiled(formula: str) -> CodeType:
    return compile(formula, formula, "eval")


def value_of(formula: str, values: Mapping[str, Any]) -> Any:
    """Return the value of a formula; a saved value hides a function of the same name."""
    return eval(_compiled(formula), {"__builtins__": {}, **VOCABULARY, **values})


@cache
def factors(formula: str) -> tuple[str, str] | None:
    """Return the two matrices that a formula multiplies, as formulas; None if it is not a matrix product.

    `(a @ b).T` is the product of `b.T` and `a.T`.
    """
    tree = ast.parse(formula, mode="eval").body
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
        return ast.unparse(tree.left), ast.unparse(tree.right)
    if isinstance(tree, ast.Attribute) and tree.attr == "T":
        inner = factors(ast.unparse(tree.value))
        return inner and (_transposed(inner[1]), _transposed(inner[0]))
    return None


def _transposed(formula: str) -> str:
    return formula.removesuffix(".T") if formula.endswith(".T") else f"{formula}.T"
