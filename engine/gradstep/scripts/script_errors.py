"""What can be wrong with a script: where, in whose words, and one sentence about it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gradstep.errors import BadInput, EngineError

LONGEST: Final = 400
"""In characters; what a script's own error says may be of any length."""

SENTENCES: Final[tuple[tuple[str, str], ...]] = (
    ("SystemExit", "A script that ends itself leaves nothing to train: take this line out."),
    ("KeyboardInterrupt", "The script interrupted itself: take this line out."),
    ("EOFError", "A script has nobody to ask here: write the value into it."),
    ("SyntaxError", "Python cannot read this line."),
    ("IndentationError", "Python cannot read this line: its indentation does not fit the lines around it."),
    ("TabError", "Python cannot read this line: tabs and spaces are mixed."),
    ("RecursionError", "A function calls itself without an end."),
    ("ModuleNotFoundError", "The module must be installed beside gradstep, or stand in the script's folder."),
    (
        "shapes cannot be multiplied",
        "In a matrix product, the columns of the first must be as many as the rows of the second.",
    ),
    ("must match the size of tensor", "These two shapes cannot be broadcast to one another."),
    ("size mismatch", "The two shapes do not fit each other."),
    ("must have the same dtype", "Both must have the same dtype: convert one, e.g. with .float()."),
    ("expected scalar type Long", "Class numbers must be whole: make them so with .long()."),
    ("out of bounds", "An index is larger than there is room for: class numbers go from 0 to classes - 1."),
    (
        "signal only works in main thread",
        "A script runs in a thread here, which cannot have signal handlers.",
    ),
)
"""What an error is called, or a part of its message; and one sentence about it."""


class ScriptError(BadInput):
    """A script cannot be trained: it cannot be read, raises, or lacks something."""

    def __init__(
        self, path: Path, own_words: str, sentence: str = "", *, place: str = "", text: str = ""
    ) -> None:
        """Say what is wrong with a script.

        Args:
            path: The script.
            own_words: Python's or PyTorch's message, with the error's name; or what gradstep found.
            sentence: What it means; may be empty.
            place: Where in it, e.g. "line 3" or "cell 2, line 1"; empty where it is the script as a whole.
            text: That line.
        """
        self.path, self.place, self.text = path, place, text.strip()
        self.own_words = _short(" ".join(own_words.split()))
        self.sentence = sentence
        where = f"{path}, {place}" if place else str(path)
        super().__init__(f"{where}: {self.own_words}{'. ' if sentence else ''}{sentence}")

    @property
    def lines(self) -> tuple[str, ...]:
        """The same over several lines, with the line of the script that raised."""
        where = f"{self.path}, {self.place}" if self.place else str(self.path)
        head = f"{where}: {self.text}" if self.text else where
        return tuple(filter(None, (head, self.own_words, self.sentence)))


class Abandoned(EngineError):  # noqa: N818 - named after what happened
    """Nobody waits for the script any longer."""

    def __init__(self, path: Path) -> None:
        """Name the script."""
        super().__init__(f"{path}: stopped before it had run to its end")


def sentence_for(kind: str, message: str) -> str:
    """Give the sentence about an error; empty where there is none."""
    found = (sentence for key, sentence in SENTENCES if key == kind or (" " in key and key in message))
    return next(found, "")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
