"""Stores participants in the database. What cannot be stored is stored with the next action."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from gradstep_tui.workshop.server.storage.database import StoreError
from gradstep_tui.workshop.server.storage.names import NameLostError
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
            if participant.noted:
                self.note(participant)
            if participant.trouble:
                self.save(participant)

    def note(self, participant: Participant) -> None:
        """Store that a participant has noted the resume code, now or as soon as that is possible."""
        before, participant.noted = participant.noted, True
        try:
            self._store.names.note(participant.claim)
        except StoreError as error:
            if not before:
                self._log("not stored", name=participant.name, why=error.reason)
            return
        except NameLostError as error:
            self._log("not stored", name=participant.name, why=str(error))
        participant.noted = False

    def load_keys(self, participant: Participant) -> None:
        """Look up which keys log in as a participant."""
        try:
            participant.keys = self._store.names.keys(participant.claim)
        except StoreError:
            participant.keys = ()

    def keep_keys(self, participant: Participant, keys: Sequence[str], by: str) -> None:
        """Let these keys, and no others, log in as a participant; `by` is the name of who says so."""
        try:
            self._store.names.set_keys(participant.claim, keys)
        except (StoreError, NameLostError) as error:
            self._log("not stored", name=participant.name, why=str(error))
        else:
            forgotten = [key for key in participant.keys if key not in keys]
            self._log("keys", name=participant.name, by=by, keys=[*keys], forgotten=forgotten)
        self.load_keys(participant)

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
        """Release the name of a participant who leaves, unless it is owned; return whether it was released.

        Raises:
            StoreError: the database cannot be written.
        """
        if participant.noted:
            self.note(participant)
        if participant.noted or not self._store.names.release(participant.claim):
            return False
        self._log("released", name=participant.name)
        return True

    def _save(self, participant: Participant) -> str:
        """Store a session; return the database's error, or an empty text."""
        try:
            if not participant.session:
                participant.session = self._store.begin(
                    participant.claim, participant.start, participant.aside
                )
                participant.aside = None
            if participant.unsaved:
                first = len(participant.actions) - len(participant.unsaved) + 1
                self._store.add(participant.claim, participant.session, first, participant.unsaved)
                participant.unsaved.clear()
        except StoreError as error:
            return error.reason
        except NameLostError as error:
            return str(error)
        return ""
