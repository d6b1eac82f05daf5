"""Calls of hooks as pieces of a tree, each at the position of what it stands before or around."""

from __future__ import annotations

import ast


class HookCalls:
    """Makes calls of the hooks' object, which has a name that no script uses."""

    def __init__(self, hooks: str) -> None:
        """Make calls of the object of a name."""
        self._hooks = hooks

    def attribute(self, name: str) -> ast.Attribute:
        """Return an attribute of the hooks' object, without a position."""
        return ast.Attribute(ast.Name(self._hooks, ast.Load()), name, ast.Load())

    def call(self, hook: str, at: ast.AST, *arguments: ast.expr) -> ast.Call:
        """Return a call of a hook."""
        called = ast.copy_location(self.attribute(hook), at)
        return ast.copy_location(ast.Call(called, list(arguments), []), at)

    def statement(self, hook: str, at: ast.AST, number: int) -> ast.stmt:
        """Return a statement that calls a hook with the number of a loop."""
        return ast.copy_location(ast.Expr(self.call(hook, at, ast.Constant(number))), at)
