"""Back in time: the points of a session, and two runs side by side, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gradstep.actions import GoTo
from gradstep.errors import BadInput
from gradstep.loop.loop import Kind
from gradstep_tui.plain.answers.state import sampled_epochs
from gradstep_tui.text.comparison import Names, first_text, momentum_text, told_apart
from gradstep_tui.text.frames import action_text
from gradstep_tui.text.numbers import cell
from gradstep_tui.text.quoting import quoted

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison
    from gradstep.history.timeline import Timeline
    from gradstep.session import Session


def timeline_texts(session: Session, text: str) -> Iterator[str]:
    """Tell the points of the line on which the session stands, or of the one through another point."""
    line = session.timeline(_number(text) if text else None)
    for place in range(len(line.stops)):
        yield _stop_text(line, place)
    if line.lines == 1:
        yield "one line; doing something else after an undo begins a branch"
    else:
        there = "this one" if line.here is not None else "another one"
        yield f"{line.lines} branches; the session is on {there}"
    yield "go N goes to a point, compare N compares with it, timeline N tells the line through it"


def go_to(text: str) -> GoTo:
    """Read a point, and how far inside the action that led to it.

    Raises:
        BadInput: these are no numbers.
    """
    words = text.split(maxsplit=1)
    if not words:
        raise BadInput("go needs the number of a point: timeline tells them")
    return GoTo(_number(words[0]), _number(words[1]) if len(words) > 1 else 0)


def twin_texts(session: Session, stopped: Callable[[], bool]) -> Iterator[str]:
    """Compare the session with its twin, the reference loop from the same start."""
    zeroing = "on" if session.frame.loop.is_enabled(Kind.ZERO) else "OFF"
    found = session.twin(stopped)
    return comparison_texts(found, Names(f"session, zeroing {zeroing}", "twin, zeroing on", "with its twin"))


def compare_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Compare the session with another point of its history."""
    if not text:
        raise BadInput("compare needs the number of a point: timeline tells them")
    point = _number(text)
    found = session.compare(point, stopped)
    return comparison_texts(found, Names("session", f"point {point}", f"at point {point}"))


def comparison_texts(found: Comparison, names: Names) -> Iterator[str]:
    """Tell what two runs came to, where they part, and some losses of both curves."""
    many = "1 epoch" if found.epochs == 1 else f"{found.epochs:,} epochs"
    yield f"compared after {many}: {names.one}; and {names.other}"
    if found.last is not None:
        yield f"last loss: {_pair(*found.last)}"
    for gap in found.gaps:
        yield f"furthest apart in {gap.parameter}: {gap.name}, {_pair(gap.one, gap.other)}"
    yield first_text(found.first, names)
    yield from filter(None, [momentum_text(found)])
    one, other = found.losses
    for epoch in sampled_epochs(len(one)):
        yield f"loss of epoch {epoch + 1:,}: {_pair(one[epoch], other[epoch])}"


def _stop_text(line: Timeline, place: int) -> str:
    stop = line.stops[place]
    here = "" if place != line.here else f", here, inside at {line.inside}" if line.inside else ", here"
    loss = "" if stop.loss is None else f", loss {cell(stop.loss)}"
    others = [str(number) for number in stop.branches if number != stop.number]
    branches = f"; another branch begins with point {', '.join(others)}" if others else ""
    return f"point {stop.number}{here}: {action_text(stop.action)}, epoch {stop.epoch:,}{loss}{branches}"


def _pair(one: complex, other: complex) -> str:
    mine, others = told_apart(one, other)
    return f"{mine} and {others}, gap {'none' if one == other else cell(one - other)}"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(f"{quoted(text)} is no number of a point: timeline tells them")
    return int(text)
