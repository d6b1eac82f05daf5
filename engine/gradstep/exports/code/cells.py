"""What an export is made of, whatever kind of file it becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """Something that was done: told in words, as plain PyTorch, and as assertions of what was then shown."""

    title: str
    """Empty where no words are needed."""

    words: str = ""
    code: tuple[str, ...] = ()
    """Lines of Python."""

    checks: tuple[str, ...] = ()
    """Lines of Python that stop where a number is not the one that was shown."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines of Python."""
        return self.code + self.checks
