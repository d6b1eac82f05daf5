"""Numbers of a session by the names that a lesson gives them, e.g. `w.grad[apples, rainfall]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gradstep.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

GRAD: Final = "grad"


class NumberName(NamedTuple):
    """A number of a parameter, of its `.grad`, or of the optimizer's state for it."""

    parameter: str
    part: str
    """Empty for the parameter itself, `grad`, or PyTorch's name for a part of the optimizer's state."""

    place: tuple[int, ...]
    """Place of the element, counted from 0 along each dimension."""


def number_name(text: str, frame: Frame) -> NumberName:
    """Return the number that a text names: a place is a number from 0, or the name of a row or column.

    Raises:
        BadInput: The session has no such number.
    """
    base, _, rest = text.strip().partition("[")
    base, words = base.strip(), [word.strip() for word in rest.removesuffix("]").split(",") if word.strip()]
    named = {parameter.name: parameter for parameter in frame.parameters}
    name, part = (base, "") if base in named else _split(base)
    if name not in named:
        raise BadInput(f"{text[:60]!r} names no parameter: this problem has {', '.join(named)}")
    return NumberName(name, part, _index(text, named[name], words))


def _split(base: str) -> tuple[str, str]:
    name, _, part = base.rpartition(".")
    return name, part


def _index(text: str, parameter: ParameterFrame, words: list[str]) -> tuple[int, ...]:
    shape = tuple(parameter.value.shape)
    if len(words) != len(shape):
        wants = (
            f"{len(shape)} place{'s' * (len(shape) != 1)} in brackets" if shape else "no place in brackets"
        )
        raise BadInput(f"{text[:60]!r} needs {wants}: {parameter.name} has the shape {shape}")
    labels = parameter.labels or ((),) * len(shape)
    return tuple(
        _place(text, word, size, names) for word, size, names in zip(words, shape, labels, strict=True)
    )


def _place(text: str, word: str, size: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word)
    if word.isascii() and word.isdigit() and len(word) < 10 and int(word) < size:
        return int(word)
    also = f", or {', '.join(names)}" if names else ""
    raise BadInput(f"{word[:40]!r} in {text[:60]!r} is no place: use a number from 0 to {size - 1}{also}")


def number_at(name: NumberName, frame: Frame) -> float | None:
    """Return a number of a session; None if there is no tensor for it."""
    parameter = next(one for one in frame.parameters if one.name == name.parameter)
    tensor: Tensor | None = parameter.value
    if name.part == GRAD:
        tensor = parameter.grad
    elif name.part:
        tensor = parameter.memory.get(name.part)
    if tensor is None:
        return None
    return float(tensor[name.place].item()) if tensor.dim() else float(tensor.item())
