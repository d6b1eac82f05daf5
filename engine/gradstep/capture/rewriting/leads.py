"""Which loops and functions of a file may lead to a `backward`, or to an update, as far as the text tells.

The first decides only at the heads of which loops enough is remembered to go back there, which costs time.
The second decides which of several loops around a `backward` is stepped, if the inner ones only add up.
"""

from __future__ import annotations

import ast
from typing import Final

SEEDS: Final = frozenset({"backward", "grad", "step", "minimize"})
"""Attributes and functions that a pass begins with; `step` may be given a closure that begins it."""

_UPDATES: Final = frozenset({"step", "minimize", "no_grad", "inference_mode", "set_grad_enabled", "data"})
"""Names that an update of parameters needs, besides methods that change a tensor in place."""

_NO_UPDATES: Final = frozenset({"zero_", "requires_grad_", "detach_", "retain_grad_"})


_MARKS: Final = frozenset(f".{name}" for name in SEEDS)
"""What `mentioned` gives for `SEEDS`, so that a variable named `step` is none of them."""


class Leads:
    """Names that may lead to a `backward` or to an update, in all files of a script."""

    def __init__(self) -> None:
        """Begin without files."""
        self._mentions: dict[str, set[str]] = {}
        self._functions: dict[str, list[ast.AST]] = {}
        self._all: set[str] = set()

    def add(self, tree: ast.AST) -> None:
        """Take the functions, classes and assignments of a file into account."""
        mentions = self._mentions
        self._all |= mentioned(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                mentions.setdefault(node.name, set()).update(mentioned(node))
                if not isinstance(node, ast.ClassDef):
                    self._functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Assign):
                for name in set().union(*map(mentioned, node.targets)):
                    mentions.setdefault(name, set()).update(mentioned(node.value))

    def names(self) -> set[str]:
        """Return the names whose meaning mentions `backward`, at once or through other names."""
        found = set[str]()
        while True:
            more = {
                name
                for name, used in self._mentions.items()
                if name not in found and (used & found or used & _MARKS)
            }
            if not more:
                return found
            found |= more

    def updating(self) -> set[str]:
        """Return the names of functions that may update parameters, by themselves or through others."""
        found = {name for name, nodes in self._functions.items() if any(map(_updates, nodes))}
        while True:
            more = {
                name
                for name, nodes in self._functions.items()
                if name not in found and any(called(node) & found for node in nodes)
            }
            if not more:
                return found
            found |= more

    def mention_backward(self) -> bool:
        """Return whether a file mentions `backward`."""
        return bool(self._all & {"backward", ".backward"})


def mentioned(node: ast.AST) -> set[str]:
    """Return the names and attributes that a piece of code mentions; `SEEDS` have a dot before them."""
    found = set[str]()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(f".{part.attr}" if part.attr in SEEDS else part.attr)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in SEEDS:
            found.add(f".{part.func.id}")
    return found


def may_lead(node: ast.AST, names: set[str]) -> bool:
    """Return whether a piece of code may lead to a pass; `names` are those that do."""
    used = mentioned(node)
    return bool(used & names or used & _MARKS)


def called(node: ast.AST) -> set[str]:
    """Return the names of the functions and methods that a piece of code calls."""
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}


def may_update(node: ast.AST, updating: set[str]) -> bool:
    """Return whether a piece of code may update parameters; `updating` are functions that do."""
    return _updates(node) or bool(called(node) & updating)


def _updates(node: ast.AST) -> bool:
    attributes = (part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute))
    return any(name in _UPDATES or _is_in_place(name) for name in attributes)


def _is_in_place(name: str) -> bool:
    is_clip = name.startswith("clip_grad")
    return name.endswith("_") and name[-2:] != "__" and not is_clip and name not in _NO_UPDATES
