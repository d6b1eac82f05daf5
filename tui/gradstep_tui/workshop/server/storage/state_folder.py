"""The state folder of a workshop, which only its owner can change."""

from __future__ import annotations

import os
from pathlib import Path

from gradstep.errors import BadInput
from gradstep_tui.workshop.server.identity import codes


def state_folder(given: Path | None) -> Path:
    """Return the state folder; create it if it is missing.

    Args:
        given: Path of the folder; None for the default one.

    Raises:
        BadInput: the folder cannot be used, or other users could change what is in it.
    """
    if given is None:
        import platformdirs

        given = platformdirs.user_state_path("gradstep", appauthor=False) / "workshop"
    try:
        given.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = given.stat()
    except OSError as error:
        raise BadInput(f"--state {given}: {error.strerror}") from None
    if found.st_uid != os.geteuid():
        raise BadInput(f"--state {given}: the folder belongs to another user: choose one of your own")
    if found.st_mode & 0o022:
        raise BadInput(f"--state {given}: other users may write to the folder: run chmod go-w {given}")
    if not os.access(given, os.W_OK | os.X_OK):
        raise BadInput(f"--state {given}: the folder cannot be written to")
    return given.absolute()


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read, as a whole or not at all.

    Raises:
        FileExistsError: the file exists already.
        OSError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
        os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def stored_code(folder: Path, name: str) -> str:
    """Return the code in a file of the folder; generate it if the file is missing.

    A restarted server thus has the codes of the last one.

    Raises:
        BadInput: the file cannot be read or written, or the code in it is easy to guess.
    """
    path = folder / name
    try:
        if not path.exists():
            write_new(path, f"{codes.generate()}\n".encode())
        return checked_code(path.read_text(encoding="ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the code in {path} cannot be used: {error}") from None


def checked_code(code: str, where: str) -> str:
    """Return a code that is not easy to guess.

    Args:
        code: The code.
        where: Option or file of the code, for the error message.

    Raises:
        BadInput: the code is easy to guess.
    """
    weak = codes.weakness(code)
    if weak:
        raise BadInput(f"{where}: the code is too easy to guess: {weak}")
    return code
