"""Chooses the session that replaces the current one: of another problem, or of the edited script."""

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
    """Message once the session has begun."""

    after: Session | None = None
    """Session whose edits of the loop are repeated in the new session; None for none."""


def another_problem(session: Session, name: str, own: Start | None) -> Beginning | Sequence[str]:
    """Return the session of another problem to begin; without a name, lines that list the problems.

    Args:
        session: The current session.
        name: Name that the learner typed; empty for the list.
        own: Start of the latest session that trained the learner's own file; None if there was none.

    Raises:
        BadInput: there is no such problem.
    """
    if session.origin is None:
        session.line()  # which a recording refuses: nothing is trained in its place
    if not name:
        return ["Type problem and a name, or the path of your own script:", *listed_texts(own)]
    start = start_named(name, own)
    return Beginning(start, f"{start.title} begins")


def same_again(session: Session, _: str, own: Start | None) -> Beginning:
    """Return the session of the same file, read again, with the learner's choices.

    Raises:
        Refused: the session was not loaded from a file.
    """
    start = start_again(session)
    return Beginning(start, f"{Path(start.problem).name} read again", session)
