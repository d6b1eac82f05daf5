"""Feeds: who looks at whose session, who presents, and who has to hear what happens in a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from gradstep_tui.workshop.wire.messages import FeedEnded, Presenting, WatcherCount
from gradstep_tui.workshop.wire.reasons import FeedEndReason

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.participant import Participant
    from gradstep_tui.workshop.wire.messages import ToBench


class Feeds:
    """The feeds of a class, and the names whose rows on the board have changed."""

    def __init__(self, participants: Mapping[str, Participant], log: Callable[..., None]) -> None:
        """Begin without feeds.

        Args:
            participants: Everybody in the class, by name; the hub adds and removes participants.
            log: Called with the name of an event and its facts.
        """
        self._participants, self._log = participants, log
        self.changed: set[str] = set()
        """Names of participants whose rows have changed since the last update of the boards."""

        self.presenter = ""
        """Name of the instructor who presents; empty if nobody does."""

    def present(self, instructor: Participant, *, on: bool) -> None:
        """Set or clear the presenter, and tell everybody."""
        if on == (self.presenter == instructor.name):
            return
        before, self.presenter = self.presenter, instructor.name if on else ""
        for follower in self.lookers(before):
            if follower.invited:
                self.end(follower, FeedEnded(FeedEndReason.PRESENTER_STOPPED, before))
        self._log("present", name=instructor.name, on=on)
        for participant in self.here():
            participant.to(Presenting(self.presenter))

    def look(self, looker: Participant, name: str, *, invited: bool = False) -> None:
        """Begin a feed of the session of `name`, or end it if `name` is empty; tell those who are watched."""
        before, was_invited = looker.looks_at, looker.invited
        looker.looks_at, looker.invited = name, invited
        if before != name:
            if before:
                seconds = round(time.time() - looker.looks_since, 3)
                self._log_watch(looker, before, on=False, presented=was_invited, seconds=seconds)
            if name:
                looker.looks_since = time.time()
                self._log_watch(looker, name, on=True, presented=invited)
        self.changed.add(looker.name)
        for watched in {before, name} - {""}:
            self.changed.add(watched)
            self._participants[watched].to(WatcherCount(self.watchers(watched)))

    def _log_watch(self, looker: Participant, watched: str, **facts: object) -> None:
        self._log("watch", name=looker.name, watched=watched, **facts)

    def end(self, looker: Participant, message: FeedEnded) -> None:
        """End a participant's feed, and say why."""
        looker.to(message)
        self.look(looker, "")

    def refuse(self, looker: Participant, message: FeedEnded) -> None:
        """Begin no feed, end the one that there is, and say why."""
        self._log("refused", name=looker.name, watched=message.name, why=message.reason.value)
        self.end(looker, message)

    def forward(self, owner: Participant, message: ToBench) -> None:
        """Send a message to everybody who looks at the owner's session, and mark the row as changed."""
        self.changed.add(owner.name)
        for looker in self.lookers(owner.name):
            looker.to(message)

    def lookers(self, name: str) -> list[Participant]:
        """Return those who look at the session of `name`; nobody if it is empty."""
        return [participant for participant in self.here() if name and participant.looks_at == name]

    def watchers(self, name: str) -> int:
        """Return the number of instructors who watch the session of `name`."""
        return sum(not looker.invited for looker in self.lookers(name))

    def here(self) -> Iterator[Participant]:
        """Return those who are logged in."""
        return (participant for participant in [*self._participants.values()] if participant.here)
