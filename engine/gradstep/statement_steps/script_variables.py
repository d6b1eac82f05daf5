"""Variables that a statement of a script assigned and used, and copies of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from gradstep.training.snapshots import VariableValue

MOST_NUMBERS: Final = 10_000
"""Largest tensor that is copied; of a larger one, only its shape is kept."""

MOST_VARIABLES: Final = 24
"""Largest number of variables of one statement that are kept."""

LONGEST: Final = 60
"""Largest number of characters of a text that are kept."""


class StatementNames(NamedTuple):
    """Names that a statement binds, and names that it only reads, each in the order of the text."""

    assigned: tuple[str, ...]
    used: tuple[str, ...]


NO_NAMES: Final = StatementNames((), ())


@lru_cache(maxsize=256)
def names_in(text: str) -> StatementNames:
    """Return the names that a statement assigns and uses; none if it cannot be parsed by itself.

    Names inside of functions and classes that it defines are left out.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return NO_NAMES
    found = sorted(_names(tree), key=lambda name: (name.lineno, name.col_offset))
    assigned = dict.fromkeys(name.id for name in found if isinstance(name.ctx, ast.Store))
    used = dict.fromkeys(name.id for name in found if isinstance(name.ctx, ast.Load))
    return StatementNames(tuple(assigned), tuple(name for name in used if name not in assigned))


def _names(node: ast.AST) -> Iterable[ast.Name]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Name):
            yield child
        yield from _names(child)


def copies_of(
    names: StatementNames, values: Mapping[str, Any], known: Mapping[str, VariableValue]
) -> dict[str, VariableValue]:
    """Return copies of the variables of a statement that has run: tensors, numbers and texts.

    Args:
        names: Names of the statement; those that stand for nothing now are left out.
        values: What the names of the script stand for now.
        known: Variables of earlier statements of the round.
    """
    found = dict[str, VariableValue]()
    for name in (*names.assigned, *names.used)[:MOST_VARIABLES]:
        value = values.get(name)
        is_assigned = name in names.assigned
        if name not in values or (not is_assigned and not isinstance(value, Tensor | int | float)):
            continue
        made_from = names.used if is_assigned else known[name].made_from if name in known else ()
        found[name] = _copy(name, value, made_from)
    return found


def _copy(name: str, value: Any, made_from: tuple[str, ...]) -> VariableValue:
    if isinstance(value, Tensor):
        return _tensor_copy(name, value, made_from)
    kept: float | str | None = None
    if isinstance(value, int | float):
        kept = value
    elif isinstance(value, str):
        kept = value[:LONGEST]
    return VariableValue(name, kept, kind=type(value).__name__, made_from=made_from)


def _tensor_copy(name: str, value: Tensor, made_from: tuple[str, ...]) -> VariableValue:
    tensor = value.detach()
    readable = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    kept = tensor.clone() if readable and tensor.numel() <= MOST_NUMBERS else None
    return VariableValue(
        name=name,
        value=kept,
        shape=tuple(tensor.shape),
        kind=str(tensor.dtype).removeprefix("torch."),
        has_graph=value.requires_grad,
        made_from=made_from,
    )
