"""Keeps what a learner does. What could not be kept is kept with what is done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.workshop.store import StoreError

if TYPE_CHECKING:
    from tui.workshop.desk import Desk
    from tui.workshop.store import Store


def save(store: Store, desk: Desk) -> str:
    """Keep what is not kept yet of a learner's session; say why it cannot be, or nothing."""
    try:
        if not desk.session:
            desk.session = store.begin(desk.name, desk.start)
        if desk.unsaved:
            first = len(desk.actions) - len(desk.unsaved) + 1
            store.add(desk.name, desk.session, first, desk.unsaved)
            desk.unsaved.clear()
    except StoreError as error:
        return str(error)
    return ""


def mark(store: Store, desk: Desk) -> str:
    """Keep a raised hand, whether others may watch, and what was told; say why it cannot be, or nothing."""
    try:
        store.mark(desk.name, desk.hand, desk.allows, [*desk.told], desk.missed)
    except StoreError as error:
        return str(error)
    return ""
