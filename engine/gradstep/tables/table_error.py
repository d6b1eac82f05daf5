"""Errors about a CSV file that other choices about the table would mend."""

from __future__ import annotations

from pathlib import Path

from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.tables.table import Table


class TableError(ScriptError):
    """A CSV file cannot be trained with the learner's choices; others may mend it."""

    def __init__(
        self,
        path: Path,
        own_words: str,
        sentence: str = "",
        remedy: Remedy | None = None,
        /,
        *,
        place: str = "",
        choices: tuple[Table, ...] = (),
    ) -> None:
        """Make the error.

        Args:
            path: Path of the file.
            own_words: What is wrong.
            sentence: Explanation, or what to do; may be empty.
            remedy: Setting that can mend the error; None if there is none.
            place: Place in the file, e.g. "line 3, row 2, column a"; empty if the whole file is meant.
            choices: Choices to add to those of the learner, the first of them the most likely; each by
                itself mends everything that it is about.
        """
        super().__init__(path, own_words, sentence, remedy, place=place)
        self.choices = choices
