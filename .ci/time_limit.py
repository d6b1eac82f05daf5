"""A plugin of pytest that begins no test after a time, and notes those that it left out."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

_END = time.monotonic() + float(os.environ["GRADSTEP_UNTIL"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Leave a test out if the time is up."""
    if time.monotonic() < _END:
        return None
    with Path(os.environ["GRADSTEP_LEFT_OUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{item.nodeid}\n")
    return True
