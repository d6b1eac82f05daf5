"""Everything that is said once about a learner's script: what is odd, what is particular, how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep_tui.text.remarks import Remark, hint, warning
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


def script_remark(session: Session) -> Remark:
    """Return the first note about a session's script, and how to see the others; a mistake is a warning."""
    notes = session_notes(session)
    more = f" (1 of {len(notes)} notes: the others are shown with the script's output)"
    text = f"{notes[0]}{more}" if len(notes) > 1 else "".join(notes)
    return warning(text) if session.oddities else hint(text)
