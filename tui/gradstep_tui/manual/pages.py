"""The pages of the manual: Markdown files beside this module, read when somebody opens one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

INDEX: Final = "index"
"""Name of the page that lists all others."""

_ROW: Final = re.compile(r"^\| \[([a-z-]+)\]\(\1\.md\) \| (.+) \|$", flags=re.MULTILINE)
"""A row of a table of the index: the link to a page, and one sentence about it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the manual, as the index lists it."""

    name: str
    """Name of its file without `.md`, e.g. `time-travel`."""

    summary: str
    """Its contents in one sentence."""


@cache
def topics() -> Sequence[Topic]:
    """Return all topics in the order of the index."""
    return tuple(Topic(name, summary) for name, summary in _ROW.findall(page(INDEX)))


@cache
def page(name: str) -> str:
    """Return the Markdown text of a page: `index`, or the name of a topic."""
    return Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8")
