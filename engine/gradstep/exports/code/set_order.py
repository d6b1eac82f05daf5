"""Lines that start an exported script again, so that sets of texts have the order of the session.

Python orders sets of texts by a number that it draws anew for each process unless `PYTHONHASHSEED` is set:
https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED
"""

from __future__ import annotations

import ast
import os
import sys

from gradstep.exports.code.first_lines import last_first_line

LINES = """\
import os
import subprocess
import sys

if (
    os.environ.get("PYTHONHASHSEED") != "{seed}"
    and globals().get("__file__") in map(os.path.abspath, sys.orig_argv)  # not imported, and no notebook
):
    # Python orders sets of texts by this number: the process starts again with the session's.
    os.environ["PYTHONHASHSEED"] = "{seed}"
    sys.exit(subprocess.call([sys.executable, *sys.orig_argv[1:]]))
"""


def with_sets_in_order(script: str) -> str:
    """Return a script that sees to the order of sets, or the same text if this process has a random one."""
    seed = _seed()
    if seed is None:
        return script
    lines = script.split("\n")
    after = _place_in(script, lines)
    return "\n".join([*lines[:after], "", *LINES.format(seed=seed).splitlines(), "", *lines[after:]])


def _seed() -> int | None:
    """Return the number by which this process orders sets of texts; None if that was drawn."""
    if sys.flags.ignore_environment:
        return None
    given = os.environ.get("PYTHONHASHSEED", "")
    return int(given) if given.isdecimal() else None


def _place_in(script: str, lines: list[str]) -> int:
    """Return how many lines have to come first: comments, the docstring, imports of `__future__`."""
    comments = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return last_first_line(ast.parse(script)) or comments
