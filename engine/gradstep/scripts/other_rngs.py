"""The random generators besides PyTorch's: those of Python's `random` and of `numpy.random`.

They are seeded as PyTorch's is, so that a session repeats their numbers. Undo does not restore them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def seed_others(seed: int) -> None:
    """Seed the generators of `random` and of `numpy.random`."""
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def others_kept() -> Iterator[list[str]]:
    """Restore the generators of `random` and `numpy.random` after the `with` block.

    Yields:
        A list that is empty until the block ends, then names the modules whose numbers were drawn in it.
    """
    drawn = list[str]()
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield drawn
    finally:
        drawn += ["random"] * (random.getstate() != python)
        drawn += ["numpy.random"] * (not _same(np.random.get_state(), numpy))
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def others_kept_if_it_fails() -> Iterator[None]:
    """Restore the generators of `random` and `numpy.random` if the `with` block raises."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    except BaseException:
        random.setstate(python)
        np.random.set_state(numpy)
        raise


def _same(before: object, after: object) -> bool:
    return repr(before) == repr(after)  # the states contain arrays, whose == is element-wise
