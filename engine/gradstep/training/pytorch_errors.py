"""Explanations of the errors that PyTorch raises if the loop runs in an order that cannot work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep.learner_code.eager import uncompiled
from gradstep.learner_code.places import place_of
from gradstep.learner_code.raised import caught_as, is_of_learners_code, message_of, printable

if TYPE_CHECKING:
    from gradstep.autograd.trace import Trace

LESSONS: Final[tuple[tuple[str, str], ...]] = (
    (
        "backward through the graph a second time",
        "A backward pass frees the tensors that the graph saved; run forward again to build a new graph.",
    ),
    (
        "modified by an inplace operation",
        "The update changed a tensor in place that this graph had saved; run backward before the update.",
    ),
    (
        "unsupported operand type(s) for *: 'NoneType'",
        "There is no gradient yet: .grad is None until the first backward pass.",
    ),
    (
        "'NoneType' object has no attribute 'zero_'",
        "There is no gradient to zero yet: .grad is None until the first backward pass.",
    ),
    (
        "does not require grad",
        "This loss does not depend on any parameter, so there is nothing to differentiate.",
    ),
    (
        "without overflow",
        "The learning rate, or an option of the optimizer, is too large for numbers of this type.",
    ),
    (
        "EOF when reading a line",
        "A script cannot ask for input here: write the value into the script.",
    ),
    (
        "name 'loss' is not defined",
        "There is no loss yet: run forward first.",
    ),
    (
        "the script calls exit(",
        "A script that ends the program cannot be trained: remove that line.",
    ),
)
"""Pairs of a part of PyTorch's or Python's message, and a sentence that explains it."""


def lesson_of(words: str) -> str:
    """Return the sentence that explains an error with a message; empty if there is none."""
    return next((lesson for part, lesson in LESSONS if part in words), "")


class PyTorchError(EngineError):
    """PyTorch, Python or the learner's own code raised an exception in a statement of the loop."""

    def __init__(self, error: BaseException, trace: Trace | None = None) -> None:
        """Keep the first line of the error's message and find the sentence that explains it.

        Args:
            error: Exception that was raised.
            trace: Recording of a backward pass up to the error; None if none was recorded.
        """
        self.trace = trace
        self.first_line = message_of(error).split("\n", 1)[0]
        """First line of the exception's message, as it is."""

        self.own_words = printable(self.first_line)
        self.kind = type(error).__name__
        self.caught_as = caught_as(error)
        """Name of the nearest class of the exception that Python itself defines; `except` can name it
        anywhere."""

        self.place = place_of(error)
        """Innermost line of the learner's files that the exception passed; None if it passed none."""

        self.lesson = lesson_of(self.own_words)
        self.summary = f"{self.kind}: {self.own_words}" if self.own_words else self.kind
        """Kind and message in one line, without place and explanation."""

        super().__init__(f"{first_words(self)} {self.lesson}".rstrip())
        self._is_pytorchs = type(error) in (RuntimeError, NotImplementedError) or type(
            error
        ).__module__.startswith("torch")

    @property
    def is_of_script(self) -> bool:
        """Whether the learner's own code raised the error; False if PyTorch refused what it was asked."""
        return self.place is not None and (self.place.raised or not self._is_pytorchs)


def first_words(error: BaseException) -> str:
    """Return an error's message; for a `PyTorchError`, with the place and without the explanation."""
    if not isinstance(error, PyTorchError):
        return str(error)
    return error.summary if error.place is None else f"{error.summary} ({error.place})"


@contextmanager
def learners_code() -> Iterator[None]:
    """Run a learner's code in the `with` block, and PyTorch for it: compiled code runs uncompiled.

    Raises:
        PyTorchError: The code or PyTorch raised an exception of any kind, `SystemExit` for example.
        KeyboardInterrupt: The user pressed ctrl+c.
    """
    try:
        with uncompiled():
            yield
    except BaseException as error:
        if not is_of_learners_code(error):
            raise
        raise PyTorchError(error) from error
