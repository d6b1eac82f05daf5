"""Which loops and functions of a file may lead to a `backward`, as far as names tell.

This decides only at the heads of which loops enough is remembered to go back there, which costs time. What is
stepped is decided by the `backward` that runs.
"""

from __future__ import annotations

import ast
from typing import Final

SEEDS: Final = frozenset({"backward", "grad", "step", "minimize"})
"""Names that a pass backwards begins with; `step` may be given a closure that begins it."""


class Leads:
    """Names that may lead to a `backward`, in all files of a script."""

    def __init__(self) -> None:
        """Begin without files."""
        self._mentions: dict[str, set[str]] = {}

    def add(self, tree: ast.AST) -> None:
        """Take the functions, classes and assignments of a file into account."""
        mentions = self._mentions
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                mentions.setdefault(node.name, set()).update(mentioned(node))
            elif isinstance(node, ast.Assign):
                for name in set().union(*map(mentioned, node.targets)):
                    mentions.setdefault(name, set()).update(mentioned(node.value))

    def names(self) -> set[str]:
        """Return the names whose meaning mentions `backward`, at once or through other names."""
        found = set(SEEDS)
        while True:
            more = {name for name, used in self._mentions.items() if name not in found and used & found}
            if not more:
                return found
            found |= more


def mentioned(node: ast.AST) -> set[str]:
    """Return the names and attributes that a piece of code mentions."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}
