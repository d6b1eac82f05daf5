"""Options of the command line that can mend an error of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gradstep.errors import Exists
from gradstep.scripts.script_errors import Remedy, ScriptError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.errors import EngineError

HINTS: Final[Mapping[Remedy, str]] = {
    Remedy.NAME_PARTS: "Or give its name with --inputs, --targets, --model or --loss.",
    Remedy.CHOOSE_TARGETS: "Name each target column with --target.",
    Remedy.LEAVE_UNSTANDARDIZED: "Or leave out --standardize.",
}
"""Sentence for each remedy that an option provides."""

REPLACES: Final = "{error}; --force replaces it"


def option_hint(error: ScriptError) -> str:
    """Return the sentence that names the option which mends the error, or an empty string."""
    return "" if error.remedy is None else HINTS[error.remedy]


def with_options(error: EngineError) -> str:
    """Return an error's message, with the option that mends it if there is one."""
    match error:
        case Exists():
            return REPLACES.format(error=error)
        case ScriptError():
            return f"{error} {option_hint(error)}".rstrip()
        case _:
            return str(error)
