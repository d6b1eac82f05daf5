"""Statements that leave their round, or the frame that they run in."""

from __future__ import annotations

import ast
from typing import Final

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

_LEAVING: Final = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)


def leaves_frame(node: ast.AST) -> bool:
    """Return whether a piece of code holds a `yield` or an `await` of the function around it."""
    if isinstance(node, _FUNCTIONS):
        return False
    is_it = isinstance(node, _LEAVING) or (isinstance(node, ast.comprehension) and bool(node.is_async))
    return is_it or any(map(leaves_frame, ast.iter_child_nodes(node)))


def yields(node: ast.AST) -> bool:
    """Return whether a piece of code holds a `yield` of the function around it."""
    if isinstance(node, _FUNCTIONS):
        return False
    return isinstance(node, ast.Yield | ast.YieldFrom) or any(map(yields, ast.iter_child_nodes(node)))


def alone(node: ast.stmt) -> ast.stmt:
    """Return a statement with a `break` for each `continue` of the loop around it, as both end it alone.

    The statement is changed; a hook before each tells which it was.
    """
    made: ast.stmt = _Unlooped().visit(node)
    return made


class _Unlooped(ast.NodeTransformer):
    def visit_Continue(self, node: ast.Continue) -> ast.AST:
        return ast.copy_location(ast.Break(), node)

    def _loop(self, node: ast.For | ast.While | ast.AsyncFor) -> ast.AST:
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    visit_For = visit_While = visit_AsyncFor = _loop  # noqa: N815
    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _as_it_is  # noqa: N815
