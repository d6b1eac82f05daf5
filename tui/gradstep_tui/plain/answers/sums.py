"""Describes changes element by element: `old + new = sum` for a `.grad`, old and new for other numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradstep_tui.plain.answers.numbers import MOST_TOLD, element_name, operand_text, rest_text, row_texts
from gradstep_tui.text.frames import has_nonzero, sum_note
from gradstep_tui.text.tensors.numbers import NOT_KEPT, cell, cells

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame


def sum_texts(parameter: ParameterFrame, most: int = MOST_TOLD) -> Iterator[str]:
    """Yield the lines for a pass's write to a `.grad`: `old + new = sum`, a line for each number."""
    written = parameter.accumulation
    name = f"{parameter.name}.grad"
    if written is None or written.after is None:
        yield f"{name}: None"
        return
    yield f"{name}, {sum_note(parameter)}:"
    names = [element_name(name, parameter, place) for place in range(min(most, written.after.numel()))]
    columns = [_flat(tensor, len(names)) for tensor in (written.before, written.part, written.after)]
    numbers = zip(names, *columns, strict=True)
    yield from (f"  {element}: {old} + {new} = {total}" for element, old, new, total in numbers)
    yield from rest_text(f"  {name}", written.after.numel() - len(names))


def value_texts(parameter: ParameterFrame, most: int = MOST_TOLD) -> Iterator[str]:
    """Yield the old and the new number of every element of a parameter that the last action changed."""
    before = parameter.value_before
    if before is None:
        return
    old, new = before.reshape(-1), parameter.value.reshape(-1)
    places = (old != new).nonzero().reshape(-1)
    count, size = len(places), new.numel()
    some = "" if count == size else f", {count:,} of {size:,} numbers"
    yield f"{parameter.name} changed{some}:"
    for place in places[:most].tolist():
        was, now = apart(old[place].item(), new[place].item())
        yield f"  {element_name(parameter.name, parameter, place)}: was {was}, now {now}"
    yield from rest_text(f"  {parameter.name}", count - most)


def grad_texts(parameter: ParameterFrame) -> Iterator[str]:
    """Yield the lines for the last action's change of a `.grad`; no lines if it did not change."""
    name = f"{parameter.name}.grad"
    if not parameter.grad_changed:
        return
    if parameter.grad is None:
        yield f"{name} is None now"
    elif parameter.accumulation is not None:
        yield from sum_texts(parameter)
    elif not has_nonzero(parameter.grad):
        yield f"{name} is zeroed: all its numbers are 0"
    else:
        yield f"{name} is now:"
        yield from (f"  {text}" for text in row_texts(name, parameter, parameter.grad, MOST_TOLD))


def memory_texts(parameter: ParameterFrame, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines for the optimizer's state that the last action changed, or for all of it."""
    for part, value in parameter.memory.items():
        if everything or parameter.memory_changed(part):
            name = f"{parameter.name}.{part}"
            if value.shape == parameter.value.shape and value.dim():
                yield f"{name} is {'' if everything else 'now'}:".replace(" :", ":")
                yield from (f"  {text}" for text in row_texts(name, parameter, value, MOST_TOLD))
            else:
                yield f"{name}: {operand_text(name, value).removeprefix(f'{name} = ')}"
    if parameter.memory_before and not parameter.memory and not everything:
        yield f"the optimizer has no state for {parameter.name} now"


def _flat(tensor: Tensor | None, count: int) -> list[str]:
    """Return the first `count` numbers as texts; `None` for each if there is no tensor."""
    if tensor is None:
        return ["None"] * count
    if tensor.is_meta:
        return [NOT_KEPT] * count
    return [number for row in cells(tensor.reshape(-1)[:count]) for number in row]


def apart(old: float, new: float) -> tuple[str, str]:
    """Return two different numbers as texts, with more digits if the texts would be the same."""
    texts = cell(old), cell(new)
    return texts if texts[0] != texts[1] else (f"{old:.9g}", f"{new:.9g}")
