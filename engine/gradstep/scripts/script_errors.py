"""Errors about a script, with the place in it, Python's own message and a sentence that explains it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from gradstep.captured_output import harmless
from gradstep.errors import BadInput, EngineError

LONGEST: Final = 400
"""Length in characters at which the message of a script's exception is cut."""

_NO_GPU: Final = "This machine has no GPU that PyTorch can use: use the device cpu."

_NO_GRAD: Final = (
    "A .grad is None until a backward pass reaches its tensor; if that is no leaf, it stays None."
)

SENTENCES: Final[tuple[tuple[str, str], ...]] = (
    ("SystemExit", "A script that ends itself leaves nothing to train: remove this line."),
    ("KeyboardInterrupt", "The script interrupted itself: remove this line."),
    ("EOFError", "A script cannot ask for input here: write the value into the script."),
    ("SyntaxError", "Python cannot read this line."),
    ("IndentationError", "Python cannot read this line: its indentation does not match the lines around it."),
    ("TabError", "Python cannot read this line: tabs and spaces are mixed."),
    ("RecursionError", "A function calls itself endlessly."),
    (
        "ModuleNotFoundError",
        "Install the module in the environment of gradstep, or put it into the script's folder.",
    ),
    (
        "backward through the graph a second time",
        "A backward pass frees what its graph has saved: compute the loss anew before each backward, and "
        "take .detach() of what is carried from one round to the next.",
    ),
    (
        "modified by an inplace operation",
        "A tensor that backward needs was changed in place after the forward pass (+=, zero_, an update): "
        "write x = x + 1 in place of x += 1, or run backward first.",
    ),
    (
        "leaf Variable that requires grad is being used in an in-place operation",
        "Change a parameter inside `with torch.no_grad():`.",
    ),
    (
        "can only change requires_grad flags of leaf variables",
        "Only a tensor that was not computed from others can be frozen: use .detach().",
    ),
    (
        "can't optimize a non-leaf Tensor",
        "A tensor computed from others, as torch.randn(2, requires_grad=True) * 0.01 is, gets no .grad: "
        "compute the numbers first and call .requires_grad_() last.",
    ),
    (
        "optimizer got an empty parameter list",
        "The model has no registered parameter: layers in a plain list need nn.ModuleList, tensors need "
        "nn.Parameter.",
    ),
    (
        "does not require grad",
        "This tensor depends on no parameter, or something cuts the graph: .detach(), .data, .item(), "
        "no_grad, numpy.",
    ),
    (
        "grad can be implicitly created only for scalar outputs",
        "Backward starts from one number: reduce the loss, e.g. with .mean() or .sum().",
    ),
    (
        "not have been used in the graph",
        "The result does not depend on one of these tensors: leave the unused one out, or pass "
        "allow_unused=True.",
    ),
    (
        "Can't call numpy() on Tensor that requires grad",
        "numpy does not know gradients: call .detach().numpy().",
    ),
    (
        "floating point and complex dtype can require gradients",
        "Whole numbers have no gradient: write 2.0 in place of 2, or pass dtype=torch.float32.",
    ),
    (
        "'NoneType' object has no attribute 'zero_'",
        "There is no gradient to zero yet: .grad is None until the first backward pass.",
    ),
    (
        "'NoneType' and 'float'",
        _NO_GRAD,
    ),
    (
        "'float' and 'NoneType'",
        _NO_GRAD,
    ),
    (
        "shapes cannot be multiplied",
        "In a matrix product, the first matrix needs as many columns as the second has rows.",
    ),
    ("must match the size of tensor", "These two shapes cannot be broadcast together."),
    ("size mismatch", "The two shapes do not match."),
    (
        "must have the same dtype",
        "Both tensors must have the same dtype: convert one of them, e.g. with .float().",
    ),
    ("expected scalar type Long", "Class numbers must be integers: convert them with .long()."),
    ("out of bounds", "An index is too large: class numbers go from 0 to the number of classes minus 1."),
    ("not compiled with CUDA", _NO_GPU),
    ("Found no NVIDIA driver", _NO_GPU),
    ("No CUDA GPUs", _NO_GPU),
    ("not compiled with XPU", _NO_GPU),
    ("not linked with support for", _NO_GPU),
    (
        "Inference tensors cannot be saved",
        "A tensor that is made in inference mode cannot take part in a backward pass: make it outside.",
    ),
    (
        "signal only works in main thread",
        "A script runs in a thread here, and only the main thread can have signal handlers.",
    ),
)
"""Explanations of errors, each by the name of an exception or by a part of its message."""


class Remedy(StrEnum):
    """Setting of a start, outside the script or the table, that can mend an error."""

    NAME_PARTS = "name parts"
    """The script's names for its inputs, targets, model or loss function are given."""

    CHOOSE_TARGETS = "choose targets"
    """Columns of the table are named as targets."""

    LEAVE_UNSTANDARDIZED = "leave unstandardized"
    """The columns of the table are not standardized."""

    LINE_OF_NAMES = "line of names"
    """The first line of the table is read as the columns' names."""


class ScriptError(BadInput):
    """A script cannot be trained: it cannot be read, raises an exception, or lacks a part of a problem."""

    def __init__(
        self,
        path: Path,
        own_words: str,
        sentence: str = "",
        remedy: Remedy | None = None,
        /,
        *,
        place: str = "",
        text: str = "",
    ) -> None:
        """Make the error.

        Args:
            path: Path of the script.
            own_words: Name and message of Python's or PyTorch's exception, or what gradstep found wrong.
            sentence: Explanation, or what to do; may be empty.
            remedy: Setting of the start that can mend the error; None if there is none.
            place: Place in the script, e.g. "line 3" or "cell 2, line 1"; empty if the whole script is meant.
            text: Text of the line at that place.
        """
        self.remedy = remedy
        self.path, self.place, self.text = path, place, harmless(text.strip())
        self.own_words = _short(harmless(" ".join(own_words.split())))
        self.sentence = sentence = harmless(sentence)
        where = harmless(f"{path}, {place}" if place else str(path))
        super().__init__(f"{where}: {self.own_words}{'. ' if sentence else ''}{sentence}")

    @property
    def lines(self) -> tuple[str, ...]:
        """The message over several lines, with the text of the script's line."""
        where = harmless(f"{self.path}, {self.place}" if self.place else str(self.path))
        head = f"{where}: {self.text}" if self.text else where
        return tuple(filter(None, (head, self.own_words, self.sentence)))


class Abandoned(EngineError):  # noqa: N818 - named after what happened
    """The learner stopped waiting for a script that still runs."""

    def __init__(self, path: Path) -> None:
        """Make the error for the script at a path."""
        super().__init__(f"{path}: stopped before the script ended")


def sentence_for(kind: str, message: str) -> str:
    """Return the explanation of an error, or an empty string if there is none."""
    found = (sentence for key, sentence in SENTENCES if key == kind or (" " in key and key in message))
    return next(found, "")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
