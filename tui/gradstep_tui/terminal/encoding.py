"""Whether a terminal shows more than ASCII characters."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from typing import Final

COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
"""Values to which Python sets LC_CTYPE if it finds the C locale."""


def terminal_speaks_utf8(
    environ: Mapping[str, str] = os.environ, utf8_mode: bool = bool(sys.flags.utf8_mode)
) -> bool:
    """Return whether the program was started in a UTF-8 locale.

    Python's own settings do not show this: in the C locale, Python switches to UTF-8 whatever the terminal
    can show, and sets LC_CTYPE accordingly; `utf8_mode` reveals that it did.
    """
    if os.name == "nt":
        return True
    ctype = environ.get("LC_CTYPE")
    if utf8_mode and ctype in COERCED and "PYTHONUTF8" not in environ:
        ctype = None
    named = environ.get("LC_ALL") or ctype or environ.get("LANG") or "C"
    if named in ("C", "POSIX"):
        return False
    # macOS names the charset alone: LC_CTYPE=UTF-8.
    charset = named if named.upper() == "UTF-8" else named.partition("@")[0].partition(".")[2]
    # For a name without a charset, e.g. de_DE, the system's tables decide.
    return (charset or locale.normalize(named).partition(".")[2]).replace("-", "").lower() == "utf8"
