"""Options of the command line that can mend an error of the engine."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from gradstep.errors import Exists
from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.tables.table_error import TableError
from gradstep_tui.text.scripts.obstacles import worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.errors import EngineError
    from gradstep.tables.table import Table

HINTS: Final[Mapping[Remedy, str]] = {
    Remedy.NAME_PARTS: "Or give its name with --inputs, --targets, --model or --loss.",
    Remedy.CHOOSE_TARGETS: "Name each target column with --target.",
    Remedy.LEAVE_UNSTANDARDIZED: "Or leave out --standardize.",
    Remedy.LINE_OF_NAMES: "Leave out --no-header.",
}
"""Sentence for each remedy that an option provides."""

REPLACES: Final = "{error}; --force replaces it"


def option_hint(error: ScriptError) -> str:
    """Return the sentences that name the options which mend the error, or an empty string."""
    hints = [HINTS[error.remedy]] if error.remedy is not None else []
    if isinstance(error, TableError) and error.choices:
        ways = ", or ".join(options_text(choice) for choice in error.choices)
        hints.insert(0, f"To read the file as it is, add {ways}.")
    return " ".join(hints)


def options_text(table: Table) -> str:
    """Return the options that make the choices of a table, quoted for a shell."""
    lists = {
        "--target": table.targets,
        "--columns": table.columns,
        "--days": table.days,
        "--one-hot": table.one_hot,
        "--drop": table.drop,
    }
    texts = {"--decimal": table.decimal, "--thousands": table.thousands, "--encoding": table.encoding}
    flags = {
        "--standardize": table.standardize,
        "--index": table.index,
        "--no-header": not table.header,
        "--skip-incomplete": table.skip_incomplete,
    }
    options = [f"{option} {shlex.quote(item)}" for option, items in lists.items() for item in items]
    options += [f"{option} {shlex.quote(text)}" for option, text in texts.items() if text is not None]
    return " ".join([*options, *(option for option, chosen in flags.items() if chosen)])


def with_options(error: EngineError) -> str:
    """Return an error's message, with the option that mends it if there is one."""
    match error:
        case Exists():
            return REPLACES.format(error=error)
        case ScriptError():
            return f"{worded(error)} {option_hint(error)}".rstrip()
        case _:
            return str(error)
