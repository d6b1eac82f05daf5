"""Servers that the tests share, because each takes a few seconds to load PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workshop.workshop_server import Server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A workshop with room for everybody. Each test uses names of its own."""
    folder = tmp_path_factory.mktemp("instructors")
    server = Server(keys=folder, delay=0.2)
    yield server
    server.close()


@pytest.fixture(scope="session")
def narrow() -> Iterator[Server]:
    """A workshop with low limits, which tests reach. Each test leaves it empty."""
    server = Server(
        *("--max-learners", "2"),
        connections=10,
        per_address=4,
        strangers=4,
        exchange=1.5,
        login=1.5,
        unused=1.5,
        idle=3.0,
        keepalive=0.3,
    )
    yield server
    server.close()
