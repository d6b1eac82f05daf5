"""The join code: from an option, from a file or from the state folder, and out of the list of processes."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput
from gradstep_tui.workshop.server.storage.state_folder import checked_code, stored_code

VARIABLE: Final = "GRADSTEP_CODE_FILE"
"""Environment variable with the path of a file that contains the join code."""

CREDENTIAL: Final = "gradstep_code"
"""Name of the credential with the join code, for systemd's `LoadCredential`."""


def join_code(code: str | None, file: Path | None, folder: Path) -> str:
    """Return the join code.

    Args:
        code: The code, if it was given on the command line.
        file: File with the code, if one was given.
        folder: State folder, which has a code if there is none elsewhere.

    Raises:
        BadInput: two codes were given, or the code is easy to guess or cannot be read.
    """
    if code is not None and file is not None:
        raise BadInput("--code and --code-file: choose one of them")
    if code is not None:
        return checked_code(code, "--code")
    path = file or _chosen_file()
    if path is None:
        return stored_code(folder, "join_code")
    try:
        return checked_code(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise BadInput(f"the join code cannot be read from {path}: {reason}") from None


def is_chosen(code: str | None, file: Path | None) -> bool:
    """Return whether the join code comes from the administrator, and not from the state folder."""
    return code is not None or file is not None or _chosen_file() is not None


def hide_argument(secret: str) -> None:
    """Overwrite a command-line argument of this process, so that no list of processes shows it."""
    wanted = secret.encode(errors="surrogateescape")
    with suppress(OSError, ValueError, IndexError):
        arguments = Path("/proc/self/cmdline").read_bytes().split(b"\0")
        # Field 48 has the arguments' first byte; the name in parentheses is field 2.
        at = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[45])
        for argument in arguments:
            if argument in (wanted, b"--code=" + wanted):
                ctypes.memset(at + len(argument) - len(wanted), ord("*"), len(wanted))
            at += len(argument) + 1


def _chosen_file() -> Path | None:
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(credentials) / CREDENTIAL if credentials else None
    return path if path is not None and path.exists() else None
