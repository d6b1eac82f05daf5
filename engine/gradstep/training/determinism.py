"""Whether a model gives the same loss for the same numbers: one that keeps something of its own does not."""

from __future__ import annotations

import math


class Steady:
    """Knows whether every loss that was computed again came out as it was."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.broken = False
        """Whether one did not."""

    def look(self, found: float, known: float | None) -> None:
        """Compare a loss with what the same numbers came to before; None where nobody knows."""
        same = found == known or known is None or (math.isnan(found) and math.isnan(known))
        self.broken |= not same
