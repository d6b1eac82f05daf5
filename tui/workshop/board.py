"""The board's rows: sorted, filtered, summed up and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.lines import Line, Span, fitted, line
from tui.numbers import cell
from tui.workshop.messages import Row
from tui.workshop.milestones import ALL

BARS: Final = "▁▂▃▄▅▆▇█"
CURVE: Final = 10
"""Cells of a learner's curve."""

CURSOR: Final = "|"
STUCK: Final = 120
"""Seconds without an action after which somebody may need help."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A row, and when something was done last, by this process's clock."""

    row: Row
    at: float


_ORDERS: Final[Mapping[str, Callable[[Entry, float], tuple[object, ...]]]] = {
    "hands, then who waits": lambda one, now: (not one.row.online, not one.row.hand, one.at),
    "name": lambda one, now: (one.row.name,),
    "epochs": lambda one, now: (not one.row.online, one.row.facts.epoch),
    "loss": lambda one, now: (not one.row.online, -_loss(one)),
}
SORTS: Final = tuple(_ORDERS)
"""Ways to sort."""


def arranged(entries: Sequence[Entry], sort: str, only: str, now: float) -> list[Entry]:
    """Give those that a filter lets through, in order."""
    order, wanted = _ORDERS[sort], only.casefold()
    kept = [one for one in entries if wanted in _text(one.row).casefold()]
    return sorted(kept, key=lambda one: (*order(one, now), one.row.name))


def summary_line(entries: Sequence[Entry], sort: str, only: str, presenting: bool) -> Line:
    """Say where the class is."""
    here = [one.row for one in entries if one.row.online and not _teaches(one.row)]
    hands = sum(row.hand for row in here)
    seen = [f"{sum(what in row.facts.seen for row in here)} {what}" for what in ALL]
    return line(
        Span(f" {len(here)} here", "title"),
        Span(f"  {hands} hand{'s' * (hands != 1)} up" if hands else "", "warn"),
        f"  seen: {', '.join(seen)}",
        Span(f"  by {sort}" + (f", only {only!r}" if only else ""), "dim"),
        Span("  PRESENTING" if presenting else "", "mark"),
    )


def board_lines(entries: Sequence[Entry], chosen: str, width: int, height: int, now: float) -> list[Line]:
    """Draw the rows around the chosen one."""
    names = [one.row.name for one in entries]
    at = names.index(chosen) if chosen in names else 0
    room = max(height - 1, 1)
    first = min(max(at - room // 2, 0), max(len(entries) - room, 0))
    head = line(
        Span(f"  {'name':<14}{'problem':<11}{'next':<20}{'epoch':>7}{'loss':>12}  ", "label"),
        Span(f"{'curve':<{CURVE}} {'idle':>6}  last", "label"),
    )
    shown = entries[first : first + room]
    return [fitted(head, width), *(_row_line(one, one.row.name == chosen, width, now) for one in shown)]


def _row_line(one: Entry, chosen: bool, width: int, now: float) -> Line:
    row, facts = one.row, one.row.facts
    role = "current" if chosen else "" if row.online else "dim"
    flags = "!" if row.hand else "w" if row.watched else "-" if not row.allows else " "
    loss = "" if facts.loss is None else facts.loss if isinstance(facts.loss, str) else cell(facts.loss)
    idle = "away" if not row.online else _idle(now - one.at)
    text = (
        f"{CURSOR if chosen else ' '}{flags}{row.name[:13]:<14}{row.problem[:10]:<11}{_phase(row)[:19]:<20}"
        f"{facts.epoch:>7,}{loss:>12}  {sparkline(row.losses):<{CURVE}} {idle:>6}  "
    )
    last = f"{facts.done}{f' ({facts.error})' if facts.error else ''}"
    warn = "warn" if (row.hand or facts.error) and not chosen else role
    return fitted(line(Span(text, warn), Span(last, role)), width, role)


def sparkline(losses: Sequence[float], cells: int = CURVE) -> str:
    """Draw a curve in one line: each cell as high as its loss among those shown."""
    shown = losses[-cells:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    return "".join(BARS[int((one - low) / span * (len(BARS) - 1))] for one in shown)


def _phase(row: Row) -> str:
    return "follows" if row.following else row.facts.phase


def _idle(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.0f} h"


def _teaches(row: Row) -> bool:
    return row.role == "instructor"


def _text(row: Row) -> str:
    return f"{row.name} {row.problem} {row.facts.phase} {row.facts.done} {'hand' if row.hand else ''}"


def _loss(one: Entry) -> float:
    loss = one.row.facts.loss
    return loss if isinstance(loss, float) else float("inf") if loss is not None else float("-inf")
