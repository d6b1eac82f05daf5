"""A script's own loop: the way to it, and its rounds, against the script by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from gradstep.capture.capture import capture
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.scripts.source_reader import read_source
from tests.benchmarks.table import Row

ROUNDS: Final = 3_000

LOOP: Final = """
import torch
from torch import nn
torch.manual_seed(0)
X = torch.randn(64, 8)
y = X.sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
for epoch in range(1_000_000):
    loss = ((model(X) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

PYTHON: Final = """
def words(n):
    found = {}
    for i in range(n):
        word = "w" + str(i * 7919 % 1009)
        found[word] = found.get(word, 0) + len(word)
        if i % 3 == 0:
            for k in range(2):
                found[word] += k
    return found
table, rows = words(2_500_000), []
for i in range(800_000):
    rows.append(sum([i % 7, i % 11, i % 13]))
"""

TENSORS: Final = """
import numpy as np
import torch
random = np.random.default_rng(0)
data = random.normal(size=(4000, 64))
for i in range(120):
    data = np.tanh(data @ random.normal(size=(64, 64)) / 8)
    data += 0.01 * random.normal(size=data.shape)
rows, best = torch.tensor(data), 0.0
for i in range(300_000):
    best = max(best, float(rows[i % 4000] @ rows[i % 4000]))
"""


def rows(quick: bool) -> Iterator[Row]:
    """Compare the processor time of whole ways of about two seconds, and of many rounds."""
    with TemporaryDirectory() as folder:
        for what, way in (("ordinary Python", PYTHON), ("numpy and torch", TENSORS)):
            path = _written(folder, way + LOOP)
            alone, ours = _least(2 if quick else 5, partial(_to_pass, path, 1), partial(_captured, path))
            yield Row(f"capture of a script after 2 s of {what} / the script alone", ours / alone, 1.1)
        path = _written(folder, LOOP)
        loop = capture(read_source(path))
        alone, ours = _least(3 if quick else 7, lambda: _to_pass(path, ROUNDS), lambda: loop.run(ROUNDS))
        yield Row(
            "rounds per second of a captured loop / of the script alone", alone / ours, 0.9, at_least=True
        )


def _written(folder: str, text: str) -> Path:
    path = Path(folder, "train.py")
    path.write_text(text, encoding="utf-8")
    return path


class _Enough(BaseException):
    pass


def _to_pass(path: Path, number: int) -> None:
    """Run a script by itself until it has begun as many passes."""
    passes = 0

    def seen(_: ComingPass) -> None:
        nonlocal passes
        passes += 1
        if passes == number:
            raise _Enough

    code = compile(path.read_text("utf-8"), str(path), "exec")
    with watched(seen):
        try:
            exec(code, {"__name__": "__main__"})
        except _Enough:
            return


def _captured(path: Path) -> None:
    capture(read_source(path))


def _least(repeats: int, *works: Callable[[], Any]) -> list[float]:
    """Return the least processor time of each function; they run by turns."""
    times = [[_seconds(work) for work in works] for _ in range(repeats)]
    return [min(column) for column in zip(*times, strict=True)]


def _seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
