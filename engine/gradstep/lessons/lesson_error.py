"""What is wrong with a lesson file, and at which line."""

from __future__ import annotations

from pathlib import Path

from gradstep.errors import BadInput


class LessonError(BadInput):
    """A lesson file cannot be used; the message names the file and the line."""

    def __init__(self, path: Path, line: int, wrong: str) -> None:
        """Make the error.

        Args:
            path: Path of the lesson file.
            line: Number of the line, counted from 1.
            wrong: What is wrong there, as a sentence without a full stop.
        """
        super().__init__(f"{path}:{line}: {wrong}")
        self.path, self.line, self.wrong = path, line, wrong
