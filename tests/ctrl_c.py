"""Ctrl+c as a terminal sends it: a signal, which Python turns into a `KeyboardInterrupt`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def ctrl_c_ends_it() -> Iterator[None]:
    """Expect a `KeyboardInterrupt` to leave the `with` block, in which SIGINT interrupts Python."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGINT, before)


def press_ctrl_c() -> None:
    """Send SIGINT to this process."""
    signal.raise_signal(signal.SIGINT)
