"""A class for a while: logins, broken connections and killed benches at random. At the end nothing is left.

It takes half a minute, mostly of waiting; GRADSTEP_SOAK=3600 makes it an hour.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.classroom import READY, Class, Client, Server

SECONDS = float(os.environ.get("GRADSTEP_SOAK", "25"))

CODE = re.compile(rb"(?:\b|\[[0-9;]*m)([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})\b")  # maybe in bold
DONE = re.compile(rb"epochs done ([\d,]+)")
LEARNERS = 8

pytestmark = [pytest.mark.first, pytest.mark.timeout(2 * SECONDS + 120)]
needs_ssh = pytest.mark.skipif(
    shutil.which("ssh") is None and "CI" not in os.environ, reason="needs OpenSSH's client"
)


class Learner:
    """A learner who presses `e` again and again; counts the epochs that the screen shows as done."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.code: str | None = None
        """Resume code; None until the bench is shown, because the name is free until then."""

        self.shown = ""
        self.client: Client | None = None
        self.pressed = self.seen = 0
        self.waiting = False

    def look(self) -> None:
        """Read the resume code and the number of epochs from the output."""
        assert self.client is not None
        output = bytes(self.client.output)
        found = CODE.search(output)
        if not self.shown and found is not None:
            self.shown = found.group(1).decode()
            self.client.type("\r")
        elif self.shown and self.code is None and READY in output:
            self.code = self.shown
        for number in DONE.findall(output):
            self.seen = max(self.seen, int(number.replace(b",", b"")))
        if self.seen >= self.pressed:
            self.waiting = False


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(learners=20)
    yield server
    server.stop()


def files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return 1024 * int(found.group(1))


def drop(room: Class, learner: Learner) -> None:
    assert learner.client is not None
    learner.client.stop()
    room.clients.remove(learner.client)
    learner.client, learner.waiting = None, False
    learner.pressed = max(learner.pressed, learner.seen)


def join(room: Class, server: Server, learner: Learner) -> None:
    (learner.client,) = room.join(server, [learner.name], learner.code)


def everybody_gone(server: Server) -> bool:
    until = time.monotonic() + 20
    while server.benches() and time.monotonic() < until:
        time.sleep(0.1)
    return not server.benches()


def bustle(room: Class, server: Server, learners: list[Learner]) -> int:
    """Do random things for a while; return the server's resident bytes early on."""
    draw, early = random.Random(7), 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < SECONDS:
        if not early and passed > min(SECONDS / 4, 60):
            early = resident(server.pid)
        learner = draw.choice(learners)
        chance = draw.random()
        if learner.client is None:
            join(room, server, learner)
        elif learner.code is None:
            pass  # without the resume code, the learner could not log in again
        elif chance < 0.02:
            drop(room, learner)
        elif (
            chance < 0.04 and all(learner.code for learner in learners if learner.client) and server.benches()
        ):
            os.kill(draw.choice(server.benches()), 9)
        elif not learner.waiting:
            learner.pressed += 1
            learner.waiting = True
            learner.client.type("e")
        room.settle(0.1)
        for learner in learners:
            if learner.client is not None:
                learner.look()
                if learner.client.ended:  # its bench was killed
                    drop(room, learner)
    return early


@needs_ssh
def test_after_a_while_of_joins_drops_and_kills_nothing_is_left_over_and_nothing_is_lost(
    server: Server,
) -> None:
    room = Class()
    learners = [Learner(f"soak{number}") for number in range(LEARNERS)]
    early = bustle(room, server, learners)
    assert resident(server.pid) < early + 20_000_000
    for learner in learners:
        if learner.client is not None:
            drop(room, learner)
    assert everybody_gone(server)
    kept = files(server.pid), resident(server.pid), len(server.zombies())
    seen_before = {learner.name: learner.seen for learner in learners}
    for learner in learners:  # everybody continues: no epoch that was shown as done is lost
        learner.seen = 0
        join(room, server, learner)
    room.wait(
        [learner.client for learner in learners if learner.client],
        lambda client: DONE.search(client.output) is not None,
    )
    room.settle(1.0)
    for learner in learners:
        learner.look()
        assert seen_before[learner.name] <= learner.seen <= learner.pressed, learner.name
    for learner in [*learners]:
        drop(room, learner)
    assert everybody_gone(server)
    room.settle(0.5)
    assert files(server.pid) == kept[0]
    assert resident(server.pid) < kept[1] + 20_000_000
    assert not server.zombies()
    assert kept[2] == 0
