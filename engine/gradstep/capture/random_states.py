"""States of the random generators of torch, numpy and `random`, which belong to the process."""

from __future__ import annotations

import ctypes
import random
from typing import Any, Final, TypeAlias

import numpy as np
import torch

RandomStates: TypeAlias = tuple[Any, ...]
"""States of the generators of torch, numpy and `random`."""

RandomMarks: TypeAlias = tuple[Any, ...]
"""What tells states apart, and takes a tenth of the time to read."""

MT19937_BYTES: Final = 624 * 4 + 4
"""Size of the state of numpy's legacy generator: 624 words and a position."""


def random_states() -> RandomStates:
    """Return the states of the random generators of torch, numpy and `random`."""
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def set_random_states(states: RandomStates) -> None:
    """Set the states of the random generators of torch, numpy and `random`."""
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])


def random_marks() -> RandomMarks:
    """Return what tells the present states from others."""
    return torch.get_rng_state(), _numpy_mark(), random.getstate()


def same_marks(marks: RandomMarks, others: RandomMarks) -> bool:
    """Return whether two marks are those of the same states."""
    return marks[1:] == others[1:] and torch.equal(marks[0], others[0])


def _numpy_mark() -> bytes:
    generator: Any = np.random.get_bit_generator()  # type: ignore[attr-defined]
    if type(generator) is not np.random.MT19937:
        return repr(generator.state).encode()
    return ctypes.string_at(generator.ctypes.state_address, MT19937_BYTES)
