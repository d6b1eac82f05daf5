"""What the instructor has said, to be read again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.workshop.wire.messages import Told

TOAST: Final = 15.0
"""Seconds for which something new is shown over whatever is looked at."""


class MessagesScreen(TextScreen):
    """The last messages, the newest at the end."""

    def __init__(self, told: Sequence[Told], resume_code: str = "") -> None:
        """Show them, and the resume code where this is the first login."""
        super().__init__("messages", [*told_texts(told, resume_code)], at_end=True)


def told_texts(told: Sequence[Told], resume_code: str = "") -> Iterable[str]:
    """Write messages, a paragraph each."""
    if resume_code:
        yield f"Your resume code is {resume_code}"
    if not told:
        yield "The instructor has said nothing so far."
    for one in told:
        yield f"{time.strftime('%H:%M', time.localtime(one.at))} {one.by}: {one.text}"
