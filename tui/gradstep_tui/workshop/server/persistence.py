"""Keeps what a learner does. What could not be kept is kept with what is done next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gradstep_tui.workshop.server.storage.store import StoreError
from gradstep_tui.workshop.wire.messages import Kept

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.participant import Desk
    from gradstep_tui.workshop.server.storage.store import Store


class Saver:
    """Writes desks into the store; a learner is told where that begins to fail, and where it ends."""

    def __init__(self, store: Store, log: Callable[..., None]) -> None:
        """Use a store; `log` is called with an event's name and its facts."""
        self._store, self._log = store, log

    def save(self, desk: Desk) -> None:
        """Keep what is not kept yet of a learner's session."""
        before, desk.trouble = desk.trouble, self._saved(desk)
        if bool(before) != bool(desk.trouble):
            self._log("not kept" if desk.trouble else "kept again", name=desk.name, why=desk.trouble)
            desk.to(Kept(desk.trouble))

    def save_again(self, desks: Iterable[Desk]) -> None:
        """Try once more what failed."""
        for desk in desks:
            if desk.trouble:
                self.save(desk)

    def mark(self, desk: Desk) -> None:
        """Keep a raised hand, whether others may watch, and what was told."""
        try:
            self._store.mark(desk.name, desk.hand, desk.allows, [*desk.told], desk.missed)
        except StoreError as error:
            self._log("not kept", name=desk.name, why=str(error))

    def release(self, desk: Desk) -> bool:
        """Give a name back whose owner has seen no resume code, and so could never come back."""
        try:
            self._store.release(desk.name)
        except StoreError as error:
            self._log("not released", name=desk.name, why=str(error))
            return False
        self._log("released", name=desk.name)
        return True

    def _saved(self, desk: Desk) -> str:
        """Keep a session; say why it cannot be, or nothing."""
        try:
            if not desk.session:
                desk.session = self._store.begin(desk.name, desk.start)
            if desk.unsaved:
                first = len(desk.actions) - len(desk.unsaved) + 1
                self._store.add(desk.name, desk.session, first, desk.unsaved)
                desk.unsaved.clear()
        except StoreError as error:
            return str(error)
        return ""
