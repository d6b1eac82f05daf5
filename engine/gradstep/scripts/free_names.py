"""Global names that a script's functions need after it has run, so that nothing else may use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from symtable import SymbolTable, symtable


def needed_names(text: str, trained: Iterable[str]) -> frozenset[str]:
    """Return the global names that a script's functions use, and those of its trained objects.

    Args:
        text: Text of the script.
        trained: Expressions for parts of the problem: `w`, `layers[0]`, `0.weight`.
    """
    leading = (re.match(r"\w+", name) for name in trained)
    own = (found[0] for found in leading if found is not None)
    return frozenset([*own, *_globals_inside(symtable(text, "script", "exec"))])


def _globals_inside(table: SymbolTable) -> Iterator[str]:
    for inner in table.get_children():
        yield from (symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global())
        yield from _globals_inside(inner)
