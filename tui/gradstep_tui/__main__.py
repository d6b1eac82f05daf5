"""The process of the `gradstep` command, which `python -m gradstep_tui` runs, too."""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # The current folder: a file there named signal.py must not take the place of Python's own module.
    del sys.path[0]

import os
import signal
import subprocess

from gradstep_tui.terminal.encoding import COERCED

HASH_SEED = "PYTHONHASHSEED"
"""Variable by which Python orders sets of texts: https://docs.python.org/3/using/cmdline.html"""


def command() -> int:
    """Run the command `gradstep` of this process, and return its exit code."""
    keep_order_of_sets()
    from gradstep_tui.cli import main  # only now: what may start again should not have imported much

    return main()


def keep_order_of_sets() -> None:
    """Start this process again, if need be, so that a script's sets of texts have the same order each time.

    Otherwise a script that goes through such a set, e.g. to number words, comes to other numbers whenever
    a session is resumed. A variable that the user has set stays. A workshop's server, which runs no scripts,
    keeps the random order, because there it protects from names that are chosen to be slow to look up.
    """
    if HASH_SEED in os.environ or sys.flags.ignore_environment or not sys.executable:
        return
    if sys.argv[1:2] == ["serve"]:
        return
    os.environ[HASH_SEED] = "0"
    if sys.flags.utf8_mode and os.environ.get("LC_CTYPE") in COERCED:
        del os.environ["LC_CTYPE"]  # Python has set it: the terminal may show no UTF-8
    again = [sys.executable, *sys.orig_argv[1:]]
    if sys.platform != "win32":
        os.execv(sys.executable, again)
    # Windows has no such call: the shell would take the start of another process for the end of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(again))


if __name__ == "__main__":
    sys.exit(command())
