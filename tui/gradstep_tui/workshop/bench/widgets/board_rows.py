"""The board's rows: sorted, filtered, summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from gradstep_tui.workshop.bench.widgets.board_text import (
    MILESTONES,
    done_text,
    idle_text,
    phase_text,
    refusal_text,
)
from gradstep_tui.workshop.wire.messages import Row

STUCK: Final = 120
"""Seconds without an action after which a learner may need help."""

_ORDERS: Final[Mapping[str, Callable[[Row], tuple[object, ...]]]] = {
    "hands, then who waits": lambda row: (not row.online, not row.hand, row.hand or row.at),
    "name": lambda row: (),
    "epochs": lambda row: (not row.online, row.facts.epoch),
    "loss": lambda row: (not row.online, -_loss(row)),
}
SORTS: Final = tuple(_ORDERS)
"""Names of the orders."""


def arranged(rows: Sequence[Row], sort: str, only: str) -> list[Row]:
    """Return the rows that contain the text `only`, in the order `sort`."""
    order, wanted = _ORDERS[sort], only.casefold()
    kept = [row for row in rows if wanted in _searched_text(row).casefold()] if wanted else rows
    return sorted(kept, key=lambda row: (*order(row), row.name))


def class_text(rows: Sequence[Row], now: float) -> str:
    """Return a line that counts who is here, whose hand is up, and who has done nothing for a while."""
    here = [row for row in rows if row.online]
    away, hands = len(rows) - len(here), sum(bool(row.hand) for row in here)
    idle = sum(now - row.at >= STUCK for row in here)
    parts = [f"{len(here)} here", f"{away} away" * bool(away)]
    parts += [f"{hands} hand{'s' * (hands != 1)} up" * bool(hands)]
    parts += [f"{idle} idle for {STUCK // 60} min or more" * bool(idle)]
    return ", ".join(filter(None, parts))


def seen_text(rows: Sequence[Row], width: int) -> str:
    """Return a line that counts, for each milestone, the learners who are here and have reached it."""
    here = [row for row in rows if row.online]
    counts = [
        (sum(milestone in row.facts.seen for row in here), name) for milestone, name in MILESTONES.items()
    ]
    (first, first_name), *more = counts
    long = ", ".join(
        [f"{first} of {len(here)} have seen {first_name}", *(f"{count} {name}" for count, name in more)]
    )
    return long if len(long) <= width else "seen: " + ", ".join(f"{count} {name}" for count, name in counts)


def presenting_text(rows: Sequence[Row], presenter: str, own: bool) -> str:
    """Return a phrase that says who presents, and how many follow; empty if nobody presents."""
    if not presenter:
        return ""
    here = sum(row.online for row in rows)
    return f"{'YOU PRESENT' if own else f'{presenter} presents'}: {followers(rows)} of {here} follow"


def followers(rows: Sequence[Row]) -> int:
    """Return the number of learners who are here and follow what is presented."""
    return sum(row.online and row.following for row in rows)


def state_texts(row: Row, now: float) -> Iterator[str]:
    """Return what else there is to say about a learner: hand, watching, following."""
    if row.hand:
        yield f"hand up {idle_text(now - row.hand)}" if now - row.hand >= 60 else "hand up"
    if row.watched:
        yield "watched"
    if not row.allows:
        yield "not watchable"
    if row.following:
        yield "follows"


def _searched_text(row: Row) -> str:
    """Return the text in which a filter searches."""
    facts = row.facts
    unseen = " ".join(f"no {name}" for milestone, name in MILESTONES.items() if milestone not in facts.seen)
    states = " ".join(state_texts(row, row.hand))
    error = f"error {refusal_text(facts.refusal)}" if facts.refusal is not None else ""
    away = "" if row.online else "away"
    phase, done = phase_text(facts.phase), done_text(row)
    return f"{row.name} {row.problem} {phase} {done} {states} {away} {error} {unseen}"


def _loss(row: Row) -> float:
    loss = row.facts.loss
    return loss if isinstance(loss, float) else float("inf") if loss is not None else float("-inf")
