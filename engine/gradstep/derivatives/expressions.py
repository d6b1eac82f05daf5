"""Formulas as Python expressions: their names and their value."""

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
