"""Earlier sessions that can be resumed: those that were not left in order, and the last one of a problem."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep_tui.session.script_start import resuming_title

if TYPE_CHECKING:
    from datetime import datetime

    from gradstep.saving.session_folder import Store


@dataclass(frozen=True, slots=True)
class Offer:
    """An earlier session that can be resumed."""

    path: Path
    problem: str
    actions: int
    """Number of actions in the session."""

    epoch: int
    """Number of complete epochs at the session's end."""

    when: str
    """Local date and time at which the session began."""

    in_order: bool = False
    """Whether the session was closed properly: then it is only mentioned, and does not ask for an answer."""

    runs: str = ""
    """Words for the script that runs when the session is resumed; empty if none does."""


def unfinished_offer(store: Store) -> tuple[Offer | None, str]:
    """Return the latest session that was not closed properly, and what is wrong with a damaged file."""
    found = store.unfinished()
    bad = f"a session file cannot be read and stays as it is: {found.bad[0]}" if found.bad else ""
    saved = found.session
    if saved is None:
        return None, bad
    start, last = saved.header.start, saved.actions[-1]
    when, runs = _local(saved.header.started), resuming_title(start)
    return Offer(saved.path, start.title, len(saved.actions), last.epoch, when, runs=runs), bad


def closed_offer(store: Store, problem: str | None) -> Offer | None:
    """Return the latest session that was closed properly; None if there is none.

    Args:
        store: Folder of the sessions.
        problem: Name or path of the problem that it must be of; None for any.
    """
    from gradstep.saving.session_file import in_use
    from gradstep.saving.session_folder import MOST_READ
    from gradstep.saving.session_list import listed_session

    for path in islice(store.newest_first(), MOST_READ):
        with suppress(OSError):
            found = listed_session(path)
            header, last = found.header, found.last
            if header is None or last is None or not found.in_order or in_use(path):
                continue
            start = header.start
            if problem is None or start.problem == problem:
                when, runs = _local(header.started), resuming_title(start)
                return Offer(path, start.title, last.number, last.epoch, when, in_order=True, runs=runs)
    return None


def _local(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def bounds_notice(store: Store) -> str:
    """Return a notice that there are more saved sessions than the bounds; empty if there are not."""
    from gradstep.saving.session_list import MOST_BYTES, MOST_SESSIONS, beyond_bounds

    beyond = beyond_bounds(store)
    if not beyond:
        return ""
    oldest = f"{len(beyond):,} session{'s' * (len(beyond) != 1)}"
    return (
        f"more than {MOST_SESSIONS} sessions or {MOST_BYTES // 1_000_000} MB are saved in {store.folder}. "
        f"`gradstep sessions prune` deletes the oldest {oldest}; to keep one, move its file elsewhere. "
        "Nothing is deleted unasked"
    )


def offer_hint(offer: Offer) -> str:
    """Return what can be resumed, in few words, e.g. `crops from 2026-11-28 10:53: 12 actions, 3 epochs`."""
    actions = f"{offer.actions:,} action{'s' * (offer.actions != 1)}"
    epochs = f"{offer.epoch:,} epoch{'s' * (offer.epoch != 1)}"
    return f"{offer.problem} from {offer.when}: {actions}, {epochs}"


def offer_text(offer: Offer) -> str:
    """Return the sentence about a session that can be resumed."""
    many = "1 action" if offer.actions == 1 else f"{offer.actions:,} actions"
    state = f"{many}, epochs done {offer.epoch:,}"
    if offer.in_order:
        return f"Your last session of {offer.problem} is from {offer.when}: {state}."
    return f"The session of {offer.problem} from {offer.when} was not left in order: {state}."
