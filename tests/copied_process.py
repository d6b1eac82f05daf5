"""The process of which `tests.preloaded` makes copies: it loads PyTorch and Textual, and forks.

`python tests/copied_process.py DESCRIPTOR` takes commands from that socket until it is closed.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NoReturn


def _serve(line: socket.socket) -> None:
    """Start a copy for each command that arrives, and tell its end, until the line is closed."""
    running: dict[int, socket.socket] = {}
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    woken.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    while True:
        ready, _, _ = select.select([line, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ended(running)
        if line in ready:
            head, descriptors, _, _ = socket.recv_fds(line, 4, 4)
            if not head:
                return
            request = json.loads(line.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
            child = os.fork()
            if child == 0:
                try:
                    _become(request, descriptors)
                finally:
                    os._exit(1)
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            running[child] = socket.socket(fileno=descriptors[3])
            with suppress(OSError):
                running[child].sendall(child.to_bytes(4, "big"))


def _tell_ended(running: dict[int, socket.socket]) -> None:
    for child in [*running]:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with running.pop(child) as told, suppress(OSError):  # nobody may wait for it any more
                told.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def _become(request: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Run a command in this process, as Python does, and end with its exit code."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request["in_terminal"]:
        os.setsid()
    for stream in range(3):
        os.dup2(descriptors[stream], stream)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if request["in_terminal"]:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.stdin = sys.__stdin__ = _opened(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _opened(1, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _opened(2, "w", "backslashreplace")  # type: ignore[misc]
    os._exit(_code_of(request["command"]))


def _opened(number: int, mode: str, errors: str) -> IO[str]:
    buffering = 1 if number == 2 or os.isatty(number) else -1
    return open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)


def _code_of(command: list[str]) -> int:
    """Run a command, and return the exit code with which Python would end."""
    code: object = 0
    try:
        _run(command)
    except SystemExit as ended:
        code = ended.code
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120  # as Python says it
    return (code or 0) & 0xFF


def _run(command: list[str]) -> None:
    python = [] if command[0] == sys.executable else [sys.executable]
    sys.orig_argv[:] = [*python, *command]
    sys.argv[:] = sys.orig_argv[1:]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = ["", *(os.path.abspath(path) for path in paths if path)]
    if sys.argv[0] in ("-B", "-I"):
        raise ValueError(f"{sys.argv[0]}: an option that Python reads when it starts")
    if sys.argv[0] == "-m":
        import runpy

        sys.path[0] = os.getcwd()
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    if sys.argv[0] == "-c":
        text, name = sys.argv.pop(1), "<string>"
    else:
        name = sys.argv[0]
        sys.path[0], text = str(Path(name).resolve().parent), Path(name).read_text(encoding="utf-8")
        main.__file__ = name
    exec(compile(text, name, "exec", dont_inherit=True), main.__dict__)


def _load() -> None:
    import gc

    import textual.app
    import torch

    assert torch.Tensor
    assert textual.app.App
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
