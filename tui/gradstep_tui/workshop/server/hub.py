"""State of a class: its participants, their actions, and who watches whom. Its only I/O is the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from gradstep import problems
from gradstep_tui.workshop.server.participant import Login, Participant, Send, stored_participants
from gradstep_tui.workshop.server.persistence import Saver
from gradstep_tui.workshop.wire.facts import checked, checked_refusal, clean
from gradstep_tui.workshop.wire.messages import (
    LONGEST_TEXT,
    ActionDone,
    ActionRefused,
    ActionStarted,
    AllowWatching,
    FeedAction,
    FeedEnded,
    FilesExported,
    Follow,
    FromBench,
    Hand,
    HandLowered,
    LowerHand,
    Presence,
    Present,
    Presenting,
    ResumeCodeNoted,
    Rows,
    SessionBegan,
    Stop,
    Tell,
    ToBench,
    Told,
    Unfollow,
    WatcherCount,
)
from gradstep_tui.workshop.wire.reasons import FeedEndReason, StopReason

if TYPE_CHECKING:
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import Role, Welcome


class Hub:
    """Handles the messages of all benches, and forwards what concerns others."""

    def __init__(self, store: Store, start: Start, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Load everybody who has a session in the database.

        Args:
            store: The database.
            start: Start of a new learner's session.
            log: Called with the name of an event and its facts.
        """
        self._start, self._log = start, log
        self._saver = Saver(store, log)
        self._participants = stored_participants(store)
        self._changed: set[str] = set()
        """Names of participants whose rows have changed since the last update of the boards."""

        self.presenter = ""
        """Name of the instructor who presents; empty if nobody does."""

    @property
    def learners(self) -> list[str]:
        """Names of the learners who are logged in, sorted."""
        return sorted(participant.name for participant in self._here() if participant.role == "learner")

    def join(self, name: str, role: Role, send: Send, login: Login = Login()) -> Welcome:  # noqa: B008 - frozen
        """Log a participant in, and return the first message to the bench.

        Args:
            name: Name of the participant, already checked.
            role: Role of the participant.
            send: Sends a message to the bench.
            login: Texts for the bench that the hub does not know.
        """
        participant = self._participants.get(name)
        if participant is None:
            participant = Participant(name, role, self._start, noted=not login.resume_code)
            self._participants[name] = participant
            self._saver.save(participant)
        elif participant.send is not None:
            participant.send(Stop(StopReason.LOGGED_IN_ELSEWHERE))
            self.leave(name, participant.send)
        participant.role, participant.send = role, send
        self._forward(participant, Presence(participant.here))
        if role == "instructor":
            self._changed |= self._participants.keys()
        welcome = participant.welcome(login, self._watchers(name), self.presenter)
        if participant.missed:
            participant.missed = 0
            self._saver.mark(participant)
        return welcome

    def leave(self, name: str, send: Send) -> None:
        """Log a participant out whose bench has ended; do nothing if another bench has replaced it."""
        participant = self._participants[name]
        if participant.send != send:  # not `is not`: every access makes a new bound method
            return
        self._look(participant, "")
        participant.send, participant.doing = None, None
        self._forward(participant, Presence(participant.here))
        if self.presenter == name:
            self._present(participant, on=False)
        if not participant.noted and self._saver.release(participant):
            del self._participants[name]
            self._changed.discard(name)

    def stop(self, reason: StopReason) -> None:
        """Ask every bench to exit, and store once more what could not be stored."""
        self._saver.save_again(self._participants.values())
        for participant in self._here():
            participant.to(Stop(reason))

    def update_boards(self) -> None:
        """Send the boards the rows that have changed, and store once more what could not be stored."""
        self._saver.save_again(self._participants.values())
        boards = [participant for participant in self._here() if participant.role == "instructor"]
        if not (boards and self._changed):
            return
        changed = [self._participants[name] for name in sorted(self._changed)]
        self._changed.clear()
        learners = [participant for participant in changed if participant.role == "learner"]
        rows = tuple(learner.row(self._watchers(learner.name)) for learner in learners)
        for board in boards:
            board.to(Rows(rows))

    # The benches' messages

    def heard(self, name: str, message: FromBench) -> None:
        """Handle a message of a participant's bench; ignore an instructor's request if a learner sends it.

        Raises:
            TypeError: no handler is registered for messages of this type.
        """
        self._heard(message, self._participants[name])

    @singledispatchmethod
    def _heard(self, message: FromBench, sender: Participant) -> None:
        raise TypeError(message)

    @_heard.register
    def _(self, message: SessionBegan, sender: Participant) -> None:
        if message.start.has_file or message.start.title not in problems.names():
            problem = clean(message.start.problem)
            self._log("refused", name=sender.name, why="not a built-in problem", problem=problem)
            return
        sender.begin(message.start)
        self._saver.save(sender)
        self._forward(sender, sender.feed)

    @_heard.register
    def _(self, message: ActionDone, sender: Participant) -> None:
        sender.did(ActionDone(message.action, checked(message.facts)))
        self._saver.save(sender)
        self._forward(sender, FeedAction(message.action))

    @_heard.register
    def _(self, message: ActionStarted, sender: Participant) -> None:
        sender.started(message.action)
        self._forward(sender, message)

    @_heard.register
    def _(self, message: ActionRefused, sender: Participant) -> None:
        sender.tried(ActionRefused(message.action, checked_refusal(message.refusal)))
        self._forward(sender, FeedAction(message.action))

    @_heard.register
    def _(self, message: Hand, sender: Participant) -> None:
        if message.up != bool(sender.hand):
            sender.hand = time.time() if message.up else 0.0
            self._saver.mark(sender)
            self._changed.add(sender.name)
            self._log("hand", name=sender.name, up=message.up)

    @_heard.register
    def _(self, message: AllowWatching, sender: Participant) -> None:
        sender.allows = message.allowed
        self._saver.mark(sender)
        self._changed.add(sender.name)
        if not message.allowed:
            for watcher in self._lookers(sender.name):
                if not watcher.invited:
                    self._end_feed(watcher, FeedEnded(FeedEndReason.NOT_ALLOWED, sender.name))

    @_heard.register
    def _(self, message: Follow, sender: Participant) -> None:
        name = message.name or self.presenter
        owner = self._participants.get(name)
        if not message.name and (owner is None or owner is sender):
            self._end_feed(sender, FeedEnded(FeedEndReason.NOBODY_PRESENTS))
        elif owner is None or owner is sender or (message.name and sender.role != "instructor"):
            self._end_feed(sender, FeedEnded(FeedEndReason.UNKNOWN_NAME, clean(name)))
        elif message.name and not owner.allows:
            self._end_feed(sender, FeedEnded(FeedEndReason.NOT_ALLOWED, name))
        else:
            self._look(sender, name, invited=not message.name)
            sender.to(owner.feed)

    @_heard.register
    def _(self, _: Unfollow, sender: Participant) -> None:
        self._look(sender, "")

    @_heard.register
    def _(self, message: Present, sender: Participant) -> None:
        if sender.role == "instructor":
            self._present(sender, on=message.on)

    @_heard.register
    def _(self, message: Tell, sender: Participant) -> None:
        if sender.role != "instructor":
            return
        told = Told(clean(message.text, LONGEST_TEXT), sender.name, time.time())
        for receiver in self._participants.values():
            if receiver is not sender and message.to in ("", receiver.name):
                receiver.told.append(told)
                receiver.missed += not receiver.here
                self._saver.mark(receiver)
                receiver.to(told)

    @_heard.register
    def _(self, message: LowerHand, sender: Participant) -> None:
        learner = self._participants.get(message.name)
        if sender.role == "instructor" and learner is not None and learner.hand:
            self._heard(Hand(False), learner)
            learner.to(HandLowered())

    @_heard.register
    def _(self, _: ResumeCodeNoted, sender: Participant) -> None:
        sender.noted = True

    @_heard.register
    def _(self, message: FilesExported, sender: Participant) -> None:
        self._log("exported", name=sender.name, files=message.names)

    # Feeds

    def _present(self, instructor: Participant, *, on: bool) -> None:
        """Set or clear the presenter, and tell everybody."""
        if on == (self.presenter == instructor.name):
            return
        before, self.presenter = self.presenter, instructor.name if on else ""
        for follower in self._lookers(before):
            if follower.invited:
                self._end_feed(follower, FeedEnded(FeedEndReason.PRESENTER_STOPPED, before))
        self._log("present", name=instructor.name, on=on)
        for participant in self._here():
            participant.to(Presenting(self.presenter))

    def _look(self, looker: Participant, name: str, *, invited: bool = False) -> None:
        """Begin a feed of the session of `name`, or end it if `name` is empty; tell those who are watched."""
        before, looker.looks_at, looker.invited = looker.looks_at, name, invited
        self._changed.add(looker.name)
        for watched in {before, name} - {""}:
            self._changed.add(watched)
            self._participants[watched].to(WatcherCount(self._watchers(watched)))

    def _end_feed(self, looker: Participant, message: FeedEnded) -> None:
        looker.to(message)
        self._look(looker, "")

    def _forward(self, owner: Participant, message: ToBench) -> None:
        """Send a message to everybody who looks at the owner's session, and mark the row as changed."""
        self._changed.add(owner.name)
        for looker in self._lookers(owner.name):
            looker.to(message)

    def _lookers(self, name: str) -> list[Participant]:
        return [participant for participant in self._here() if name and participant.looks_at == name]

    def _watchers(self, name: str) -> int:
        return sum(not looker.invited for looker in self._lookers(name))

    def _here(self) -> Iterator[Participant]:
        return (participant for participant in [*self._participants.values()] if participant.here)
