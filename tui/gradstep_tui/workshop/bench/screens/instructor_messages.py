"""The instructor's messages, to be read again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from gradstep_tui.workshop.wire.messages import Told

TOAST: Final = 15.0
"""Seconds for which a new message lies over the screen."""


def message_texts(messages: Sequence[Told], resume_code: str = "") -> Iterable[str]:
    """Return one paragraph for the resume code, if there is one, and one for each message."""
    if resume_code:
        yield f"Your resume code is {resume_code}"
    if not messages:
        yield "The instructor has not sent a message yet."
    for message in messages:
        yield f"{time.strftime('%H:%M', time.localtime(message.at))} {message.by}: {message.text}"
