"""Check that a model computes the same loss again; a model with hidden state of its own does not."""

from __future__ import annotations

import math


class Steady:
    """Comparison of losses that were computed twice from the same numbers."""

    def __init__(self) -> None:
        """Start without any comparison."""
        self.broken = False
        """Whether any loss was different the second time."""

    def look(self, found: float, known: float | None) -> None:
        """Compare a loss with the earlier loss of the same numbers; None if that is unknown."""
        same = found == known or known is None or (math.isnan(found) and math.isnan(known))
        self.broken |= not same
