"""Everything that is said once about a learner's script: what is odd, what is particular, how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep_tui.text.scripts.obstacles import fact_text
from gradstep_tui.text.scripts.oddities import oddity_text

if TYPE_CHECKING:
    from gradstep.captured_output import Printed
    from gradstep.session import Session


def session_notes(session: Session) -> tuple[str, ...]:
    """Return the notes on a session's script, a line each, mistakes first."""
    odd = map(oddity_text, session.oddities)
    particular = map(fact_text, session.facts)
    return (*odd, *particular, *session.problem.notes)


def printed_texts(notes: tuple[str, ...], printed: Printed) -> list[str]:
    """Return the notes on a script, and the newest lines of its output."""
    texts = [f"note: {note}" for note in notes]
    if printed.gone:
        texts.append(f"({printed.gone:,} older line{'s' * (printed.gone != 1)} gone)")
    return [*texts, *(printed.lines or ["the script has printed nothing so far"])]


def script_notice(session: Session) -> str:
    """Return the first note about a session's script, and how to see the others; empty if there is none."""
    notes = session_notes(session)
    if len(notes) > 1:
        return f"{notes[0]} (1 of {len(notes)} notes: the others are shown with the script's output)"
    return "".join(notes)
