"""The folder that a workshop keeps its state in: its owner's alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gradstep.errors import BadInput
from gradstep_tui.workshop.server.identity import codes

SHORTEST: Final = 6
"""Letters and digits of a code: fewer can be guessed, even from a server that answers slowly."""


def state_folder(given: Path | None) -> Path:
    """Give the folder, made where there is none; None for the usual one.

    Raises:
        BadInput: it cannot be used, or others could change what is in it.
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
        raise BadInput(f"--state {given}: the folder belongs to another user; choose one of your own")
    if found.st_mode & 0o022:
        raise BadInput(f"--state {given}: others may write there; chmod go-w {given}")
    if not os.access(given, os.W_OK | os.X_OK):
        raise BadInput(f"--state {given}: the folder cannot be written to")
    return given.absolute()


def write_new(path: Path, content: bytes) -> None:
    """Write a file that nobody else may read; it is there as a whole, or not at all.

    Raises:
        FileExistsError: it is there already.
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
        os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def kept_code(folder: Path, name: str) -> str:
    """Give a code that was made up earlier, or make one up: so a restart does not shut the class out.

    Raises:
        BadInput: it can be neither read nor made, or it is none.
    """
    path = folder / name
    try:
        if not path.exists():
            write_new(path, f"{codes.made_up()}\n".encode())
        return checked_code(path.read_text(encoding="ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be used: {error}") from None


def checked_code(code: str, where: str) -> str:
    """Give a code that is long enough; blanks and hyphens do not count.

    Raises:
        BadInput: it is not.
    """
    if len(codes.normal(code)) < SHORTEST:
        raise BadInput(f"{where}: {code!r} is too easy to guess: take {SHORTEST} letters or digits, or more")
    return code
