"""What a script does to the process, and to PyTorch, on the way to its loop."""

from __future__ import annotations

import threading
from typing import Final

import torch

from gradstep.capture.handover import Handover
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.obstacles import Fact, Noticed
from gradstep.capture.process_view import ProcessView

FEEDER: Final = "QueueFeederThread"
"""Name of the threads of `multiprocessing`'s queues, which a DataLoader with workers has."""


class FirstFacts:
    """Threads and settings before a script began, to tell later what it has changed."""

    def __init__(self) -> None:
        """Take note of the threads that run."""
        self._threads = set(threading.enumerate())
        self._settings: dict[Fact, str] = {}

    def begin(self) -> None:
        """Take note of the settings of the calling thread, which is the script's."""
        self._settings = _settings()

    def noticed(
        self, hooks: Hooks, view: ProcessView, handover: Handover, *, is_parked: bool = True
    ) -> tuple[Noticed, ...]:
        """Return what is particular about the script; a thread that is not parked answers no question."""
        found = [Noticed(Fact.BACKWARD_BEFORE, str(place)) for place in hooks.search.before]
        if view.directory is not None:
            found.append(Noticed(Fact.CHANGED_FOLDER, view.directory))
        found += [Noticed(Fact.REPLACED_STREAM, name) for name in view.streams]
        known = {*self._threads, handover.thread}
        more = [t for t in threading.enumerate() if t not in known and t.name != FEEDER]
        if more:
            found.append(Noticed(Fact.STARTED_THREADS, str(len(more))))
        if is_parked and handover.thread is not None and hooks.loop.chain:
            now = handover.ask(_settings)
            found += [Noticed(fact, now[fact]) for fact in now if now[fact] != self._settings[fact]]
        return tuple(found)


def _settings() -> dict[Fact, str]:
    """Return PyTorch's settings as this thread has them."""
    return {
        Fact.SET_DTYPE: str(torch.get_default_dtype()).removeprefix("torch."),
        Fact.SET_DEVICE: str(torch.get_default_device()),
        Fact.SET_THREADS: str(torch.get_num_threads()),
        Fact.SET_GRAD_MODE: str(torch.is_grad_enabled()),
    }
