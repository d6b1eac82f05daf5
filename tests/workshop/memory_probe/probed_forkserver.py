"""A forkserver whose processes write their environment to a file on SIGUSR1, and crash on SIGUSR2.

After SIGRTMIN the next action never ends, and after SIGRTMIN + 1 it holds the interpreter's lock as well.
"""

import ctypes
import json
import os
import signal
from pathlib import Path

from gradstep_tui.workshop.bench.forkserver import main

__all__ = ["main"]

_NAMES = ("LD_PRELOAD", "TEXTUAL_DRIVER", "TEXTUAL_LOG", "PYTHONPATH", "PATH", "HOME", "TERM", "BROWSER")


def _tell(*_):
    get = ctypes.CDLL(None).getenv
    get.restype = ctypes.c_char_p
    found = {name: value for name in _NAMES if (value := get(name.encode()))}
    environment = {"python": dict(os.environ), "c": {name: value.decode() for name, value in found.items()}}
    part = Path(__file__).parent / f".{os.getpid()}"
    part.write_text(json.dumps(environment), encoding="ascii")
    part.rename(Path(__file__).parent / f"{os.getpid()}.json")


def _endless(*_):
    while True:
        pass


def _endless_with_the_lock(*_):
    sum(range(10**12))


def _next_action(never_ends):
    def patch(*_):
        from gradstep.learner_code.interruption import interruptible
        from gradstep.session import Session

        def apply(*_):
            (Path(__file__).parent / f"{os.getpid()}.began").touch()
            interruptible(never_ends)

        Session.apply = apply

    return patch


signal.signal(signal.SIGRTMIN, _next_action(_endless))
signal.signal(signal.SIGRTMIN + 1, _next_action(_endless_with_the_lock))
signal.signal(signal.SIGUSR1, _tell)
signal.signal(signal.SIGUSR2, lambda *_: 1 / 0)
