"""A learner's script draws the random numbers in an export that it drew here, though it seeds nothing."""

from __future__ import annotations

import ast
from typing import Final

LINES: Final = ("import torch", "torch.manual_seed(0)  # as before the script ran here")


def seeded(text: str) -> str:
    """Give a script that begins with the seed that a session begins with.

    Its docstring and its imports from `__future__`, which have to come first, stay there.
    """
    lines, after = text.split("\n"), 0
    for place, statement in enumerate(ast.parse(text).body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str())) if place == 0:
                after = statement.end_lineno or 0
            case ast.ImportFrom(module="__future__"):
                after = statement.end_lineno or 0
            case _:
                break
    return "\n".join([*lines[:after], *LINES, *lines[after:]])
