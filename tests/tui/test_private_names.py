"""Private names of other libraries are reached through one module per library, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from gradstep import torch_internals
from gradstep_tui.terminal import textual_internals
from gradstep_tui.workshop.server.access import asyncssh_internals

ROOT: Final = Path(__file__).parents[2]
DOORS: Final = (torch_internals, textual_internals, asyncssh_internals)
SOURCES: Final = sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")])
OUTSIDE: Final = [path for path in SOURCES if str(path) not in {door.__file__ for door in DOORS}]

OF_PYTHON: Final = {
    *("_getframe", "_exit", "_replace"),
    *("_get_running_loop", "_set_running_loop", "_enter_task", "_leave_task"),
}
"""Names that Python documents, whatever they begin with: of `sys`, `os`, `asyncio` and named tuples."""

TOO_COMMON: Final = {
    "__call__",
    "apply",
    "data_received",
    "getincrementaldecoder",
    "parse",
    "selectors",
    "variable",
}
"""Names in the tables that other things have as well."""

GUARDED: Final = {name.attribute for door in DOORS for name in door.NAMES} - TOO_COMMON


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name.isidentifier() and len(name) > 1


def defined(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a file makes itself."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store(), value=ast.Name(id="self" | "cls")):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of whatever a file looks up by name in something else."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                yield node.lineno, name
            case ast.Constant(value=str(name)):  # as for `getattr`
                yield node.lineno, name
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if not module.startswith("gradstep"):
                    parts = [*module.split("."), *(alias.name for alias in names)]
                    yield from ((node.lineno, part) for part in parts)
            case ast.Import(names=names):
                yield from ((node.lineno, part) for alias in names for part in alias.name.split("."))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def leaks(tree: ast.AST, own: set[str]) -> list[str]:
    return [
        f"line {line}: {name}"
        for line, name in used(tree)
        if name in GUARDED or (is_private(name) and name not in own | OF_PYTHON)
    ]


@cache
def our_own() -> set[str]:
    return {name for path in OUTSIDE for name in defined(parsed(path))} - GUARDED


def test_no_module_but_the_doors_reaches_anything_private_of_another_library() -> None:
    found = {str(path.relative_to(ROOT)): leaks(parsed(path), our_own()) for path in OUTSIDE}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "tensor._version",
        "from torch.utils._pytree import tree_map",
        "getattr(node, '_saved_self')",
        "self._chan.write(b'')",
        "torch._C._functions",
        "from torch.autograd.function import BackwardCFunction",
        "import torch._dynamo",
        "screen.stack_updates",
        "portalocker._locks",
    ],
)
def test_a_new_leak_is_found(line: str) -> None:
    assert leaks(ast.parse(line), our_own())
