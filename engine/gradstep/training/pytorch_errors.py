"""Explanations of the errors that PyTorch raises if the loop runs in an order that cannot work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError
from gradstep.learner_code.eager import uncompiled
from gradstep.learner_code.places import place_of
from gradstep.learner_code.raised import caught_as, is_of_learners_code, message_of, printable
from gradstep.scripts.script_errors import sentence_for

if TYPE_CHECKING:
    from gradstep.autograd.trace import Trace

LESSONS: Final[tuple[tuple[str, str], ...]] = (
    (
        "backward through the graph a second time",
        "Run forward again for a new graph: a backward pass frees the tensors that its graph has saved.",
    ),
    (
        "modified by an inplace operation",
        "Run backward before the update: the update changed a tensor in place that this graph had saved.",
    ),
    (
        "unsupported operand type(s) for *: 'NoneType'",
        "Run backward first: there is no gradient yet, .grad is None until the first backward pass.",
    ),
    (
        "'NoneType' object has no attribute 'zero_'",
        "Run backward first: there is no gradient to zero yet, .grad is None until the first backward pass.",
    ),
    (
        "does not require grad",
        "This loss does not depend on any parameter, so there is nothing to differentiate.",
    ),
    (
        "without overflow",
        "Lower the learning rate, or the option of the optimizer: it is too large for numbers of this type.",
    ),
    (
        "EOF when reading a line",
        "Write the value into the script: it cannot ask for input here.",
    ),
    (
        "name 'loss' is not defined",
        "Run forward first: there is no loss yet.",
    ),
    (
        "the script calls exit(",
        "Remove that line: a script that ends the program cannot be trained.",
    ),
)
"""Pairs of a part of PyTorch's or Python's message, and a sentence that explains it."""


def lesson_of(words: str, kind: str = "") -> str:
    """Return the sentence that explains an error; empty if there is none.

    Args:
        words: Message of the error.
        kind: Name of the exception's class; empty if it is part of the message.
    """
    return next((lesson for part, lesson in LESSONS if part in words), "") or sentence_for(kind, words)


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
        self.lesson = lesson_of(self.own_words, self.kind)
        self.caught_as = caught_as(error)
        """Name of the nearest class of the exception that Python itself defines; `except` can name it
        anywhere."""

        self.place = place_of(error)
        """Innermost line of the learner's files that the exception passed; None if it passed none."""

        self.summary = f"{self.kind}: {self.own_words}" if self.own_words else self.kind
        """Kind and message in one line, without place and explanation."""

        told = first_words(self)
        stop = "" if not self.lesson or told.endswith((".", "!", "?")) else "."
        super().__init__(f"{told}{stop} {self.lesson}".rstrip())
        self.is_pytorchs = type(error) in (RuntimeError, NotImplementedError) or type(
            error
        ).__module__.startswith("torch")

    @property
    def is_of_script(self) -> bool:
        """Whether the learner's own code raised the error; False if PyTorch refused what it was asked."""
        return self.place is not None and (self.place.raised or not self.is_pytorchs)


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
