"""The names that a script needs after it has run: what comes later must not use them for something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from symtable import SymbolTable, symtable


def needed_names(text: str, trained: Iterable[str]) -> frozenset[str]:
    """Give the global names that its functions use, and those of what is trained.

    Args:
        text: The script.
        trained: What it calls its parameters, modules and the rest: `w`, `layers[0]`, `0.weight`.
    """
    leading = (re.match(r"\w+", name) for name in trained)
    own = (found[0] for found in leading if found is not None)
    return frozenset([*own, *_globals_inside(symtable(text, "script", "exec"))])


def _globals_inside(table: SymbolTable) -> Iterator[str]:
    for inner in table.get_children():
        yield from (one.get_name() for one in inner.get_symbols() if one.is_global())
        yield from _globals_inside(inner)
