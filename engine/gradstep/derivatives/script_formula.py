"""Formulas of the table of derivatives in the script's names: `other` becomes `diff`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

_NUMBERED: Final = re.compile(r"\b([A-Za-z_]\w*)((?:\.\d+)+)")
"""Name of a module's part by its number, e.g. `net.2`, which is no Python."""

_PART: Final = "gradstep_part_"
"""Stands before a number that is written as a name."""


def in_names(formula: str, names: Mapping[str, str]) -> str:
    """Return a formula with every name replaced that has another one, e.g. `2 * diff` for `2 * self`."""
    return _replaced(formula, tuple(sorted(names.items())))


@cache
def _replaced(formula: str, names: tuple[tuple[str, str], ...]) -> str:
    parsed: dict[str, ast.expr] = {}
    for name, text in names:
        try:
            parsed[name] = ast.parse(_numbered_as_names(text), mode="eval").body
        except (SyntaxError, ValueError):
            continue
    tree = ast.parse(formula, mode="eval")
    return ast.unparse(_Renamer(parsed).visit(tree)).replace(f".{_PART}", ".")


def _numbered_as_names(text: str) -> str:
    return _NUMBERED.sub(lambda found: found[1] + found[2].replace(".", f".{_PART}"), text)


class _Renamer(ast.NodeTransformer):
    """Puts expressions in place of names; parentheses come by themselves when the tree is written out."""

    def __init__(self, texts: Mapping[str, ast.expr]) -> None:
        self._texts = texts

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Return the node with other names; `w.t().T` is `w`, and `w.T.T`, too."""
        owner = self.visit(node.value)
        if node.attr == "T":
            match owner:
                case ast.Call(func=ast.Attribute(value=inner, attr="t"), args=[]):
                    return inner
                case ast.Attribute(value=inner, attr="T"):
                    return inner
        return ast.Attribute(owner, node.attr, ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._texts.get(node.id, node)
