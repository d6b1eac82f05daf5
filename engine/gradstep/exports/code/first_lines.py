"""What has to come first in a script: its docstring and its imports from `__future__`."""

from __future__ import annotations

import ast


def last_first_line(tree: ast.Module) -> int:
    """Return the number of the last line of what has to come first, counted from 1; 0 if nothing has to."""
    last = 0
    for place, statement in enumerate(tree.body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str())) if place == 0:
                last = statement.end_lineno or 0
            case ast.ImportFrom(module="__future__"):
                last = statement.end_lineno or 0
            case _:
                break
    return last
