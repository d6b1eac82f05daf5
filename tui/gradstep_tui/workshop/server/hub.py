"""State of a class: its participants, their actions, and who watches whom. Its only I/O is the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Final

from gradstep import problems
from gradstep_tui.workshop.server.feeds import Feeds
from gradstep_tui.workshop.server.participant import Login, Participant, Send, stored_participants
from gradstep_tui.workshop.server.persistence import Saver
from gradstep_tui.workshop.server.storage.database import StoreError
from gradstep_tui.workshop.server.storage.records import Aside
from gradstep_tui.workshop.wire.facts import checked, checked_refusal, clean
from gradstep_tui.workshop.wire.messages import (
    LONGEST_TEXT,
    LONGEST_TRACEBACK,
    ActionDone,
    ActionRefused,
    ActionStarted,
    AllowWatching,
    Crashed,
    FeedAction,
    FeedEnded,
    FilesExported,
    Follow,
    ForgetKeys,
    FromBench,
    Hand,
    HandLowered,
    KeepKeys,
    KeptKeys,
    LowerHand,
    Presence,
    Present,
    ResumeCodeNoted,
    Rows,
    RowsGone,
    SessionBegan,
    SessionContinued,
    Stop,
    Tell,
    Told,
    Unfollow,
)
from gradstep_tui.workshop.wire.reasons import AsideReason, FeedEndReason, StopReason

if TYPE_CHECKING:
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.names import Claim
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import Welcome

CRASHES: Final = 2
"""Benches that may crash in a row while they make a session again, before the session is set aside."""


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
        self._participants = stored_participants(store, start, log)
        self._feeds = Feeds(self._participants, log)
        for participant in self._participants.values():
            self._saver.load_keys(participant)

        self._gone: set[str] = set()
        """Names that were released since the last update of the boards."""

        self._leaving: list[Participant] = []
        """Participants who have left, and whose names could not be released yet."""

    @property
    def presenter(self) -> str:
        """Name of the instructor who presents; empty if nobody does."""
        return self._feeds.presenter

    @property
    def learners(self) -> list[str]:
        """Names of the learners who are logged in, sorted."""
        return sorted(participant.name for participant in self._feeds.here() if participant.role == "learner")

    def join(self, claim: Claim, send: Send, login: Login = Login()) -> Welcome:  # noqa: B008 - frozen
        """Log a participant in, and return the first message to the bench.

        Args:
            claim: Claim to the participant's name.
            send: Sends a message to the bench.
            login: Texts for the bench that the hub does not know.
        """
        name = claim.name
        participant = self._participants.get(name)
        if participant is not None and participant.send is not None:
            participant.send(Stop(StopReason.LOGGED_IN_ELSEWHERE))
            self._log_out(participant)
        if participant is not None and participant.claim.number != claim.number:
            self._forget(participant)
            participant = None
        if participant is None:
            participant = self._participants[name] = Participant(claim, self._start)
        participant.send, participant.offered = send, login.offered
        self._saver.load_keys(participant)
        self._feeds.forward(participant, Presence(participant.here))
        if participant.role == "instructor":
            self._feeds.changed |= self._participants.keys()
        set_aside = participant.aside
        if not participant.session:
            self._saver.save(participant)
        participant.continuing = bool(participant.actions)
        welcome = participant.welcome(
            login, self._start, self._feeds.watchers(name), self.presenter, set_aside
        )
        if participant.missed:
            participant.missed = 0
            self._saver.mark(participant)
        return welcome

    def leave(self, name: str, send: Send) -> None:
        """Log a participant out whose bench has ended; do nothing if another bench has replaced it."""
        participant = self._participants.get(name)
        if participant is None or participant.send != send:  # not `is not`: every access makes a new method
            return
        self._log_out(participant)
        self._release(participant)

    def crashed(self, name: str, send: Send) -> None:
        """Count a crash of a bench; set the session aside if no bench can make it again."""
        participant = self._participants.get(name)
        if participant is None or participant.send != send or not participant.continuing:
            return
        participant.crashes += 1
        if participant.crashes >= CRASHES:
            self._set_aside(participant, AsideReason.CRASHED, f"{participant.crashes} benches crashed")
            participant.begin(self._start)

    def _keep_keys(self, participant: Participant, keys: tuple[str, ...], *, by: Participant) -> None:
        """Let these keys, and no others, log in as a participant, and tell the bench and the boards."""
        self._saver.keep_keys(participant, keys, by.name)
        self._feeds.changed.add(participant.name)
        participant.to(KeptKeys(participant.keys))

    def _log_out(self, participant: Participant) -> None:
        """End what depends on a participant's bench."""
        self._feeds.look(participant, "")
        participant.send, participant.doing = None, None
        self._feeds.forward(participant, Presence(participant.here))
        if self.presenter == participant.name:
            self._feeds.present(participant, on=False)

    def _release_again(self) -> None:
        """Release what could not be released before, unless its claimant has come back."""
        leaving, self._leaving = self._leaving, []
        for participant in leaving:
            if not participant.here and self._participants.get(participant.name) is participant:
                self._release(participant)

    def _release(self, participant: Participant) -> None:
        """Release the name of a participant who has left, unless it is owned; try later if that fails."""
        try:
            released = self._saver.release(participant)
        except StoreError as error:
            self._log("not released", name=participant.name, why=error.reason)
            self._leaving.append(participant)
            return
        if released:
            self._forget(participant)

    def _forget(self, participant: Participant) -> None:
        """Remove a participant who is logged out, from the boards as well."""
        for looker in self._feeds.lookers(participant.name):
            self._feeds.end(looker, FeedEnded(FeedEndReason.UNKNOWN_NAME, participant.name))
        del self._participants[participant.name]
        self._feeds.changed.discard(participant.name)
        self._gone.add(participant.name)

    def _set_aside(self, participant: Participant, reason: AsideReason, why: str) -> None:
        participant.aside = Aside(participant.session, reason, why)
        self._log("set aside", name=participant.name, session=participant.session, why=why)

    def follows(self, name: str) -> bool:
        """Return whether a participant follows a presentation."""
        participant = self._participants.get(name)
        return participant is not None and participant.invited

    def stop(self, reason: StopReason) -> None:
        """Ask every bench to exit, and store once more what could not be stored."""
        self._release_again()
        self._saver.save_again(self._participants.values())
        for participant in self._feeds.here():
            ended = reason is StopReason.WORKSHOP_ENDED and participant.trouble
            participant.to(Stop(StopReason.ENDED_UNSAVED if ended else reason))

    def unsaved(self) -> dict[str, int]:
        """Store once more what could not be stored; return how many actions of whom are still not stored."""
        self._saver.save_again(self._participants.values())
        troubled = [participant for participant in self._participants.values() if participant.trouble]
        return {participant.name: len(participant.unsaved) for participant in troubled}

    def update_boards(self) -> None:
        """Send the boards the rows that have changed, and store once more what could not be stored."""
        self._release_again()
        self._saver.save_again(self._participants.values())
        boards = [participant for participant in self._feeds.here() if participant.role == "instructor"]
        gone, self._gone = sorted(self._gone), set()
        if gone:
            for board in boards:
                board.to(RowsGone(tuple(gone)))
        if not (boards and self._feeds.changed):
            return
        changed = [self._participants[name] for name in sorted(self._feeds.changed)]
        self._feeds.changed.clear()
        learners = [participant for participant in changed if participant.role == "learner"]
        rows = tuple(learner.row(self._feeds.watchers(learner.name)) for learner in learners)
        for board in boards:
            board.to(Rows(rows))

    # The benches' messages

    def heard(self, name: str, message: FromBench, send: Send | None = None) -> None:
        """Handle a message of a participant's bench; ignore an instructor's request if a learner sends it.

        Args:
            name: Name of the participant.
            message: The message.
            send: Sends a message to that bench. The message is ignored if another bench has replaced it.

        Raises:
            TypeError: no handler is registered for messages of this type.
        """
        sender = self._participants.get(name)
        if sender is not None and send in (None, sender.send):
            self._heard(message, sender)

    @singledispatchmethod
    def _heard(self, message: FromBench, sender: Participant) -> None:
        raise TypeError(message)

    @_heard.register
    def _(self, message: SessionBegan, sender: Participant) -> None:
        if message.start.has_file or message.start.title not in problems.all_names():
            problem = clean(message.start.problem)
            self._log("refused", name=sender.name, why="not a built-in problem", problem=problem)
            return
        if message.failed:
            self._set_aside(sender, AsideReason.FAILED, clean(message.failed))
        sender.begin(message.start)
        self._saver.save(sender)
        self._feeds.forward(sender, sender.feed)

    @_heard.register
    def _(self, message: SessionContinued, sender: Participant) -> None:
        if message.differences:
            differences = [clean(difference) for difference in message.differences[:3]]
            self._log("session differs", name=sender.name, differences=differences)
        sender.continuing, sender.crashes = False, 0

    @_heard.register
    def _(self, message: ActionDone, sender: Participant) -> None:
        sender.did(ActionDone(message.action, checked(message.facts)))
        self._saver.save(sender)
        self._feeds.forward(sender, FeedAction(message.action))

    @_heard.register
    def _(self, message: ActionStarted, sender: Participant) -> None:
        sender.started(message.action)
        self._feeds.forward(sender, message)

    @_heard.register
    def _(self, message: ActionRefused, sender: Participant) -> None:
        sender.tried(ActionRefused(message.action, checked_refusal(message.refusal)))
        self._feeds.forward(sender, FeedAction(message.action))

    @_heard.register
    def _(self, message: Hand, sender: Participant) -> None:
        if message.up != bool(sender.hand):
            sender.hand = time.time() if message.up else 0.0
            self._saver.mark(sender)
            self._feeds.changed.add(sender.name)
            self._log("hand", name=sender.name, up=message.up)

    @_heard.register
    def _(self, message: AllowWatching, sender: Participant) -> None:
        sender.allows = message.allowed
        self._saver.mark(sender)
        self._feeds.changed.add(sender.name)
        if not message.allowed:
            for watcher in self._feeds.lookers(sender.name):
                if not watcher.invited:
                    self._feeds.end(watcher, FeedEnded(FeedEndReason.NOT_ALLOWED, sender.name))

    @_heard.register
    def _(self, message: Follow, sender: Participant) -> None:
        name = message.name or self.presenter
        owner = self._participants.get(name)
        if not message.name and (owner is None or owner is sender):
            self._feeds.refuse(sender, FeedEnded(FeedEndReason.NOBODY_PRESENTS))
        elif owner is None or owner is sender or (message.name and sender.role != "instructor"):
            self._feeds.refuse(sender, FeedEnded(FeedEndReason.UNKNOWN_NAME, clean(name)))
        elif message.name and not owner.allows:
            self._feeds.refuse(sender, FeedEnded(FeedEndReason.NOT_ALLOWED, name))
        else:
            self._feeds.look(sender, name, invited=not message.name)
            sender.to(owner.feed)

    @_heard.register
    def _(self, _: Unfollow, sender: Participant) -> None:
        self._feeds.look(sender, "")

    @_heard.register
    def _(self, message: Present, sender: Participant) -> None:
        if sender.role == "instructor":
            self._feeds.present(sender, on=message.on)

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
        self._saver.note(sender)

    @_heard.register
    def _(self, message: KeepKeys, sender: Participant) -> None:
        self._keep_keys(sender, sender.offered if message.keep else (), by=sender)

    @_heard.register
    def _(self, message: ForgetKeys, sender: Participant) -> None:
        learner = self._participants.get(message.name)
        if sender.role == "instructor" and learner is not None and learner.role == "learner":
            self._keep_keys(learner, (), by=sender)

    @_heard.register
    def _(self, message: Crashed, sender: Participant) -> None:
        self._log("traceback", name=sender.name, text=message.traceback[-LONGEST_TRACEBACK:])

    @_heard.register
    def _(self, message: FilesExported, sender: Participant) -> None:
        self._log("exported", name=sender.name, files=message.names)
