"""Runs a learner's script as Python would, up to the first `backward` inside a loop."""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import os
import threading
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import torch

from gradstep.autograd.expression_text import remember_code
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import watched
from gradstep.capture.handover import Handover, Ignored, Report
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.obstacles import Abandoned, Fact, NotCaptured, Noticed, Obstacle
from gradstep.capture.process_view import MAIN, ProcessView
from gradstep.capture.random_states import random_states, set_random_states
from gradstep.capture.rewriting.instrumentation import instrumented, with_flags
from gradstep.capture.rewriting.leads import Leads
from gradstep.capture.rewriting.local_imports import imported_trees, instrumented_imports
from gradstep.capture.search.lone_passes import LonePass
from gradstep.capture.search.missed import LoopKey, Missed
from gradstep.capture.sites import Site
from gradstep.captured_output import Printed
from gradstep.learner_code.forks import ForkWatch
from gradstep.learner_code.interruption import Interrupted
from gradstep.learner_code.places import place_of, remember_script
from gradstep.scripts.local_modules import folder_on_path
from gradstep.scripts.notebooks import ipython_shell
from gradstep.scripts.process_settings import (
    default_device_given_back,
    set_settings,
    settings_now,
)
from gradstep.scripts.source import ScriptSource

PATIENCE: Final = 2.0
"""Seconds that a script has to end after it was asked to, before it is left alone."""

_ENDED: Final = (Obstacle.NO_BACKWARD, Obstacle.NO_LOOP, Obstacle.RAISED, Obstacle.EXITED)
"""Reasons for which a script is run again if it was seen to train otherwise than by `backward` in a loop."""

FEEDER: Final = "QueueFeederThread"
"""Name of the threads of `multiprocessing`'s queues, which a DataLoader with workers has."""

_numbers: Final = itertools.count(1)


def capture(
    source: ScriptSource,
    arguments: Sequence[str] = (),
    stopped: Callable[[], bool] = lambda: False,
    printed: Printed | None = None,
    folder: Path | None = None,
) -> CapturedLoop:
    """Run a script or a notebook up to its first `backward` inside a loop, and return that loop.

    The loop is at the begin of the round in which the `backward` stands: nothing has been updated, and what
    the round had changed before is put back.

    Args:
        source: Text of the script.
        arguments: The script's own arguments, without its name.
        stopped: Polled meanwhile; return True to stop the script.
        printed: Buffer for what the script prints; None for a new one.
        folder: Folder in which the script runs; None for the present one.

    Raises:
        NotCaptured: the script has no such loop, or cannot be run.
        Abandoned: the script was stopped.
    """
    return _captured(source, arguments, printed or Printed(), stopped, None, folder)


def capture_function(
    function: Callable[[], object],
    stopped: Callable[[], bool] = lambda: False,
    printed: Printed | None = None,
) -> CapturedLoop:
    """Call a function, which is in a file, and return its loop; as `capture` does for a script.

    Only loops of the function itself are found, not those of the functions that it calls.
    """
    file = inspect.getsourcefile(function) or ""
    source = ScriptSource(Path(file), "".join(inspect.findsource(function)[0]))
    return _captured(source, (), printed or Printed(), stopped, function)


