"""Takes the local derivative out of a formula: what is left of `g * (1 - result**2)` without `g`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from gradstep.equations.equation import Operator

SPREAD: Final = "ones(self_sym_sizes)"
"""Local derivative of a sum: every summed element has 1."""

_WHOLE: Final[Mapping[str, Operator]] = {
    "g": Operator.SAME,
    "g.sum_to_size(self_sym_sizes)": Operator.SUM,
    "g.to(dtype)": Operator.CAST,
}
_ONE: Final = ast.Constant(1)
_VIEWS: Final = frozenset({"t", "T", "mT", "transpose", "permute", "reshape", "squeeze", "unsqueeze"})
_PARTS: Final = frozenset({"select", "narrow", "triu", "tril", "cat", "stack", "flip", "argsort", "clone"})
_PUTS: Final = frozenset(
    {"index_put", "index_add", "scatter", "scatter_add", "select_scatter", "slice_scatter"}
)
_MOVES: Final = _VIEWS | _PARTS | _PUTS | {"new_zeros", "zeros_like"}
"""Methods and functions that only move a gradient's elements, or put zeros beside them."""


@dataclass(frozen=True, slots=True)
class LocalTerm:
    """How a formula uses the gradient `g`."""

    operator: Operator
    formula: str = ""
    """Local derivative as a formula; empty if the operator needs none."""

    upstream: str = "g"
    """What is combined with it: `g`, or `g` with dims of size 1 put in."""


@cache
def local_term(formula: str) -> LocalTerm:
    """Return the operator of a formula and what it combines `g` with."""
    tree = ast.parse(formula, mode="eval").body
    if formula in _WHOLE:
        return LocalTerm(_WHOLE[formula])
    product = _of_matrices(tree)
    if product is not None:
        return product
    without = _without_g(tree)
    if without is not None:
        local = ast.unparse(without)
        return LocalTerm(Operator.EXPAND if local == SPREAD else Operator.TIMES, local, _upstream(tree))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    called |= {function.id for function in calls if isinstance(function, ast.Name)}
    moves = called <= _MOVES and not any(isinstance(node, ast.BinOp) for node in ast.walk(tree))
    return LocalTerm(Operator.MOVE if moves else Operator.RULE)


def _of_matrices(tree: ast.expr) -> LocalTerm | None:
    """Return the term of `g @ x`, `x @ g` or their transposes, which may be multiplied by a number."""
    match tree:
        case ast.BinOp(left=left, op=ast.MatMult(), right=right) if _is_g(left) and not _has_g(right):
            return LocalTerm(Operator.MATMUL, ast.unparse(right))
        case ast.BinOp(left=left, op=ast.MatMult(), right=right) if _is_g(right) and not _has_g(left):
            return LocalTerm(Operator.MATMUL_LEFT, ast.unparse(left))
        case ast.Attribute(value=ast.BinOp(left=left, op=ast.MatMult(), right=right), attr="T"):
            return _of_matrices(ast.BinOp(_transposed(right), ast.MatMult(), _transposed(left)))
        case ast.BinOp(left=product, op=ast.Mult(), right=ast.Name() as factor):
            inner = _of_matrices(product)
            if inner is not None:
                return LocalTerm(inner.operator, f"{inner.formula} * {ast.unparse(factor)}")
    return None


def _transposed(node: ast.expr) -> ast.expr:
    match node:
        case ast.Attribute(value=inner, attr="T"):
            return inner
        case _:
            return ast.Attribute(node, "T")


def _without_g(node: ast.expr) -> ast.expr | None:
    """Return an expression with 1 in place of `g`, by which `g` is multiplied; None if it is not."""
    match node:
        case ast.Name(id="g"):
            return _ONE
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if _has_g(left) != _has_g(right):
            inner = _without_g(left if _has_g(left) else right)
            other = right if _has_g(left) else left
            if inner is None:
                return None
            if _is_one(inner):
                return other
            if isinstance(inner, ast.Constant) and inner.value == -1:
                return ast.UnaryOp(ast.USub(), other)
            first, second = (inner, other) if _has_g(left) else (other, inner)
            return ast.BinOp(first, ast.Mult(), second)
        case ast.BinOp(left=left, op=ast.Div(), right=right) if _has_g(left) and not _has_g(right):
            inner = _without_g(left)
            return None if inner is None else ast.BinOp(inner, ast.Div(), right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _without_g(operand)
            if inner is None:
                return None
            return ast.Constant(-1) if _is_one(inner) else ast.UnaryOp(ast.USub(), inner)
        case ast.Call(func=ast.Name(id="where"), args=[condition, one, other]) if not _has_g(condition):
            branches = [_branch(one), _branch(other)]
            if None in branches:
                return None
            return ast.Call(ast.Name("where"), [condition, *(b for b in branches if b is not None)], [])
        case ast.Call(func=ast.Attribute(value=owner, attr="masked_fill"), args=[mask, value]):
            inner = _without_g(owner)
            if inner is None or _has_g(mask) or _has_g(value):
                return None
            return ast.Call(ast.Name("where"), [mask, value, inner], [])
        case ast.Call(func=ast.Attribute(value=owner, attr="expand"), args=[shape]) if _has_g(owner):
            return ast.Call(ast.Name("ones"), [shape], []) if _is_g_with_dims(owner) else None
        case _:
            return None


def _is_g_with_dims(node: ast.expr) -> bool:
    """Return whether an expression is `g`, or `g` with dims of size 1 put in."""
    match node:
        case ast.Name(id="g"):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="g"), attr="unsqueeze")):
            return True
        case ast.Call(func=ast.Name(id="unsqueeze"), args=[ast.Name(id="g"), _]):
            return True
        case _:
            return False


def _upstream(tree: ast.expr) -> str:
    """Return the text of what is expanded in an expression; `g` if nothing is."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="expand")):
                return ast.unparse(owner)
    return "g"


def _branch(node: ast.expr) -> ast.expr | None:
    """Return a branch of `where` without `g`; a constant 0 stays."""
    if not _has_g(node):
        return node if isinstance(node, ast.Constant) and node.value == 0 else None
    return _without_g(node)


def _has_g(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "g" for part in ast.walk(node))


def _is_g(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "g"


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1
