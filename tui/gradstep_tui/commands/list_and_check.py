"""`gradstep list` and `gradstep check`: what can be trained, told without training it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gradstep import problems
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.scripts.script_errors import ScriptError
from gradstep.start import Start, start_from
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import CHECK, LIST, complain_of
from gradstep_tui.commands.start_options import start_of

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.problem import Problem

INTERRUPTED: Final = 130
"""Exit code."""

PRINTED: Final = 20
"""Lines that are told of what a script printed."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A problem that can be chosen."""

    name: str
    idea: str
    start: Start


def listed(own: Start | None = None) -> list[Listed]:
    """Give what there is to choose: the learner's own file, where there is one, and the built-in problems."""
    built_in = [Listed(name, problems.idea_of(name), Start(name)) for name in problems.names()]
    if own is None:
        return built_in
    kind = "script" if own.table is None else "CSV file"
    return [Listed(own.title, f"your {kind}, {own.problem}", replace(own, digest=None)), *built_in]


def listed_texts(own: Start | None = None) -> list[str]:
    """Write what there is to choose, a line each."""
    found = listed(own)
    wide = max(len(one.name) for one in found)
    return [f"{one.name:<{wide}}  {one.idea}" for one in found]


def start_named(name: str, own: Start | None = None) -> Start:
    """Give the start for a name: the learner's own file's, a built-in problem's, or a script's path.

    Raises:
        BadInput: there is no such problem; the message lists the known ones and the closest match.
    """
    return replace(own, digest=None) if own is not None and name == own.title else start_from(name)


def list_problems() -> int:
    """Print the built-in problems, each with its idea; gives the exit code."""
    return _print(listed_texts(), LIST)


def check_problem(options: Namespace) -> int:
    """Print what is found in a script or a table, or what is wrong with it; gives the exit code."""
    try:
        problem = open_session(start_of(options)).problem
    except ScriptError as error:
        print(*error.lines, sep="\n", file=sys.stderr)
        return 2
    except EngineError as error:
        return complain_of(error, CHECK)
    except KeyboardInterrupt:
        return INTERRUPTED
    return _print(found_texts(problem), CHECK)


def found_texts(problem: Problem) -> Iterator[str]:
    """Tell what a problem consists of."""
    words = problem.reference_loop().statements[0].lines
    spelling = problem.spelling
    assert spelling is not None
    yield f"problem        {problem.name}"
    yield f"inputs         {spelling.inputs}, {size_text(problem.inputs)}"
    yield f"targets        {spelling.targets}, {size_text(problem.targets)}"
    yield f"model          {spelling.model}, {_kind(problem.model)}"
    yield f"loss function  {spelling.loss_in_script}, {_kind(problem.loss_fn)}"
    numbers = sum(one.numel() for one in problem.parameters.values())
    yield f"parameters     {len(problem.parameters)}, {numbers:,} number{'s' * (numbers != 1)} in all"
    wide = max(map(len, problem.parameters))
    for name, one in problem.parameters.items():
        yield f"  {name:<{wide}}  {size_text(one)}, {one.numel():,} number{'s' * (one.numel() != 1)}"
    if problem.buffers:
        yield f"buffers        {', '.join(problem.buffers)}: they change in forward, and are undone with it"
    yield f"optimizer      {problem.optimizer.title}"
    yield f"learning rate  {problem.learning_rate:g}"
    yield f"first loss     {problem.first_loss}"
    yield f"the loop       {'; '.join(words)}"
    yield from (f"note: {note}" for note in problem.notes)
    printed = problem.printed.lines
    if printed:
        yield "the script printed:"
        if problem.printed.count > PRINTED:
            yield f"  {problem.printed.count - PRINTED:,} lines, and then"
        yield from (f"  {text}" for text in printed[-PRINTED:])


def size_text(tensor: Tensor) -> str:
    """Say a tensor's shape and dtype, e.g. `(5, 3) float32`."""
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _kind(part: object) -> str:
    kind = type(part).__name__
    return "a function" if kind in ("function", "builtin_function_or_method") else f"{kind}"


def _print(lines: Iterable[str], command: str) -> int:
    try:
        for text in lines:
            print(text, flush=True)
    except OSError as error:
        return stop_writing(error, command)
    return 0