def _captured(
    source: ScriptSource,
    arguments: Sequence[str],
    printed: Printed,
    stopped: Callable[[], bool],
    function: Callable[[], object] | None,
    folder: Path | None = None,
) -> CapturedLoop:
    """Run a script; a second time if it trains otherwise than by `backward` in a loop."""
    states, settings, mark = random_states(), settings_now(), printed.mark()
    wanted, runs = _Wanted(), 0
    while True:
        attempt = _Capture(source, arguments, printed, wanted, folder)
        runs += 1
        try:
            loop = attempt.run(stopped, function)
            loop.runs = runs
            return loop
        except NotCaptured as found:
            more = attempt.wanted(found.reason)
            if more is None:
                raise
        wanted = more
        set_random_states(states)
        set_settings(settings)
        printed.back_to(mark)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for besides a `backward` inside a loop."""

    takes_grad: bool = False
    """Whether a loop around `torch.autograd.grad` counts."""

    lone: LonePass | None = None
    """A pass outside of any loop whose statements are a loop of one round; None if none is known yet."""

    loops: frozenset[LoopKey] = frozenset()
    """Loops that are watched whatever their texts tell."""

    missed: Missed | None = None
    """What the run before missed."""


class _Capture:
    """One run of one script."""

    def __init__(
        self,
        source: ScriptSource,
        arguments: Sequence[str],
        printed: Printed,
        wanted: _Wanted,
        folder: Path | None = None,
    ) -> None:
        self._source, self._printed, self._wanted = source, printed, wanted
        self._main = main = ModuleType(MAIN)
        file = os.path.abspath(source.path)
        main.__file__ = file
        main.__loader__ = SourceFileLoader(MAIN, file)
        main.__dict__["__builtins__"] = builtins
        if source.is_notebook:
            main.__dict__["display"] = print
        self._folder = os.path.dirname(file)
        self._sites: list[Site] = []
        self._leads = Leads()
        self._own = {MAIN}
        self._modules: dict[str, str] = {}
        self._handover = Handover(f"gradstep {source.path.name}")
        self._hooks = Hooks(self._sites, self._handover, self._own, printed)
        self._hooks.search.missed_before = wanted.missed
        self._hooks.search.budget.only = None if wanted.missed is None else wanted.missed.start
        self._name = f"__gradstep_{next(_numbers)}__"
        self._view = ProcessView(main, (str(source.path), *arguments), self._folder, printed)
        self._view.directory = None if folder is None else str(folder)
        self._started_in = os.getcwd() if folder is None else str(folder)
        self._settings: dict[Fact, str] = {}
        self._forks = ForkWatch(self._own)

    def run(self, stopped: Callable[[], bool], function: Callable[[], object] | None = None) -> CapturedLoop:
        """Run the script, whose text is shown from now on if it has a loop; else the text before stays."""
        with self._source.remembered():
            return self._run(stopped, function)

    def _run(self, stopped: Callable[[], bool], function: Callable[[], object] | None) -> CapturedLoop:
        try:
            code = self._compiled(self._source.text, str(self._source.path))
        except (SyntaxError, ValueError) as error:
            raise NotCaptured(Obstacle.UNREADABLE, error) from error
        setattr(builtins, self._name, self._hooks)
        if function is None:
            work: Callable[[], object] = lambda: ipython_shell.run(code, self._main.__dict__)  # noqa: E731
        else:
            work = _from(code, function)
        report = self._until_parked(work, stopped)
        if not report.parked:
            delattr(builtins, self._name)
            raise self._reason(report, stopped)
        loop = CapturedLoop(self._sites, self._hooks, self._handover, self._view, self._printed)
        loop.first_facts += self._noticed()
        loop.modules = dict(self._modules)
        loop.started_in = self._started_in
        loop.forks = self._forks
        return loop

    def wanted(self, reason: Obstacle) -> _Wanted | None:
        """Return what a second run can open at, after the first found no loop; None if there is nothing."""
        hooks, now = self._hooks, self._wanted
        if hooks.loop.chain or reason not in _ENDED:
            return None
        if hooks.search.missed is not None:
            return replace(now, loops=now.loops | hooks.search.missed.loops, missed=hooks.search.missed)
        if now.takes_grad or now.lone is not None:
            return None
        if hooks.search.is_grad_in_loop:
            return replace(now, takes_grad=True)
        return None if hooks.search.lone is None else replace(now, lone=hooks.search.lone)

    def _until_parked(self, work: Callable[[], object], stopped: Callable[[], bool]) -> Report:
        self._threads = set(threading.enumerate())
        process = os.getpid()

        def script() -> None:
            self._settings = _settings()
            try:
                with default_device_given_back():
                    work()
                self._hooks.ended(None)
            except BaseException as error:
                self._hooks.ended(error)
                raise
            finally:
                if os.getpid() != process:
                    os._exit(0)  # a copy that the script made of the process: nothing of it is ours

        with (
            folder_on_path(self._source),
            instrumented_imports(self._folder, self._module),
            watched(self._hooks.seen),
            self._view.entered(),
        ):
            try:
                return self._handover.begin(script, stopped, PATIENCE)
            except Ignored:
                raise Abandoned(self._source.path) from None

    def _module(self, text: str, file: str, name: str) -> CodeType:
        remember_script(file)
        self._own.add(name)
        self._modules[file] = text
        return self._compiled(text, file)

    def _compiled(self, text: str, file: str) -> CodeType:
        tree = ast.parse(text, file)
        self._leads.add(tree)
        for beside in imported_trees(tree, self._folder):
            self._leads.add(beside)
        wanted, leads = self._wanted, self._leads
        block = wanted.lone.lines if wanted.lone is not None and wanted.lone.file == file else None
        forced = {line for path, line in wanted.loops if path == file}
        made = instrumented(
            tree, text, file, self._name, len(self._sites), leads, block, wanted.lone is None, forced
        )
        self._hooks.search.takes_grad = wanted.takes_grad or not leads.mention_backward()
        self._sites += made.sites
        self._hooks.loop.tries[file] = made.tries
        is_cells = self._source.is_notebook and file == str(self._source.path)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if is_cells else 0
        code: CodeType = compile(made.tree, file, "exec", flags, dont_inherit=True)
        with_flags(code, made.sites)
        remember_code(code, text.splitlines(keepends=True))
        return code

    def _reason(self, report: Report, stopped: Callable[[], bool]) -> Exception:
        error = report.error
        if isinstance(error, Interrupted):
            return Abandoned(self._source.path)
        if isinstance(error, NotCaptured):
            return error
        if error is None:
            place = self._hooks.search.before[0] if self._hooks.search.before else None
            no_loop = Obstacle.NO_BACKWARD if place is None else Obstacle.NO_LOOP
            return NotCaptured(no_loop, None, place, self._noticed(is_parked=False))
        reason = Obstacle.EXITED if isinstance(error, SystemExit) else Obstacle.RAISED
        return NotCaptured(reason, error, place_of(error), self._noticed(is_parked=False))

    def _noticed(self, *, is_parked: bool = True) -> tuple[Noticed, ...]:
        """Return what is particular about the script; a thread that is not parked answers no question."""
        found = [Noticed(Fact.BACKWARD_BEFORE, str(place)) for place in self._hooks.search.before]
        if self._view.directory is not None:
            found.append(Noticed(Fact.CHANGED_FOLDER, self._view.directory))
        found += [Noticed(Fact.REPLACED_STREAM, name) for name in self._view.streams]
        script = self._handover.thread
        more = [
            t
            for t in threading.enumerate()
            if t not in self._threads and t is not script and t.name != FEEDER
        ]
        if more:
            found.append(Noticed(Fact.STARTED_THREADS, str(len(more))))
        if is_parked and script is not None and self._hooks.loop.chain:
            now = self._handover.ask(_settings)
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


def _from(code: CodeType, function: Callable[[], object]) -> Callable[[], object]:
    """Return a function as it is in the instrumented code of its file."""
    plain: Any = inspect.unwrap(function)
    bound = plain.__self__ if isinstance(plain, types.MethodType) else None
    plain = plain.__func__ if bound is not None else plain
    wanted = plain.__code__
    found = next(
        made
        for made in _codes(code)
        if made.co_qualname == wanted.co_qualname and made.co_firstlineno == wanted.co_firstlineno
    )
    cells = dict(zip(wanted.co_freevars, plain.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in found.co_freevars)
    made = FunctionType(found, plain.__globals__, plain.__name__, plain.__defaults__, closure)
    made.__kwdefaults__ = plain.__kwdefaults__
    return made if bound is None else lambda: made(bound)


def _codes(code: CodeType) -> list[CodeType]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *(part for one in inner for part in _codes(one))]
