"""Another session in a conversation: of another problem, or of the script as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.reload import start_again
from gradstep_tui.commands.list_and_check import listed_texts, start_named

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep.start import Start


@dataclass(frozen=True, slots=True)
class Beginning:
    """A session to begin."""

    start: Start
    title: str
    """What to say once it has begun."""

    after: Session | None = None
    """A session whose edits of the loop are made in it, too; None for none."""


def another_problem(session: Session, name: str, own: Start | None) -> Beginning | Sequence[str]:
    """Give the session of another problem; without a name, the list of problems.

    Args:
        session: The one that there is.
        name: What the learner typed.
        own: The file of the learner's own that was trained last.

    Raises:
        BadInput: there is no such problem.
    """
    if not name:
        return ["Type problem and a name:", *listed_texts(own)]
    start = start_named(name, own)
    return Beginning(start, f"{start.title} begins")


def same_again(session: Session, _: str, own: Start | None) -> Beginning:
    """Give the session of the same file as it is now, with what the learner chose.

    Raises:
        Refused: there is no file to read.
    """
    start = start_again(session)
    return Beginning(start, f"{Path(start.problem).name} read again", session)
