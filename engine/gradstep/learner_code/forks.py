"""Copies that the learner's code makes of the process by `os.fork`."""

from __future__ import annotations

import os
import sys
from collections.abc import Container
from typing import Final
from weakref import WeakSet


class ForkWatch:
    """Notes that code of some modules calls `os.fork` itself.

    Libraries that do so, such as `multiprocessing`, have their copies only call a function.
    """

    def __init__(self, modules: Container[str]) -> None:
        """Watch the modules with these names from now on."""
        self._modules = modules
        self.has_forked = False
        """Whether a module has called `os.fork`."""

        _watches.add(self)

    def look(self, module: str) -> None:
        """Take note that a module has called `os.fork`."""
        self.has_forked |= module in self._modules


def _forked() -> None:
    caller = sys._getframe(1)
    for watch in list(_watches):
        watch.look(caller.f_globals.get("__name__", ""))


_watches: Final[WeakSet[ForkWatch]] = WeakSet()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_forked)
