"""Refuses scripts of the learners' own: a shared machine runs built-in problems only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep_tui.keys import SIGNS

if TYPE_CHECKING:
    from gradstep.start import Start

NO_SCRIPTS: Final = "scripts of your own do not run here: choose a built-in problem ({problems})"


def require_built_in(start: Start) -> Start:
    """Return a start that runs no file.

    Raises:
        BadInput: the start would run a file.
    """
    if start.has_file:
        raise BadInput(NO_SCRIPTS.format(**SIGNS))
    return start
