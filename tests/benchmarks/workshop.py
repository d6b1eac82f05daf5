"""A workshop under load: how soon one is in and a key shows, what a learner weighs, what the board costs."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from statistics import mean, median, quantiles
from typing import Final

from tests.benchmarks.classroom import COLUMNS, READY, ROWS, Class, Client, Server, private, processor
from tests.benchmarks.table import Row

EVENTS: Final = 11
"""Of a backward pass of `crops`."""

STEPS: Final = (
    ("f", b"next: back"),
    *(("s", f"in backward {number}".encode()) for number in range(1, EVENTS)),
    ("s", b"next: update"),
    ("u", b"next: zero"),
    ("z", b"next: forward"),
)
"""An epoch by hand, and what is written of the status line after each key: up to what stays the same."""

_names = (f"learner{number}" for number in count(1))


def rows(quick: bool) -> Iterator[Row]:
    """Everything, from one learner to two hundred."""
    server = Server()
    try:
        yield from _join_rows(server, quick)
        for learners, seconds, most, pause in ((30, 20, (30, 60), 1.0), (100, 20, (40, 150), 1.0)):
            if not (quick and learners > 30):
                yield from _typing_rows(server, learners, seconds, most, pause)
        if not quick:
            yield from _full_rows(server)
    finally:
        server.stop()
    if not quick:
        server = Server()
        try:
            yield from _board_rows(server)
        finally:
            server.stop()


def _take(number: int) -> list[str]:
    return [next(_names) for _ in range(number)]


def _join_rows(server: Server, quick: bool) -> Iterator[Row]:
    first, again, sizes = [], [], []
    for _ in range(3 if quick else 7):
        room = Class()
        first += room.seat(server, _take(1))
        (learner,) = room.clients
        room.leave()
        time.sleep(0.5)
        room = Class()
        (learner,) = room.join(server, [learner.name], learner.resume_code)
        again.append(room.wait([learner], lambda one: READY in one.output)[learner] - learner.began)
        room.settle(1.0)
        sizes.append(len(learner.output))
        room.leave()
    yield Row(
        "workshop: a first login to its first frame (the resume code), median",
        1000 * median(first),
        300,
        "ms",
    )
    yield Row(
        "workshop: a later login to its first frame (the bench), median", 1000 * median(again), 300, "ms"
    )
    yield Row(
        f"workshop: output up to the bench at {COLUMNS}x{ROWS}, and a second longer",
        max(sizes) / 1000,
        60,
        "kB",
    )
    room = Class()
    last = max(room.seat(server, _take(30)))
    room.leave()
    yield Row("workshop: 30 joining at once, the last first frame", last, 3, "s")
    time.sleep(1)


def _typing_rows(
    server: Server, learners: int, seconds: float, most: tuple[float, float], pause: float
) -> Iterator[Row]:
    room = Class()
    room.seat(server, _take(learners), per_second=10)
    times, sizes = _type(room, seconds, pause)
    what = f"workshop: key to redraw, {learners} learners, a key each {pause:.0f} s"
    yield Row(f"{what}, median", 1000 * median(times), most[0], "ms")
    yield Row(f"{what}, 99th percentile", 1000 * quantiles(times, n=100)[98], most[1], "ms")
    if learners == 30:
        yield Row("workshop: output of a key, largest", max(sizes) / 1000, 4, "kB")
        weights = [private(pid) for pid in server.benches()]
        yield Row("workshop: private memory of a learner, mean", mean(weights) / 1e6, 25, "MB")
    room.leave()
    time.sleep(2)


def _full_rows(server: Server) -> Iterator[Row]:
    room = Class()
    room.seat(server, _take(200), per_second=10)
    times, _ = _type(room, 30, 3.0)
    what = "workshop: 200 learners, a key each 3 s"
    yield Row(f"{what}, key to redraw, 99th percentile", 1000 * quantiles(times, n=100)[98], 150, "ms")
    weights = [private(pid) for pid in server.benches()]
    yield Row(f"{what}, private memory of all", sum(weights) / 1e9, 5, "GB")
    room.leave()
    time.sleep(3)


def _board_rows(server: Server) -> Iterator[Row]:
    room = Class()
    room.seat(server, _take(100), per_second=10)
    learners = [*room.clients]
    (teacher,) = room.join(server, ["teacher"], server.instructor_code)
    room.settle(3)
    teacher.type("\r/epochs\r")  # shows only who did what has that word in it
    room.settle(2)
    delays = []
    for number, client in enumerate(random.sample(learners, 10), 2):
        teacher.output.clear()
        pressed = client.type(f"r{number}\r")
        times = room.wait([teacher], lambda one, wanted=b"run %d epochs" % number: wanted in one.output)
        delays.append(times[teacher] - pressed)
    teacher.type("/\x7f\x7f\x7f\x7f\x7f\x7f\r")  # all of them again
    room.settle(2)
    yield Row("workshop: the board shows an action, 100 learners, largest", max(delays), 1, "s")
    bench = server.bench(teacher.name)
    before, began = processor(bench), time.monotonic()
    _type(room, 20, 1.0, learners)
    share = 100 * (processor(bench) - before) / (time.monotonic() - began)
    yield Row("workshop: the board's process while 100 learners type, share of a core", share, 5, "%")
    room.leave()


def _type(
    room: Class, seconds: float, pause: float, clients: list[Client] | None = None
) -> tuple[list[float], list[int]]:
    """Have everybody press a key now and then; give the seconds to each redraw, and the bytes."""
    everybody = room.clients if clients is None else clients
    at = dict.fromkeys(everybody, 0)
    pressed: dict[Client, float] = {}
    times, sizes = [], []
    now = time.perf_counter()
    due = deque(sorted((now + random.random() * pause, number) for number in range(len(everybody))))
    until = now + seconds
    while (now := time.perf_counter()) < until or pressed:
        if now > until + 30:
            raise RuntimeError(f"{len(pressed)} keys were not answered")
        while due and due[0][0] <= now < until:
            when, number = due.popleft()
            client = everybody[number]
            if client not in pressed:
                pressed[client] = client.type(STEPS[at[client] % len(STEPS)][0])
            due.append((when + pause, number))
        for client, shown in room.read(max(min(due[0][0] - now, 0.05), 0) if due else 0.05):
            wanted = STEPS[at.get(client, 0) % len(STEPS)][1]
            if client in pressed and wanted in client.output:
                times.append(shown - pressed.pop(client))
                sizes.append(len(client.output))
                at[client] += 1
    return times, sizes
