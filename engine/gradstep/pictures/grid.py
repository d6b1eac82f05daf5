"""Points on a rectangular grid."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""Array of float64, of any shape."""


def grid_points(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return every pair of two axes' values, shape `(len(second) * len(first), 2)`.

    Args:
        first: Values of the first axis, which varies fastest.
        second: Values of the second axis.
    """
    across, up = np.meshgrid(first, second)
    return np.stack([across.reshape(-1), up.reshape(-1)], axis=1)
