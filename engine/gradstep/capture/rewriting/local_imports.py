"""Modules beside a script, which may hold its loop: instrumented as they are imported."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source
from types import CodeType, ModuleType

Compile = Callable[[str, str, str], CodeType]
"""Returns the code of a text, from a file, for a module of a name."""


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, compiled: Compile) -> None:
        super().__init__(name, path)
        self._compiled = compiled

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the instrumented code; the code that Python keeps in its cache is not."""
        return self._compiled(decode_source(self.get_data(self.path)), self.path, fullname)


class _Finder:
    def __init__(self, folder: str, compiled: Compile) -> None:
        self._folder, self._compiled = folder + os.sep, compiled

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not self._is_local(spec):
            return None  # found again, by the finders that come after this one
        assert spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._compiled)
        return spec

    def _is_local(self, spec: ModuleSpec) -> bool:
        file = spec.origin or ""
        installed = "site-packages" in file or file.startswith(
            (sys.prefix + os.sep, sys.base_prefix + os.sep)
        )
        is_text = isinstance(spec.loader, SourceFileLoader)
        return is_text and os.path.abspath(file).startswith(self._folder) and not installed


def imported_trees(tree: ast.AST, folder: str) -> list[ast.AST]:
    """Return the trees of the modules in a folder that a file imports, and of those that they import."""
    found: dict[str, ast.AST] = {}
    waiting = [tree]
    while waiting:
        for path in _imported_files(waiting.pop(), folder):
            if path in found:
                continue
            try:
                with tokenize.open(path) as opened:
                    found[path] = ast.parse(opened.read())
            except (OSError, SyntaxError, ValueError):  # Python tells when the file is imported
                continue
            waiting.append(found[path])
    return list(found.values())


def _imported_files(tree: ast.AST, folder: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            names = [package, *(f"{package}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            base = os.path.join(folder, *name.split("."))
            yield from filter(os.path.isfile, (f"{base}.py", os.path.join(base, "__init__.py")))


@contextmanager
def instrumented_imports(folder: str, compiled: Compile) -> Iterator[None]:
    """Have modules and packages in a folder compiled by `compiled`, inside the `with` block."""
    finder = _Finder(folder, compiled)
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
