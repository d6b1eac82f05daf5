"""What saving costs the one who acts, and how fast a long session comes back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.saving.reader import SavedSession, read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.keys import BY_NAME
from tests.benchmarks.long_session import EPOCH
from tests.benchmarks.notebook import IMPORT_TORCH
from tests.benchmarks.table import Row

LONG = 10_000
"""Actions of the long session."""


def writing_rows(quick: bool) -> Iterator[Row]:
    """Act with and without a writer, by turns: the difference also holds what the other thread takes away."""
    plain, saved, written = list[float](), list[float](), list[float]()
    for _ in range(3 if quick else 10):
        plain += _times(lambda writer: None, save=False)
        saved += _times(lambda writer: None)
        written += _times(lambda writer: writer.flush())
    yield Row(
        "saving an action, on the acting thread, median", 1000 * (median(saved) - median(plain)), 1, "ms"
    )
    cost = 1000 * (median(written) - median(plain))
    yield Row("the same and waiting until it survives a kill, median", cost, 1, "ms")


def replay_rows(quick: bool) -> Iterator[Row]:
    """Read and replay a long session, by turns with the baseline."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "session.jsonl")
        _save_long(path)
        reads, replays, imports = list[float](), list[float](), list[float]()
        for _ in range(2 if quick else 5):
            imports.append(_seconds(_import_torch))
            reads.append(_seconds(lambda: read_session_file(path)))
            saved = read_session_file(path)
            replays.append(_seconds(lambda saved=saved: _replay(saved)))
    baseline = median(imports)
    for what, times, bound in (("reading", reads, 0.1), ("replaying", replays, 2.0)):
        yield Row(f"{what} {LONG:,} actions / `python -c '{IMPORT_TORCH}'`", median(times) / baseline, bound)


def _actions(count: int) -> Iterator[Action]:
    """Epochs by hand: every action changes the session."""
    for key in islice(cycle(EPOCH), count):
        action = BY_NAME["upper_s" if key == "S" else key].action
        assert action is not None
        yield action()


def _times(wait: Callable[[SessionWriter], object], *, save: bool = True) -> list[float]:
    """Give the seconds that each action of a session took; a learner's pause lies between two."""
    times = []
    with TemporaryDirectory() as folder:
        session, writer = _begun(Path(folder, "session.jsonl"))
        for action in _actions(160):
            start = time.perf_counter()
            session.apply(action)
            if save:
                writer.did(action, session.state)
                wait(writer)
            times.append(time.perf_counter() - start)
            time.sleep(0.001)
        writer.close()
    return times


def _begun(path: Path) -> tuple[Session, SessionWriter]:
    session = open_session(Start())
    writer = SessionWriter.new([path], Start())
    writer.follow(session)
    return session, writer


def _save_long(path: Path) -> None:
    session, writer = _begun(path)
    for action in _actions(LONG):
        with suppress(EngineError):
            session.apply(action)
        writer.did(action, session.state)
    assert writer.close(60), writer.trouble
    assert len(read_session_file(path).actions) == LONG


def _replay(saved: SavedSession) -> None:
    assert replay(saved).mismatch is None, "the bits differ"


def _import_torch() -> None:
    subprocess.run([sys.executable, "-c", IMPORT_TORCH], check=True)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
