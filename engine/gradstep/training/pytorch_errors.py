"""Explanations of the errors that PyTorch raises if the loop runs in an order that cannot work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError

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


class PyTorchError(EngineError):
    """PyTorch or Python refused a statement of the loop."""

    def __init__(self, error: BaseException, trace: Trace | None = None) -> None:
        """Keep the first line of the error's message and find the sentence that explains it.

        Args:
            error: Exception that was raised.
            trace: Recording of a backward pass up to the error; None if none was recorded.
        """
        self.trace = trace
        self.own_words = str(error).split("\n")[0]
        if isinstance(error, SystemExit):
            self.own_words = f"the script calls exit({'' if error.code is None else repr(error.code)})"
        self.kind = type(error).__name__
        self.lesson = next((lesson for part, lesson in LESSONS if part in self.own_words), "")
        super().__init__(f"{self.kind}: {self.own_words} {self.lesson}".rstrip())


def first_words(error: BaseException) -> str:
    """Return an error's message; for a `PyTorchError`, without the explanation."""
    return f"{error.kind}: {error.own_words}" if isinstance(error, PyTorchError) else str(error)


@contextmanager
def in_its_own_words(*kinds: type[BaseException]) -> Iterator[None]:
    """Raise a `PyTorchError` for an exception of these kinds that is raised in the `with` block."""
    try:
        yield
    except kinds as error:
        raise PyTorchError(error) from error
