"""What a benchmark gives, and the table that it becomes."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = "| what | measured | bound | holds |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement and its bound."""

    what: str
    measured: float
    bound: float
    unit: str = ""
    """Of both numbers; empty for a ratio."""

    at_least: bool = False
    """Whether the bound is the least that is wanted, not the most."""

    @property
    def holds(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def __str__(self) -> str:
        side = "at least" if self.at_least else "at most"
        verdict = "yes" if self.holds else "**no**"
        measured, bound = self._written(self.measured), self._written(self.bound, bare=True)
        return f"| {self.what} | {measured} | {side} {bound} | {verdict} |"

    def _written(self, value: float, *, bare: bool = False) -> str:
        if not self.unit:
            return f"{value:g}" if bare else f"{value:.2f}"
        return f"{value:,g} {self.unit}" if bare else f"{value:,.{0 if value >= 100 else 1}f} {self.unit}"
