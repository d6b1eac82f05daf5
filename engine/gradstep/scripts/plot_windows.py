"""Lets a script draw with matplotlib without a window, which would wait for somebody to close it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final

HEADLESS: Final = "agg"
"""matplotlib's backend that draws into memory; its `plt.show()` returns at once."""

_VARIABLE: Final = "MPLBACKEND"


@contextmanager
def without_plot_windows() -> Iterator[None]:
    """Have every backend that a script chooses in the `with` block be one without windows."""
    before, finder = os.environ.get(_VARIABLE), _Finder()
    loaded: Any = sys.modules.get("matplotlib")
    chosen = None if loaded is None else loaded.use
    os.environ[_VARIABLE] = HEADLESS
    sys.meta_path.insert(0, finder)
    if loaded is not None:
        _tame(loaded)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if loaded is not None:
            loaded.use = chosen
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before


class _Finder(MetaPathFinder):
    """Finds matplotlib as Python does, and changes how it chooses a backend as soon as it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in ("matplotlib", "matplotlib.pyplot"):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Tamed(spec.loader)
        return spec


class _Tamed(Loader):
    """Loader that hands everything on to another, and changes the module when it is loaded."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _tame(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _tame(module: Any) -> None:
    if module.__name__ == "matplotlib":
        use = module.use
        module.use = lambda backend="", **options: use(HEADLESS)
        return
    switch, show = module.switch_backend, module.show

    def shown(*arguments: Any, **options: Any) -> Any:
        switch(HEADLESS)  # the settings may name another by now
        return show(*arguments, **options)

    module.switch_backend = lambda newbackend="": switch(HEADLESS)
    module.show = shown
