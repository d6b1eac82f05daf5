"""Seeds a learner's script in an export, so that it draws the same random numbers as in gradstep."""

from __future__ import annotations

import ast
from typing import Final

from gradstep.exports.code.first_lines import last_first_line

LINES: Final = ("import torch", "torch.manual_seed(0)  # gradstep seeds torch before it runs a script")
OTHERS: Final = {
    "random": ("import random", "random.seed(0)  # and random"),
    "numpy": ("import numpy", "numpy.random.seed(0)  # and numpy"),
}
"""Lines that seed other modules' random numbers, by the module that a script must import to need them."""

IPYTHONS: Final = {
    "display": "display = print",
    "get_ipython": "from unittest.mock import MagicMock as get_ipython  # there is no IPython here",
}
"""Lines that define what only IPython defines, by the name."""


def seeded(text: str, *, notebook: bool = False) -> str:
    """Return a script with added lines that seed random numbers as a session does before it runs a script.

    To the text of a notebook, lines are added that define what IPython defines. The added lines follow the
    script's docstring and its imports from `__future__`, which have to come first.
    """
    lines, tree = text.split("\n"), ast.parse(text)
    after = last_first_line(tree)
    others = (line for name, added in OTHERS.items() if name in _imported(tree) for line in added)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if notebook else set[str]()
    ipythons = (line for name, line in IPYTHONS.items() if name in used)
    return "\n".join([*lines[:after], *LINES, *others, *ipythons, *lines[after:]])


def _imported(tree: ast.Module) -> set[str]:
    """Return the top-level names of the modules that a script imports."""
    names = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=several):
                names |= {alias.name for alias in several}
            case ast.ImportFrom(module=str(module)):
                names.add(module)
    return {name.partition(".")[0] for name in names}
