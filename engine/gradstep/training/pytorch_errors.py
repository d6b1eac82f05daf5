"""One sentence for each error that PyTorch raises when the loop is run in an order that cannot work."""

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
        "A backward pass frees what the graph saved; run forward again to build a new graph.",
    ),
    (
        "modified by an inplace operation",
        "The update changed, in place, a tensor that this graph saved; run backward before the update.",
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
        "No parameter led to this loss, so there is nothing to differentiate.",
    ),
    (
        "without overflow",
        "The learning rate, or an option of the optimizer, is too large for numbers of this type.",
    ),
    (
        "EOF when reading a line",
        "A script has nobody to ask here: write the value into it.",
    ),
    (
        "name 'loss' is not defined",
        "There is no loss to go back from yet: run forward first.",
    ),
    (
        "the script calls exit(",
        "A model that ends the program cannot be trained: take that line out.",
    ),
)
"""A part of PyTorch's (or Python's) message, and what it means here."""


class PyTorchError(EngineError):
    """PyTorch, or Python itself, refused a statement of the loop."""

    def __init__(self, error: BaseException, trace: Trace | None = None) -> None:
        """Keep the error's own words and find the sentence that explains them.

        Args:
            error: What was raised.
            trace: What a backward pass had done before it raised; None where none was recorded.
        """
        self.trace = trace
        self.own_words = str(error).split("\n")[0]
        if isinstance(error, SystemExit):
            self.own_words = f"the script calls exit({'' if error.code is None else repr(error.code)})"
        self.kind = type(error).__name__
        self.lesson = next((lesson for part, lesson in LESSONS if part in self.own_words), "")
        super().__init__(f"{self.kind}: {self.own_words} {self.lesson}".rstrip())


def first_words(error: BaseException) -> str:
    """Give what an error says, without the lesson where PyTorch raised it."""
    return f"{error.kind}: {error.own_words}" if isinstance(error, PyTorchError) else str(error)


@contextmanager
def in_its_own_words(*kinds: type[BaseException]) -> Iterator[None]:
    """Turn what PyTorch, or Python, raises inside into a `PyTorchError`."""
    try:
        yield
    except kinds as error:
        raise PyTorchError(error) from error
