"""Places in a learner's files: the line that raised an exception, as the learner counts lines."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import abspath, basename, dirname, sep
from traceback import walk_tb
from types import FrameType
from typing import Final

from gradstep.learner_code.raised import is_by_raise_statement, printable

Cells = Sequence[tuple[int, int]]
"""Cell and line in the cell, both counted from 1, of each line of a notebook; empty for other files."""

_scripts: Final[dict[str, Cells]] = {}
"""Cells of each script that was loaded, by its path."""

_OURS: Final = dirname(dirname(abspath(__file__))) + sep
_PATHS: Final[Mapping[str, str]] = sysconfig.get_paths()


@dataclass(frozen=True, slots=True)
class Place:
    """Line of a learner's file that raised an exception."""

    file: str
    """Path of the file."""

    line: int
    """Number of the line in the file, counted from 1; of a notebook, in the text of all its cells."""

    where: str
    """The line as the learner counts, e.g. "line 3" or "cell 2, line 1"."""

    text: str
    """Text of the line, without blanks around it; empty if it is not known."""

    raised: bool
    """Whether the line itself is a `raise` statement; False if an operation on it failed."""

    def __str__(self) -> str:
        """Return the name of the file and the line, e.g. "train.py, line 3"."""
        return f"{basename(self.file)}, {self.where}"


def remember_script(path: str, cells: Cells = ()) -> None:
    """Remember that the file at a path is a learner's script; `cells` are those of a notebook."""
    _scripts[path] = cells


def in_words(line: int, cells: Cells) -> str:
    """Return a line as the learner counts, e.g. "line 3" or "cell 2, line 1"."""
    if cells and 0 < line <= len(cells):
        return "cell {}, line {}".format(*cells[line - 1])
    return f"line {line}"


def place_of(error: BaseException) -> Place | None:
    """Return the innermost line of a learner's file that an exception passed; None if it passed none."""
    found, last = None, None
    for frame, line in walk_tb(error.__traceback__):
        file = last = frame.f_code.co_filename
        if is_learners(file):
            found = file, line
    if found is None:
        return None
    file, line = found
    return place_at(file, line, raised=last == file and is_by_raise_statement(error))


def place_at(file: str, line: int, raised: bool = False) -> Place:
    """Return the place of a line of a learner's file; `raised` says whether it is a `raise` statement."""
    text = printable(linecache.getline(file, line).strip())
    return Place(file, line, in_words(line, _scripts.get(file, ())), text, raised)


def place_of_frame(frame: FrameType | None) -> Place | None:
    """Return the innermost line of a learner's file at which a frame is or was called; else None."""
    while frame is not None:
        if is_learners(frame.f_code.co_filename):
            return place_at(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def is_learners(file: str) -> bool:
    """Return whether a file is a learner's own, and not of Python, of an installed package or of gradstep."""
    if file in _scripts:
        return True
    return not file.startswith(("<", _OURS, *_libraries()))


def _libraries() -> tuple[str, ...]:
    """Return the beginnings of the paths of installed modules."""
    torch = sys.modules.get("torch")
    own = () if torch is None else (dirname(abspath(torch.__file__ or "")) + sep,)
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return (*own, *{_PATHS[name] + sep for name in names}, "frozen ")
