"""A learner's script draws the random numbers in an export that it drew here, though it seeds nothing."""

from __future__ import annotations

import ast
from typing import Final

LINES: Final = ("import torch", "torch.manual_seed(0)  # as before the script ran here")
OTHERS: Final = {
    "random": ("import random", "random.seed(0)  # the same"),
    "numpy": ("import numpy", "numpy.random.seed(0)  # the same"),
}
"""For modules that have random numbers of their own, where the script imports them."""


def seeded(text: str) -> str:
    """Give a script that begins with the seed that a session begins with.

    Its docstring and its imports from `__future__`, which have to come first, stay there.
    """
    lines, after, tree = text.split("\n"), 0, ast.parse(text)
    for place, statement in enumerate(tree.body):
        match statement:
            case ast.Expr(value=ast.Constant(value=str())) if place == 0:
                after = statement.end_lineno or 0
            case ast.ImportFrom(module="__future__"):
                after = statement.end_lineno or 0
            case _:
                break
    others = (line for name, added in OTHERS.items() if name in _imported(tree) for line in added)
    return "\n".join([*lines[:after], *LINES, *others, *lines[after:]])


def _imported(tree: ast.Module) -> set[str]:
    """Give the modules that a script imports, without what they are part of."""
    names = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=several):
                names |= {one.name for one in several}
            case ast.ImportFrom(module=str(module)):
                names.add(module)
    return {name.partition(".")[0] for name in names}
