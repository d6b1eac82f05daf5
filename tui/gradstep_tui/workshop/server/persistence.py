"""Stores participants in the database. What cannot be stored is stored with the next action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gradstep_tui.workshop.server.storage.store import StoreError
from gradstep_tui.workshop.wire.messages import StorageStatus

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.participant import Participant
    from gradstep_tui.workshop.server.storage.store import Store


class Saver:
    """Stores participants, and tells their benches when that begins to fail and when it works again."""

    def __init__(self, store: Store, log: Callable[..., None]) -> None:
        """Use a database; `log` is called with the name of an event and its facts."""
        self._store, self._log = store, log

    def save(self, participant: Participant) -> None:
        """Store the actions of a session that are not stored yet."""
        before, participant.trouble = participant.trouble, self._save(participant)
        if bool(before) != bool(participant.trouble):
            event = "not stored" if participant.trouble else "stored again"
            self._log(event, name=participant.name, why=participant.trouble)
            participant.to(StorageStatus(participant.trouble))

    def save_again(self, participants: Iterable[Participant]) -> None:
        """Store what could not be stored before."""
        for participant in participants:
            if participant.trouble:
                self.save(participant)

    def mark(self, participant: Participant) -> None:
        """Store the hand, the permission to watch, and the instructors' messages."""
        try:
            self._store.mark(
                participant.name,
                hand=participant.hand,
                allows=participant.allows,
                told=[*participant.told],
                missed=participant.missed,
            )
        except StoreError as error:
            self._log("not stored", name=participant.name, why=error.reason)

    def release(self, participant: Participant) -> bool:
        """Free a name whose resume code was never confirmed; return whether that worked."""
        try:
            self._store.release(participant.name)
        except StoreError as error:
            self._log("not released", name=participant.name, why=error.reason)
            return False
        self._log("released", name=participant.name)
        return True

    def _save(self, participant: Participant) -> str:
        """Store a session; return the database's error, or an empty text."""
        try:
            if not participant.session:
                participant.session = self._store.begin(participant.name, participant.start)
            if participant.unsaved:
                first = len(participant.actions) - len(participant.unsaved) + 1
                self._store.add(participant.name, participant.session, first, participant.unsaved)
                participant.unsaved.clear()
        except StoreError as error:
            return error.reason
        return ""
