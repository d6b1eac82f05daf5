"""Random numbers that are not PyTorch's: those of Python's `random`, and of `numpy.random`.

They begin as PyTorch's do, so that a session repeats them. Undo does not put them back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def seed_others(seed: int) -> None:
    """Seed both."""
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def others_kept() -> Iterator[list[str]]:
    """Put both back afterwards; the list then names the modules whose numbers were drawn meanwhile."""
    drawn = list[str]()
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield drawn
    finally:
        drawn += ["random"] * (random.getstate() != python)
        drawn += ["numpy.random"] * (not _same(np.random.get_state(), numpy))
        random.setstate(python)
        np.random.set_state(numpy)


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # each holds an array, which has no == of its own
