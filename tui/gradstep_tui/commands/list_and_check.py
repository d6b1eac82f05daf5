"""`gradstep list` and `gradstep check`: describe problems without training them."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from gradstep import problems
from gradstep.errors import EngineError
from gradstep.opening import open_session
from gradstep.scripts.script_errors import ScriptError
from gradstep.start import Start, start_from
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.loop_check import LoopCheck, check_loop, has_loop, printed_texts
from gradstep_tui.commands.loop_report import exact, object_json
from gradstep_tui.commands.option_hints import option_hint
from gradstep_tui.commands.parsers import CHECK, LIST, complain_of
from gradstep_tui.commands.start_options import start_of
from gradstep_tui.session.script_start import running_title, told_while_running
from gradstep_tui.text.scripts.obstacles import obstacle_text, worded
from gradstep_tui.text.settings import optimizer_title

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.capture.obstacles import NotCaptured
    from gradstep.problem import Problem

INTERRUPTED: Final = 130
"""Exit code after ctrl+c."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A problem that can be chosen."""

    name: str
    idea: str
    """Short text on the lesson of the problem, or on its origin."""

    start: Start | None
    """Start of its session; None to ask for a file."""


ANOTHER_FILE: Final = Listed(
    "your own file", "Asks for the path of a script (.py), a notebook (.ipynb) or a table (.csv).", None
)
"""Choice of a file that is not in the list."""


def listed(own: Start | None = None) -> list[Listed]:
    """Return the problems to choose from: the learner's own file, if there is one, then the built-in ones."""
    built_in = [Listed(name, problems.idea_of(name), Start(name)) for name in problems.all_names()]
    if own is None:
        return built_in
    kind = "script" if own.table is None else "CSV file"
    return [Listed(own.title, f"your {kind}, {own.problem}", replace(own, digest=None)), *built_in]


def listed_texts(own: Start | None = None) -> list[str]:
    """Return a line for each problem to choose from."""
    found = listed(own)
    wide = max(len(problem.name) for problem in found)
    return [f"{problem.name:<{wide}}  {problem.idea}" for problem in found]


def start_named(name: str, own: Start | None = None) -> Start:
    """Return the start for a name.

    Args:
        name: Name of the learner's own problem or of a built-in problem, or the path of a script.
        own: Start of the learner's own file; None if there is none.

    Raises:
        BadInput: there is no such problem; the message lists the known problems and the closest match.
    """
    return replace(own, digest=None) if own is not None and name == own.title else start_from(name)


def list_problems() -> int:
    """Print the built-in problems, each with its idea, and return the exit code."""
    return _print(listed_texts(), LIST)


def check_problem(options: Namespace) -> int:
    """Print what is found in a script or a table, or what is wrong with it, and return the exit code."""
    no_loop: NotCaptured | None = None
    try:
        start = start_of(options)
        with told_while_running(running_title(start)):
            if has_loop(start):
                checked = check_loop(start, as_json=options.json)
                if isinstance(checked, LoopCheck):
                    print(*checked.errors, sep="\n", end="\n" * bool(checked.errors), file=sys.stderr)
                    return _print(checked.lines, CHECK) or checked.code
                no_loop = checked
            problem = cast("Problem", open_session(start).problem)  # the script has no loop of its own
    except ScriptError as error:
        more = "" if no_loop is None else f"No loop to step: {obstacle_text(no_loop)}."
        print(*filter(None, [*worded(error).lines, option_hint(error), more]), sep="\n", file=sys.stderr)
        return 2
    except EngineError as error:
        return complain_of(error, CHECK)
    except KeyboardInterrupt:
        return INTERRUPTED
    return _print([found_json(start.problem, problem)] if options.json else found_texts(problem), CHECK)


def found_texts(problem: Problem) -> Iterator[str]:
    """Yield lines that describe the parts of a problem."""
    words = problem.reference_loop().statements[0].lines
    spelling = problem.spelling
    assert spelling is not None
    yield f"problem        {problem.name}"
    yield f"inputs         {spelling.inputs}, {size_text(problem.inputs)}"
    yield f"targets        {spelling.targets}, {size_text(problem.targets)}"
    yield f"model          {spelling.model}, {_kind(problem.model)}"
    yield f"loss function  {spelling.loss_in_script}, {_kind(problem.loss_fn)}"
    numbers = sum(tensor.numel() for tensor in problem.parameters.values())
    yield f"parameters     {len(problem.parameters)}, {numbers:,} number{'s' * (numbers != 1)} in all"
    wide = max(map(len, problem.parameters))
    for name, tensor in problem.parameters.items():
        count = tensor.numel()
        yield f"  {name:<{wide}}  {size_text(tensor)}, {count:,} number{'s' * (count != 1)}"
    if problem.buffers:
        yield f"buffers        {', '.join(problem.buffers)}: changed by each forward pass, restored by undo"
    yield f"optimizer      {optimizer_title(problem.optimizer)}"
    yield f"learning rate  {problem.learning_rate:g}"
    yield f"first loss     {problem.first_loss}"
    yield f"the loop       {'; '.join(words)}"
    yield from (f"note: {note}" for note in problem.notes)
    yield from printed_texts(problem.printed)


def found_json(file: str, problem: Problem) -> str:
    """Return one JSON object that describes the parts of a problem without a loop of its own.

    Args:
        file: Path of the problem's file, or name of a built-in problem.
        problem: The problem.

    Returns:
        An object with the keys of `gradstep_tui.commands.loop_report`, and `problem` with "name", "inputs",
        "targets", "model", "loss_function", "parameters" (shapes by name), "optimizer",
        "learning_rate" and "notes".
    """
    spelling = problem.spelling
    assert spelling is not None
    parts = {
        "name": problem.name,
        "inputs": spelling.inputs,
        "targets": spelling.targets,
        "model": spelling.model,
        "loss_function": spelling.loss_in_script,
        "parameters": {name: list(tensor.shape) for name, tensor in problem.parameters.items()},
        "optimizer": optimizer_title(problem.optimizer),
        "learning_rate": problem.learning_rate,
        "notes": list(problem.notes),
    }
    return object_json(file, first_loss=exact(problem.first_loss), problem=parts)


def size_text(tensor: Tensor) -> str:
    """Return a tensor's shape and dtype as text, e.g. `(5, 3) float32`."""
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
