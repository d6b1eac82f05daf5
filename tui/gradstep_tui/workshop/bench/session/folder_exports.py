"""Exports into one folder, under plain file names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from textual.message import Message

from gradstep.errors import BadInput
from gradstep_tui.commands.export import Exports

MOST_FILES: Final = 100
"""Largest number of files in the folder for exports."""

MOST_BYTES: Final = 50_000_000
"""Total size of the folder's files above which no further file is written."""

HERE: Final = "the folder for exports"

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


class FilesWritten(Message):
    """Files were written into the folder for exports."""

    def __init__(self, text: str) -> None:
        """Make the message, whose sentence names the files and their folder."""
        super().__init__()
        self.text = text


class FolderExports(Exports):
    """Writes exports into one folder; file names must not contain a path."""

    def __init__(self, folder: Path, post: Callable[[FilesWritten], object]) -> None:
        """Write into a folder.

        Args:
            folder: Folder for the files.
            post: Called from a worker thread after files were written.
        """
        self._folder, self._post = folder, post

    def place(self, to: str) -> str:
        """Return the path for a file name.

        Raises:
            BadInput: `to` is not a plain file name, or the folder takes no further file.
        """
        if not _FILE_NAME.fullmatch(to):
            raise BadInput(
                f"{to[:40]!r} is not a valid file name: use letters, digits, '.', '_' and '-', and no folder"
            )
        paths = [*self._folder.iterdir()]
        if any(not path.is_file() or path.is_symlink() for path in paths):
            raise BadInput(
                "nothing was written: the folder for exports contains something that is not a file"
            )
        if len(paths) >= MOST_FILES or sum(path.stat().st_size for path in paths) > MOST_BYTES:
            raise BadInput("the folder for exports is full: choose the name of a file that is already there")
        return str(self._folder / to)

    @property
    def lands(self) -> str:
        """Sentence that says in which folder the files will be."""
        return f"They are written into {HERE} on the server."

    def shown(self, path: str | os.PathLike[str]) -> str:
        """Return a path without its folder, which is of no use to the learner."""
        return os.path.basename(path)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Run a block that writes files; its errors name no folder of the server.

        Raises:
            BadInput: the files cannot be written.
        """
        try:
            yield
        except BadInput as error:
            words = str(error)
            if str(self._folder) not in words:
                raise
            plain = words.replace(f"{self._folder}{os.sep}", "").replace(str(self._folder), HERE)
            raise BadInput(plain) from None
        except OSError as error:
            raise BadInput(f"{HERE} cannot be used: {error.strerror}") from None

    def told(self, paths: Sequence[Path]) -> str:
        """Return a sentence about the written files, and post it for the case that a line is too short."""
        text = self.words(tuple(path.name for path in paths))
        self._post(FilesWritten(text))
        return text

    def words(self, names: Sequence[str]) -> str:
        """Return a sentence that names the written files and their folder."""
        return f"wrote {', '.join(names)} in {self._folder}"
