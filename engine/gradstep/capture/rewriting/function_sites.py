"""Functions and class bodies of a file, with the names that loops in them can use."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from gradstep.capture.rewriting.leaving import yields
from gradstep.capture.sites import FunctionSite

AnyFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class FunctionSites:
    """The functions and class bodies around the place that a walk through a file's tree has come to."""

    def __init__(self, text: str, file: str) -> None:
        """Begin at the top level of a file of a text."""
        self._tables = {(t.get_name(), t.get_lineno()): t for t in _tables(text, file)}
        self._around: list[FunctionSite] = []

    @property
    def innermost(self) -> FunctionSite | None:
        """The function or class body that the place is in; None at top level."""
        return self._around[-1] if self._around else None

    @contextmanager
    def inside(self, node: AnyFunction | ast.ClassDef) -> Iterator[None]:
        """Be in a function or a class body, inside the `with` block."""
        self._around.append(self._class(node) if isinstance(node, ast.ClassDef) else self._function(node))
        yield
        self._around.pop()

    def _qualified(self, name: str) -> str:
        if not self._around:
            return name
        around = self._around[-1]
        return f"{around.qualified}{'' if around.is_class else '.<locals>'}.{name}"

    def _class(self, node: ast.ClassDef) -> FunctionSite:
        return FunctionSite(node.name, self._qualified(node.name), (), (), "", node.name, True)

    def _function(self, node: AnyFunction) -> FunctionSite:
        table = self._tables[node.name, node.lineno]
        names = (*table.get_locals(), *table.get_frees())
        said = tuple(symbol.get_name() for symbol in table.get_symbols() if symbol.is_declared_global())
        first = (node.args.posonlyargs + node.args.args)[:1]
        owner = next((around.owner for around in reversed(self._around) if around.owner), "")
        return FunctionSite(
            name=node.name,
            qualified=self._qualified(node.name),
            names=tuple(name for name in dict.fromkeys(names) if name.isidentifier()),
            declared_global=said,
            first_parameter=first[0].arg if first else "",
            owner=owner,
            is_class=False,
            returns_value=isinstance(node, ast.FunctionDef) or not any(map(yields, node.body)),
        )


def _tables(text: str, file: str) -> list[symtable.Function]:
    found: list[symtable.Function] = []
    waiting = [symtable.symtable(text, file, "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        if isinstance(table, symtable.Function):
            found.append(table)
    return found
