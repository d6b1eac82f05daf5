"""Words for work that takes a while: what runs, for how long, and how to stop it."""

from __future__ import annotations

from typing import Final

from gradstep_tui.text.frames import duration

STUCK_AFTER: Final = 2.0
"""Seconds after which work that was told to stop is said not to stop."""


def work_text(title: str, seconds: float, asked: float | None) -> str:
    """Return the sentence about running work.

    Args:
        title: Name of the work, e.g. `forward`; empty if it has none.
        seconds: Seconds that it has been running.
        asked: Seconds since the learner asked it to stop; None if the learner has not.
    """
    what, time = title or "this", duration(seconds)
    if asked is None:
        return f"running: {what}, {time}; Esc stops it"
    if asked < STUCK_AFTER:
        return f"stopping: {what}, {time}"
    return f"{what} does not stop, {time}: it is in code outside Python; q leaves, the session is saved"
