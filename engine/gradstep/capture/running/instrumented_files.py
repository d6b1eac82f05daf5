"""The files of one run of a script, each compiled with calls of hooks in its loops."""

from __future__ import annotations

import ast
from types import CodeType

from gradstep.autograd.expression_text import remember_code
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.rewriting.instrumentation import instrumented, with_flags
from gradstep.capture.rewriting.leads import Leads
from gradstep.capture.rewriting.local_imports import imported_trees
from gradstep.capture.search.wanted_passes import Wanted
from gradstep.capture.sites import Site
from gradstep.learner_code.places import remember_script
from gradstep.scripts.source import ScriptSource


class InstrumentedFiles:
    """The script itself, and the modules beside it as they are imported."""

    def __init__(
        self, source: ScriptSource, folder: str, wanted: Wanted, sites: list[Site], hooks: Hooks, name: str
    ) -> None:
        """Begin with no file.

        Args:
            source: Text of the script.
            folder: Folder of the script.
            wanted: What the run looks for.
            sites: All loops, by number; those of each file are added.
            hooks: The object that the files call.
            name: Name of that object in the files.
        """
        self._source, self._folder, self._wanted = source, folder, wanted
        self._sites, self._hooks, self._name = sites, hooks, name
        self._leads = Leads()
        self.modules: dict[str, str] = {}
        """Text of each module beside the script that it has imported, by the module's file."""

    def script(self) -> CodeType:
        """Return the code of the script itself."""
        return self._compiled(self._source.text, str(self._source.path))

    def module(self, text: str, file: str, name: str) -> CodeType:
        """Return the code of a module beside the script."""
        remember_script(file)
        self._hooks.own_modules.add(name)
        self.modules[file] = text
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
