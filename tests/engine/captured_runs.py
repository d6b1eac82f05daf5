"""A script run by itself up to a round, and its captured loop, in comparable terms."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradstep.capture.capture import capture
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.scripts.local_modules import folder_on_path
from gradstep.scripts.source_reader import read_source


@dataclass
class Run:
    """What a script has come to."""

    values: dict[str, Any]
    losses: list[Any]
    printed: list[str]
    randoms: tuple[Any, ...]


class _Enough(BaseException):
    pass


def seed() -> None:
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def by_itself(path: Path, file: str, line: int, rounds: int, once: bool = False) -> Run:
    """Run a script with Python until a line of a file is reached once more than there are rounds.

    If `once` is true, run until the function or module of the line is left.
    """
    seed()
    main = ModuleType("__main__")
    main.__dict__.update(__file__=str(path))
    reached: list[FrameType] = []
    result: list[Run] = []

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and frame.f_lineno == line:
            reached.append(frame)
            if len(reached) == rounds + 1 and not once:
                take(frame)
                raise _Enough
        if event == "return" and once and frame in reached:
            take(frame)
        return local

    def take(frame: FrameType) -> None:
        names = {**frame.f_globals, **frame.f_locals}
        result.append(Run(values_of(names), list(losses), out.getvalue().splitlines(), randoms()))

    def trace(frame: FrameType, event: str, _: object) -> Any:
        is_inner = frame.f_code.co_name.startswith("<") and frame.f_code.co_name != "<module>"
        return local if frame.f_code.co_filename == file and not is_inner else None

    out = StringIO()
    source = read_source(path)
    ours = sys.argv, sys.modules["__main__"]
    with losses_of() as losses, folder_on_path(source), redirect_stdout(out):
        sys.argv, sys.modules["__main__"] = [str(path)], main
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            exec(compile(source.text, str(path), "exec", dont_inherit=True), main.__dict__)
        except (_Enough, SystemExit):
            pass
        finally:
            sys.settrace(before)
            sys.argv, sys.modules["__main__"] = ours
    assert result, f"only {len(reached)} rounds"
    return result[0]


def captured(path: Path, *arguments: str) -> CapturedLoop:
    seed()
    return capture(read_source(path), arguments)


def state_of(loop: CapturedLoop, losses: list[Any]) -> Run:
    return Run(values_of(loop.names), list(losses), list(loop.printed.lines), randoms())


def randoms() -> tuple[Any, ...]:
    return torch.get_rng_state(), repr(np.random.get_state()), random.getstate()


@contextmanager
def losses_of() -> Iterator[list[Any]]:
    """Yield the numbers of what each backward pass begins with."""
    found: list[Any] = []

    def seen(made: ComingPass) -> None:
        if made.accumulates:
            found.append([output.detach().clone() for output in made.outputs])

    with watched(seen):
        yield found


def values_of(names: dict[str, Any] | Any) -> dict[str, Any]:
    """Return all tensors, numbers and texts that names lead to, by their paths."""
    found: dict[str, Any] = {}
    seen: dict[int, Any] = {}  # with the objects, whose ids might otherwise be given to others

    def take(name: str, value: Any) -> None:
        if isinstance(value, int | float | str | bool | type(None)):
            found[name] = value
        elif id(value) in seen or isinstance(value, type | ModuleType | asyncio.Queue | asyncio.Future):
            return
        elif isinstance(value, Tensor):
            seen[id(value)] = value
            found[name] = value.detach().clone()
            if value.is_leaf:
                take(f"{name}.grad", value.grad)
        elif isinstance(value, nn.Module):
            for inner, part in (*value.named_parameters(), *value.named_buffers()):
                take(f"{name}.{inner}", part)
            found[f"{name}.training"] = value.training
        elif isinstance(value, list | tuple):
            for index, part in enumerate(value):
                take(f"{name}[{index}]", part)
        elif isinstance(value, dict):
            for key, part in value.items():
                take(f"{name}[{key!r}]", part)
        elif isinstance(value, torch.optim.Optimizer):
            take(f"{name}.state", list(value.state.values()))
            take(
                f"{name}.groups", [{k: v for k, v in g.items() if k != "params"} for g in value.param_groups]
            )
        elif type(value).__module__ not in ("builtins", "torch", "numpy"):
            seen[id(value)] = value
            take(name, {k: v for k, v in getattr(value, "__dict__", {}).items() if k[:2] != "__"})

    for name, value in names.items():
        if not name.startswith("__"):
            take(name, value)
    return found


def differences(first: Any, second: Any, at: str = "") -> list[str]:
    """Return where two runs differ."""
    if isinstance(first, Run):
        parts = ("values", "losses", "printed", "randoms")
        return [d for part in parts for d in differences(getattr(first, part), getattr(second, part), part)]
    if isinstance(first, dict):
        gone = [f"{at} {key} only in one" for key in first.keys() ^ second.keys()]
        return gone + [
            d for k in first.keys() & second.keys() for d in differences(first[k], second[k], f"{at} {k}")
        ]
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        if len(first) != len(second):
            return [f"{at}: {len(first)} and {len(second)}"]
        return [
            d
            for i, (a, b) in enumerate(zip(first, second, strict=True))
            for d in differences(a, b, f"{at}[{i}]")
        ]
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return [] if torch.equal(first, second) else [f"{at} differs"]
    return [] if first == second or (first != first and second != second) else [f"{at}: {first} and {second}"]
