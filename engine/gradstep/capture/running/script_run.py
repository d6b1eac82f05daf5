"""One run of one script, up to its loop or to its end."""

from __future__ import annotations

import builtins
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Final

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import watched
from gradstep.capture.handover import Handover, Ignored, Report
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.obstacles import Abandoned, NotCaptured, Obstacle
from gradstep.capture.process_view import MAIN, ProcessView
from gradstep.capture.rewriting.local_imports import instrumented_imports
from gradstep.capture.running.first_facts import FirstFacts
from gradstep.capture.running.function_code import function_from
from gradstep.capture.running.instrumented_files import InstrumentedFiles
from gradstep.capture.search.wanted_passes import Wanted
from gradstep.capture.sites import Site
from gradstep.captured_output import Printed
from gradstep.learner_code.forks import ForkWatch
from gradstep.learner_code.interruption import Interrupted
from gradstep.learner_code.places import place_of
from gradstep.scripts.local_modules import folder_on_path
from gradstep.scripts.notebooks import ipython_shell
from gradstep.scripts.process_settings import default_device_given_back
from gradstep.scripts.source import ScriptSource

PATIENCE: Final = 2.0
"""Seconds that a script has to end after it was asked to, before it is left alone."""

_ENDED: Final = (Obstacle.NO_BACKWARD, Obstacle.NO_LOOP, Obstacle.RAISED, Obstacle.EXITED)
"""Reasons for which a script is run again if it was seen to train otherwise than by `backward` in a loop."""

_numbers: Final = itertools.count(1)


class ScriptRun:
    """One run of one script."""

    def __init__(
        self,
        source: ScriptSource,
        arguments: Sequence[str],
        printed: Printed,
        wanted: Wanted,
        folder: Path | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            source: Text of the script.
            arguments: The script's own arguments, without its name.
            printed: Buffer for what the script prints.
            wanted: What the run looks for.
            folder: Folder in which the script runs; None for the present one.
        """
        self._source, self._printed, self._wanted = source, printed, wanted
        self._main = _main_of(source)
        self._folder = os.path.dirname(os.path.abspath(source.path))
        self._sites: list[Site] = []
        own = {MAIN}
        self._handover = Handover(f"gradstep {source.path.name}")
        self._hooks = Hooks(self._sites, self._handover, own, printed)
        self._hooks.search.missed_before = wanted.missed
        self._hooks.search.budget.only = None if wanted.missed is None else wanted.missed.start
        self._name = f"__gradstep_{next(_numbers)}__"
        self._files = InstrumentedFiles(source, self._folder, wanted, self._sites, self._hooks, self._name)
        self._view = ProcessView(self._main, (str(source.path), *arguments), self._folder, printed)
        self._view.directory = None if folder is None else str(folder)
        self._started_in = os.getcwd() if folder is None else str(folder)
        self._forks = ForkWatch(own)

    def run(self, stopped: Callable[[], bool], function: Callable[[], object] | None = None) -> CapturedLoop:
        """Run the script, whose text is shown from now on if it has a loop; else the text before stays.

        Args:
            stopped: Polled meanwhile; return True to stop the script.
            function: Function of the file that is called in place of the script; None for the script.

        Raises:
            NotCaptured: the script has no such loop, or cannot be run.
            Abandoned: the script was stopped.
        """
        with self._source.remembered():
            return self._run(stopped, function)

    def _run(self, stopped: Callable[[], bool], function: Callable[[], object] | None) -> CapturedLoop:
        try:
            code = self._files.script()
        except (SyntaxError, ValueError) as error:
            raise NotCaptured(Obstacle.UNREADABLE, error) from error
        setattr(builtins, self._name, self._hooks)
        if function is None:
            work: Callable[[], object] = lambda: ipython_shell.run(code, self._main.__dict__)  # noqa: E731
        else:
            work = function_from(code, function)
        report = self._until_parked(work, stopped)
        if not report.parked:
            delattr(builtins, self._name)
            raise self._reason(report)
        loop = CapturedLoop(self._sites, self._hooks, self._handover, self._view, self._printed)
        loop.first_facts += self._facts.noticed(self._hooks, self._view, self._handover)
        loop.modules = dict(self._files.modules)
        loop.started_in = self._started_in
        loop.forks = self._forks
        return loop

    def wanted(self, reason: Obstacle) -> Wanted | None:
        """Return what a second run can open at, after the first found no loop; None if there is nothing."""
        search, now = self._hooks.search, self._wanted
        if self._hooks.loop.chain or reason not in _ENDED:
            return None
        if search.missed is not None:
            return replace(now, loops=now.loops | search.missed.loops, missed=search.missed)
        if now.takes_grad or now.lone is not None:
            return None
        if search.is_grad_in_loop:
            return replace(now, takes_grad=True)
        return None if search.lone is None else replace(now, lone=search.lone)

    def _until_parked(self, work: Callable[[], object], stopped: Callable[[], bool]) -> Report:
        self._facts = FirstFacts()
        process = os.getpid()

        def script() -> None:
            self._facts.begin()
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
            instrumented_imports(self._folder, self._files.module),
            watched(self._hooks.seen),
            self._view.entered(),
        ):
            try:
                return self._handover.begin(script, stopped, PATIENCE)
            except Ignored:
                raise Abandoned(self._source.path) from None

    def _reason(self, report: Report) -> Exception:
        """Return why the script has no loop, after it has ended."""
        error = report.error
        if isinstance(error, Interrupted):
            return Abandoned(self._source.path)
        if isinstance(error, NotCaptured):
            return error
        facts = self._facts.noticed(self._hooks, self._view, self._handover, is_parked=False)
        if error is None:
            before = self._hooks.search.before
            place = before[0] if before else None
            return NotCaptured(
                Obstacle.NO_BACKWARD if place is None else Obstacle.NO_LOOP, None, place, facts
            )
        reason = Obstacle.EXITED if isinstance(error, SystemExit) else Obstacle.RAISED
        return NotCaptured(reason, error, place_of(error), facts)


def _main_of(source: ScriptSource) -> ModuleType:
    """Return a new module that is `__main__` for a script."""
    main = ModuleType(MAIN)
    file = os.path.abspath(source.path)
    main.__file__ = file
    main.__loader__ = SourceFileLoader(MAIN, file)
    main.__dict__["__builtins__"] = builtins
    if source.is_notebook:
        main.__dict__["display"] = print
    return main
