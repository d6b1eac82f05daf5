"""The whole text of a script, as Python ran it."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class ScriptText:
    """A file of a script, or a built-in problem's file."""

    file: str
    """Path of the file, as Python reports it."""

    lines: tuple[str, ...]
    """All its lines, without the blanks at their ends."""


def script_text(file: str) -> ScriptText | None:
    """Return the text of a file; None if it is not known."""
    lines = linecache.getlines(file) if file else []
    return _text(file, tuple(lines)) if lines else None


@lru_cache(maxsize=4)
def _text(file: str, lines: tuple[str, ...]) -> ScriptText:
    return ScriptText(file, tuple(line.rstrip() for line in lines))
