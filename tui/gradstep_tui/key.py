"""What is declared for each key: names, words, the purpose it serves, and the action that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from gradstep.actions import Action, RunEpochs, SetBatches, SetOptimizer
from gradstep.loop.batches import FULL
from gradstep.loop.optimizers import HAND

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey
    from gradstep.reasons import Refusal


class Purpose(Enum):
    """What somebody wants who looks for a key; the value is the heading in the list of keys."""

    GO_ON = "go on"
    GO_BACK = "go back"
    LOOK = "look"
    CHANGE = "change"
    KEEP = "keep, and leave"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the bench."""

    id: str
    """Name of the key in keymaps and in the table of handlers."""

    keys: str
    """Textual's names of the keys, separated by commas."""

    sign: str
    """Text for the key on screen, unless the user has chosen another key."""

    label: str
    """Word for the key's effect, in the key bar and the command palette."""

    tooltip: str
    """Sentence that says what the key does, for the help screen."""

    weight: int
    """Importance in the key bar: the lightest keys are left out first; keys of weight 0 are never in it."""

    action: Callable[[], Action] | None = None
    """Makes the key's action; None for a key that opens or closes something, or needs the cursor."""

    edit: Callable[[StatementKey], Action] | None = None
    """Makes the key's action for the statement under the cursor; None for a key that needs no cursor."""

    purpose: Purpose = Purpose.LOOK
    """Group of the key in the list of keys."""

    @property
    def shown(self) -> str:
        """Text for the key on screen."""
        return CHOSEN.get(self.id, self.sign)

    def can_work(self, frame: Frame, cursor: StatementKey | None) -> bool:
        """Return whether the key can work now: nothing is refused, and there is a cursor if needed."""
        return not self.lacks_cursor(cursor) and self.refusal(frame, cursor) is None

    def lacks_cursor(self, cursor: StatementKey | None) -> bool:
        """Return whether the key edits the statement under the cursor and there is no cursor."""
        return self.edit is not None and cursor is None

    def refusal(self, frame: Frame, cursor: StatementKey | None) -> Refusal | None:
        """Return the engine's refusal of what the key does; None if there is none."""
        asked = self._asks_for(cursor)
        return None if asked is None else frame.refusal(asked)

    def _asks_for(self, cursor: StatementKey | None) -> Action | None:
        """Return the action that decides whether the key can work now; None for a key that always can."""
        if self.edit is not None and cursor is not None:
            return self.edit(cursor)
        asked = ASKED.get(self.id)
        return asked if asked is not None or self.action is None else self.action()


ASKED: Final[Mapping[str, Action]] = {
    "run": RunEpochs(1),
    "optimizer": SetOptimizer(HAND),
    "batches": SetBatches(FULL),
}
"""Action that can work whenever a key's own can, for the keys that first ask for a value."""

CHOSEN: Final[dict[str, str]] = {}
"""Texts for the keys that the user has chosen in place of the usual ones, by the key's id."""
