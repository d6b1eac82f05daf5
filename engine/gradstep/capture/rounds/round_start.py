"""Begins of rounds before the loop was found."""

from __future__ import annotations

from dataclasses import dataclass

from gradstep.capture.draws import Positions
from gradstep.capture.rounds.keepsake import Keepsake
from gradstep.capture.scopes import Scope


@dataclass(slots=True)
class RoundStart:
    """Begin of a round."""

    frame: int
    """Identity of the loop's frame."""

    scope: Scope
    keepsake: Keepsake | None
    """State at the begin of the round; None if it was not kept."""

    round: int
    """Number of the round, from 1."""

    drawn: Positions
    """How much had been drawn."""

    printed: tuple[int, tuple[str, ...]]
    """Length of the text that had been printed."""

    number: int
    """Number of the round among all that the loop has begun, whenever it was entered."""

    handed: int
    """How often the script's generators and coroutines had handed control on."""
