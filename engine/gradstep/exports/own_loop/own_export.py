"""Writes the export of a script's own loop: the script's text, its edits, and the numbers of the session."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from textwrap import wrap

import torch

from gradstep._version import __version__
from gradstep.capture.loop_places import LoopPlace
from gradstep.exports.code.first_lines import last_first_line
from gradstep.exports.code.seeding import IPYTHONS
from gradstep.exports.own_loop.checks_code import Places, checks_code
from gradstep.exports.own_loop.counted_text import WIDTH, Counting, counted
from gradstep.exports.own_loop.loop_numbers import LoopNumbers
from gradstep.exports.own_loop.loop_plan import LoopPlan
from gradstep.exports.own_loop.own_notebook import NotebookParts, own_notebook_text
from gradstep.exports.own_loop.text_edits import EditedLine
from gradstep.loop.conventions import free
from gradstep.scripts.source import ScriptSource

BEGIN_MARK = "# ---- Added by gradstep: the session's numbers, and what compares them with this run's. ----"
END_MARK = "# ---- The script. ----"


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """A script whose loop is exported."""

    source: ScriptSource
    loops: Sequence[LoopPlace]
    """The loops, outermost first; the last is the one that is stepped."""

    arguments: tuple[str, ...] = ()
    """The script's own arguments."""

    started_in: str = ""
    """Folder in which it ran; empty for the present one."""

    seed: int = 0
    """Seed of the random generators before it ran."""

    repeats: bool = True
    """Whether it came to the same numbers when it ran again."""

    predicted: tuple[str, ...] = ()
    """Sentences on the predictions that were made in the session."""


class LoopExport:
    """Texts of the export of a session on a script's own loop."""

    def __init__(self, own: OwnLoop, plan: LoopPlan, numbers: LoopNumbers) -> None:
        """Work out the edited texts.

        Args:
            own: The script and its loop.
            plan: What ran.
            numbers: Numbers of that.
        """
        self._own, self._plan, self._numbers = own, plan, numbers
        main = str(own.source.path)
        self._folder = os.path.dirname(os.path.abspath(main))
        texts = {loop.file: _text_of(loop.file, own.source) for loop in own.loops}
        texts[main] = own.source.text
        self._session = free("session", _names([*texts.values()]))
        lines = {file: self._counted(file, text) for file, text in texts.items()}
        self._lines = lines.pop(main)
        modules = {
            os.path.relpath(os.path.abspath(file), self._folder): _module_text(edited, self._session)
            for file, edited in lines.items()
            if "\n".join(line.text for line in edited) != texts[file]
        }
        self._places = Places(
            os.path.abspath(main),
            own.started_in or os.getcwd(),
            (str(own.source.path), *own.arguments),
            modules,
            own.seed,
        )

    def script(self) -> str:
        """Return the text of the exported script."""
        top, rest = _split(self._lines)
        ipythons = self._ipythons() if self._own.source.is_notebook else []
        parts = [
            *self._comment(),
            "",
            *top,
            BEGIN_MARK,
            "",
            "",
            *self._checks(in_notebook=False),
            "",
            "",
            END_MARK,
        ]
        return "\n".join([*parts, *ipythons, *(line.text for line in rest)]).rstrip() + "\n"

    def notebook(self) -> str:
        """Return the text of the exported notebook, as JSON."""
        return own_notebook_text(
            NotebookParts(
                title=f"{self._own.source.path.name}, stopped in gradstep",
                words=" ".join(line[2:].strip() or "\n\n" for line in self._comment()),
                checks=tuple(self._checks(in_notebook=True)),
                lines=tuple(self._lines),
                cells=tuple(cell for cell, _ in self._own.source.cells),
                line=self._numbers.line,
                session=self._session,
            )
        )

    def _counted(self, file: str, text: str) -> list[EditedLine]:
        stepped, outermost = self._own.loops[-1], self._own.loops[0]
        plan, found = self._plan, self._numbers.owners
        owners = list(dict.fromkeys([*found.expressions, *found.optimizers, *found.schedulers]))
        counting = Counting(self._session, owners, tuple(plan.shapes(len(stepped.body))))
        return counted(
            text,
            stepped if file == stepped.file else None,
            outermost if plan.over and file == outermost.file else None,
            counting,
        )

    def _checks(self, *, in_notebook: bool) -> list[str]:
        used = "\n".join([*(line.text for line in self._lines), *self._places.modules.values()])
        return checks_code(
            self._session, self._places, self._plan, self._numbers, used, in_notebook=in_notebook
        )

    def _ipythons(self) -> list[str]:
        """Return the lines that define what only IPython defines, as far as a notebook uses it."""
        tree = ast.parse(self._own.source.text)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return [line for name, line in IPYTHONS.items() if name in used]

    def _comment(self) -> list[str]:
        """Return the comment at the top, which says how the export was made."""
        source, stepped, modules = self._own.source, self._own.loops[-1], [*self._places.modules]
        threads = self._numbers.threads
        paragraphs = (
            f"{source.path.name}, stopped where the session in gradstep stood: {self._where()}.",
            f"This is the text of {self._places.script} (digest {source.digest}). Added are the lines that "
            f"use `{self._session}`: in the loop `{stepped.header}`, line {stepped.lines.first} of "
            f"{os.path.relpath(os.path.abspath(stepped.file), self._folder)}, they count the rounds and let "
            "each run what the session ran in it; at the top, they hold the session's numbers, and raise an "
            "error that names the round if a number of this run is another."
            + " When gradstep ran it again, the numbers were others: it depends on more than random numbers "
            "with a seed, so this script may fail, too."
            * (not self._own.repeats)
            + f" The changed text of {' and '.join(modules)} is at the top, too." * bool(modules),
            f"Made by gradstep {__version__} with PyTorch {torch.__version__}, on {threads} "
            f"thread{'s' * (threads != 1)}. It needs what the script needs, and not gradstep.",
            *self._own.predicted,
        )
        blocks = [wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ") for text in paragraphs]
        return [line for number, block in enumerate(blocks) for line in (["#"] * bool(number) + block)]

    def _where(self) -> str:
        rounds, left = self._plan.rounds, self._plan.last
        said = f"{rounds:,} round{'s' * (rounds != 1)} of its own loop"
        if self._plan.over:
            return f"after {said}, at the end of the loop"
        return f"inside round {rounds + 1:,} of its own loop" if left else f"after {said}"


def _text_of(file: str, source: ScriptSource) -> str:
    return source.text if file == str(source.path) else decode_source(Path(file).read_bytes())


def _module_text(lines: Sequence[EditedLine], session: str) -> str:
    """Return the text of a changed module, which imports what counts from the script."""
    top, rest = _split(lines)
    return "\n".join([*top, f"from __main__ import {session}", *(line.text for line in rest)])


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"\w+", text)}


def _split(lines: Sequence[EditedLine]) -> tuple[list[str], list[EditedLine]]:
    """Return a file's docstring and imports from `__future__`, which must come first, and the rest."""
    after = last_first_line(ast.parse("\n".join(line.text for line in lines)))
    return [line.text for line in lines[:after]], list(lines[after:])
