"""The board's rows: sorted, filtered, summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from gradstep_tui.workshop.wire.messages import Row
from gradstep_tui.workshop.wire.milestones import ALL

STUCK: Final = 120
"""Seconds without an action after which somebody may need help."""

_ORDERS: Final[Mapping[str, Callable[[Row], tuple[object, ...]]]] = {
    "hands, then who waits": lambda row: (not row.online, not row.hand, row.hand or row.at),
    "name": lambda row: (),
    "epochs": lambda row: (not row.online, row.facts.epoch),
    "loss": lambda row: (not row.online, -_loss(row)),
}
SORTS: Final = tuple(_ORDERS)
"""Ways to sort."""


def arranged(rows: Sequence[Row], sort: str, only: str) -> list[Row]:
    """Give those that a filter lets through, in order."""
    order, wanted = _ORDERS[sort], only.casefold()
    kept = [row for row in rows if wanted in _text(row).casefold()] if wanted else rows
    return sorted(kept, key=lambda row: (*order(row), row.name))


def class_text(rows: Sequence[Row], now: float) -> str:
    """Say who is here, and who waits."""
    here = [row for row in rows if row.online]
    away, hands = len(rows) - len(here), sum(bool(row.hand) for row in here)
    idle = sum(now - row.at >= STUCK for row in here)
    parts = [f"{len(here)} here", f"{away} away" * bool(away)]
    parts += [f"{hands} hand{'s' * (hands != 1)} up" * bool(hands)]
    parts += [f"{idle} idle for {STUCK // 60} min or more" * bool(idle)]
    return ", ".join(filter(None, parts))


def seen_text(rows: Sequence[Row], width: int) -> str:
    """Say what the class has seen, of those who are here."""
    here = [row for row in rows if row.online]
    counts = [(sum(what in row.facts.seen for row in here), what) for what in ALL]
    (first, what), *more = counts
    long = ", ".join([f"{first} of {len(here)} have seen {what}", *(f"{many} {one}" for many, one in more)])
    return long if len(long) <= width else "seen: " + ", ".join(f"{many} {one}" for many, one in counts)


def presenting_text(rows: Sequence[Row], presenter: str, own: bool) -> str:
    """Say who presents, and how many follow; empty where nobody does."""
    if not presenter:
        return ""
    here = sum(row.online for row in rows)
    return f"{'YOU PRESENT' if own else f'{presenter} presents'}: {followers(rows)} of {here} follow"


def followers(rows: Sequence[Row]) -> int:
    """Count who sees what is presented."""
    return sum(row.online and row.following for row in rows)


def state_words(row: Row, now: float) -> Iterator[str]:
    """Say what else there is to know of a learner."""
    if row.hand:
        yield f"hand up {idle_text(now - row.hand)}" if now - row.hand >= 60 else "hand up"
    if row.watched:
        yield "watched"
    if not row.allows:
        yield "not watchable"
    if row.following:
        yield "follows"


def idle_text(seconds: float) -> str:
    """Write how long nothing was done, as coarse as it need be: what does not change is not drawn again."""
    if seconds < 10:
        return "now"
    if seconds < 60:
        return f"{int(seconds) // 10 * 10} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} d"


def _text(row: Row) -> str:
    """What a filter looks for."""
    facts = row.facts
    unseen = " ".join(f"no {what}" for what in ALL if what not in facts.seen)
    states = " ".join(state_words(row, row.hand))
    error = f"error {facts.error}" if facts.error else ""
    away = "" if row.online else "away"
    return f"{row.name} {row.problem} {facts.phase} {facts.done} {states} {away} {error} {unseen}"


def _loss(row: Row) -> float:
    loss = row.facts.loss
    return loss if isinstance(loss, float) else float("inf") if loss is not None else float("-inf")
