"""Sets of rounds as conditions in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

MOST_COMPARED: Final = 2
"""Stretches of rounds that a condition names one by one."""


def condition(runs: Sequence[range], others: Iterable[range], session: str) -> str | None:
    """Return the condition that is true in some rounds, and not in others; it may be either in the rest.

    Args:
        runs: Rounds in which it is true, counted from 1, in order.
        others: Rounds in which it is false.
        session: Name of the object that has the number of the round.

    Returns:
        Source of the condition; None if it is always true, `False` if it is never true.
    """
    barred = sorted(others, key=lambda rounds: rounds.start)
    if not barred:
        return None
    if not runs:
        return "False"
    stretches: list[list[int]] = []
    for rounds in runs:
        joined = stretches and not any(stretches[-1][1] < b.start < rounds.start for b in barred)
        if joined:
            stretches[-1][1] = rounds.stop - 1
        else:
            stretches.append([rounds.start, rounds.stop - 1])
    lowest, highest = barred[0].start, barred[-1].stop - 1
    if len(stretches) > MOST_COMPARED:
        return f"{session}.is_in({', '.join(f'({first}, {last})' for first, last in stretches)})"
    return " or ".join(
        _compared(first, last, lowest, highest, f"{session}.round") for first, last in stretches
    )


def in_words(runs: Sequence[range]) -> str:
    """Return rounds in words, e.g. "rounds 1 to 10 and 12"."""
    parts = [
        f"{rounds.start} to {rounds.stop - 1}" if len(rounds) > 1 else f"{rounds.start}"
        for rounds in _joined(runs)
    ]
    several = len(parts) > 1 or " to " in parts[0]
    if len(parts) == 1 and len(_joined(runs)[0]) == 2:
        return f"rounds {parts[0].replace(' to ', ' and ')}"
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"round{'s' * several} {listed}"


def _joined(runs: Sequence[range]) -> list[range]:
    joined: list[range] = []
    for rounds in runs:
        if joined and joined[-1].stop == rounds.start:
            joined[-1] = range(joined[-1].start, rounds.stop)
        else:
            joined.append(rounds)
    return joined


def _compared(first: int, last: int, lowest: int, highest: int, name: str) -> str:
    if first == last:
        return f"{name} == {first}"
    if last < lowest:
        return f"{name} <= {last}"
    if first > highest:
        return f"{name} >= {first}"
    return f"{first} <= {name} <= {last}"
