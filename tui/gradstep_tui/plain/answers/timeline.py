"""Describes the timeline, and comparisons of two runs, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gradstep.actions import GoTo
from gradstep.errors import BadInput
from gradstep_tui.plain.answers.state import sampled_epochs
from gradstep_tui.text.comparison import Names, first_text, momentum_text, told_apart
from gradstep_tui.text.quoting import quoted
from gradstep_tui.text.statements import counted, unit_of, zeroes
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.text.timeline import compared_names, stop_text

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison
    from gradstep.history.timeline import Timeline
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptLoop
    from gradstep.session import Session


def timeline_texts(session: Session, text: str) -> Iterator[str]:
    """Yield the points of the branch that the session is on, or of the branch through point `text`."""
    line = session.timeline(_number(text) if text else None)
    for place in range(len(line.stops)):
        yield _stop_text(line, place, session.frame.loop)
    if line.lines == 1:
        yield "no branches yet: a new action after an undo begins one"
    else:
        there = "this one" if line.here is not None else "another one"
        yield f"{line.lines} branches; the session is on {there}"
    yield "go N goes to a point, compare N compares with it, timeline N lists the branch through it"


def go_to(text: str) -> GoTo:
    """Return the action for a point, and optionally a place inside the action that led to it.

    Raises:
        BadInput: `text` is not one or two numbers.
    """
    words = text.split(maxsplit=1)
    if not words:
        raise BadInput("go needs the number of a point: timeline lists them")
    return GoTo(_number(words[0]), _number(words[1]) if len(words) > 1 else 0)


def twin_texts(session: Session, stopped: Callable[[], bool]) -> Iterator[str]:
    """Return the comparison of the session with its twin, the reference loop from the same start."""
    zeroing = "OFF" if zeroes(session.frame.loop) is False else "on"
    found = session.twin(stopped)
    here, frame = f"session, zeroing {zeroing}", session.frame
    return comparison_texts(found, Names(here, "twin, zeroing on", "its twin", unit_of(frame.loop), frame))


def compare_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Return the comparison of the session with another point of its history."""
    if not text:
        raise BadInput("compare needs the number of a point: timeline lists them")
    point = _number(text)
    found = session.compare(point, stopped)
    line, other = session.timeline(), session.timeline(point)
    mine = line.stops[: (line.here or 0) + 1]
    others = other.stops[: 1 + _place_of(other, point)]
    return comparison_texts(found, compared_names(mine, others, session.frame))


def _place_of(line: Timeline, point: int) -> int:
    return next(place for place, stop in enumerate(line.stops) if stop.number == point)


def comparison_texts(found: Comparison, names: Names) -> Iterator[str]:
    """Yield the comparison of two runs: their numbers, the first difference, and some losses of both."""
    many = counted(found.epochs, names.unit)
    yield f"compared after {many}: {names.here}; and {names.other}"
    if found.last is not None:
        yield f"last loss: {_pair(*found.last)}"
    for gap in found.gaps:
        yield f"furthest apart in {gap.parameter}: {names.element(gap)}, {_pair(gap.first, gap.second)}"
    yield first_text(found.first, names)
    yield from filter(None, [momentum_text(found)])
    ours, theirs = found.losses
    for epoch in sampled_epochs(len(ours)):
        yield f"loss of {names.unit} {epoch + 1:,}: {_pair(ours[epoch], theirs[epoch])}"


def _stop_text(line: Timeline, place: int, loop: Loop | ScriptLoop) -> str:
    stop = line.stops[place]
    here = "" if place != line.here else f", here, inside at {line.inside}" if line.inside else ", here"
    loss = "" if stop.loss is None else f", loss {cell(stop.loss)}"
    others = [str(number) for number in stop.branches if number != stop.number]
    branches = f"; another branch begins with point {', '.join(others)}" if others else ""
    done = f"{unit_of(loop)} {stop.epoch:,}"
    return f"point {stop.number}{here}: {stop_text(stop, loop, ' of ')}, {done}{loss}{branches}"


def _pair(ours: complex, theirs: complex) -> str:
    mine, others = told_apart(ours, theirs)
    return f"{mine} and {others}, gap {'none' if ours == theirs else cell(ours - theirs)}"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(f"{quoted(text)} is not the number of a point: timeline lists them")
    return int(text)
