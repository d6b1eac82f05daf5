"""Describes the ledger of one number of a `.grad` in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.ledger.ledger import Forgotten, Hooked, Rewritten, Unrecorded, Write, Zeroed, since_zeroing
from gradstep_tui.plain.answers.numbers import element_name
from gradstep_tui.text.frames import passes_texts, share_text, unrecorded_text
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.grids import Element, column_names, grid_size, row_names
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame
    from gradstep.ledger.ledger import Line as Fact

MOST_LINES: Final = 1_000
"""Largest number of entries of the ledger that are listed; the newest are."""

FORGOTTEN: Final = "the first {passes:,} passes are no longer kept: timeline and go lead back to them"

_SIGNS: Final = str.maketrans("[],", "   ")
"""Replaces brackets and commas by blanks, so that a place may be typed as in Python: `w.grad[0, 1]`."""


def ledger_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield a line for every write to a number of a `.grad`.

    Args:
        frame: The frame.
        text: Parameter, row and column, e.g. `w 0 1` or `w apples rainfall`; empty for the first number.

    Raises:
        BadInput: there is no such parameter, row or column.
    """
    parameter, at = place_from(frame, text)
    newest_first = list(islice(frame.ledger.newest_first(parameter.name), MOST_LINES))
    name = element_name(f"{parameter.name}.grad", parameter, _number(parameter, at))
    yield f"{name} is {cell(at.of(parameter.grad))}; every write so far:"
    for fact in reversed(newest_first):
        yield from fact_texts(fact, at, unit_of(frame.loop))
    if not newest_first:
        yield "nothing yet: .grad is None until the first backward pass"
    yield from passes_texts(since_zeroing(iter(newest_first)), at) or ()


def place_from(frame: Frame, text: str) -> tuple[ParameterFrame, Element]:
    """Return the parameter and the element that a text names; by default, the first ones.

    Raises:
        BadInput: there is no such parameter, row or column.
    """
    words = text.translate(_SIGNS).split()
    name = words.pop(0).removesuffix(".grad") if words else frame.parameters[0].name
    parameter = next((parameter for parameter in frame.parameters if parameter.name == name), None)
    if parameter is None:
        names = ", ".join(parameter.name for parameter in frame.parameters)
        raise BadInput(f"{name[:40]!r} is not a parameter; the parameters are {names}")
    height, width = grid_size(parameter.value)
    dimensions = parameter.value.dim()
    row = _index(words, row_names(parameter), height, "row") if dimensions > 1 and words else 0
    column = _index(words, column_names(parameter), width, "column") if dimensions > 0 and words else 0
    if words:
        raise BadInput(f"{' '.join(words)[:40]!r} is too much; type, for example, {example(parameter)}")
    return parameter, Element(row, column)


def example(parameter: ParameterFrame) -> str:
    """Return a command that asks for the last number of a parameter."""
    return f"ledger {element_name(parameter.name, parameter, parameter.value.numel() - 1)}"


def fact_texts(fact: Fact, at: Element, unit: str = EPOCH) -> Iterator[str]:
    """Yield the lines for one entry of the ledger, with the paths that were summed inside a pass after it."""
    match fact:
        case Write():
            old, new, total = (cell(at.of(tensor)) for tensor in (fact.before, fact.part, fact.after))
            where = f"pass {fact.number}, {unit} {fact.epoch}{share_text(fact)}, event {fact.event}"
            yield f"{where}: {old} + {new} = {total}"
            yield from _path_texts(fact, at)
        case Zeroed():
            cause = "set to None" if fact.after is None else "zero_()"
            yield _change_text(cause, fact.before, fact.after, at)
        case Rewritten():
            yield _change_text("a statement without a pass", fact.before, fact.after, at)
        case Hooked():
            yield _change_text("a hook", fact.before, fact.after, at)
        case Unrecorded():
            yield unrecorded_text(fact, at, unit)
        case Forgotten():
            yield FORGOTTEN.format(passes=fact.passes)


def _change_text(cause: str, before: Tensor | None, after: Tensor | None, at: Element) -> str:
    return f"{cause}: {cell(at.of(before))} becomes {cell(at.of(after))}"


def _path_texts(write: Write, at: Element) -> Iterator[str]:
    if write.paths:
        yield f"  inside this pass, {len(write.paths)} paths were summed to {cell(at.of(write.part))}:"
    for path in write.paths:
        source = f" for {path.source}" if path.source else ""
        yield f"  {cell(at.of(path.grad))} from {path.maker}{source}"


def _index(words: list[str], names: Sequence[str], size: int, what: str) -> int:
    """Return the index of a row or a column, and remove the words that name it from the front of `words`."""
    known = [name.casefold().translate(_SIGNS).split() for name in names]
    for count in range(len(words), 0, -1):
        wanted = [word.casefold() for word in words[:count]]
        if wanted in known:
            del words[:count]
            return known.index(wanted)
    word = words.pop(0)
    if word.isascii() and word.isdigit() and len(word) < 10 and int(word) < size:
        return int(word)
    named = f", or {', '.join(names[:10])}" if any(names) else ""
    raise BadInput(f"{word[:40]!r} is not a {what}; enter a number from 0 to {size - 1}{named}")


def _number(parameter: ParameterFrame, at: Element) -> int:
    return at.row * grid_size(parameter.value)[1] + at.column
