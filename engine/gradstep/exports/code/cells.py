"""The unit of an export, whatever kind of file it is written to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One action of a session, in words, as plain PyTorch, and as assertions of the numbers then shown."""

    title: str
    """Heading; empty for a cell without one."""

    words: str = ""
    """Explanation below the heading, in whole sentences."""

    code: tuple[str, ...] = ()
    """Lines of Python that do the action."""

    checks: tuple[str, ...] = ()
    """Lines of Python that raise an error if a number differs from the one that the session showed."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines of Python: the code, then the assertions."""
        return self.code + self.checks
