"""`gradstep replay FILE --to-end`: replays a saved session without a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import EngineError
from gradstep_tui.commands.broken_pipe import stop_writing
from gradstep_tui.commands.parsers import REPLAY, complain_of

if TYPE_CHECKING:
    from gradstep.saving.replay import Replayed

OTHER_NUMBERS, INTERRUPTED = 1, 130
"""Exit codes."""


def replay_to_end(path: Path) -> int:
    """Replay a saved session, print the final numbers, and return the exit code."""
    from gradstep.saving.reader import read_session_file
    from gradstep.saving.replay import replay

    try:
        replayed = replay(read_session_file(path))
    except EngineError as error:
        return complain_of(error, REPLAY, hint=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        for text in _lines(replayed):
            print(text, flush=True)
    except OSError as error:
        return stop_writing(error, REPLAY)
    if replayed.mismatch is not None:
        print(f"{REPLAY}: the replay gave different numbers: {replayed.mismatch.message}", file=sys.stderr)
        return OTHER_NUMBERS
    return 0


def _lines(replayed: Replayed) -> Iterator[str]:
    frame = replayed.session.frame
    actions = f"{replayed.done:,} action{'s' * (replayed.done != 1)}"
    yield f"{actions} replayed, {frame.epoch:,} epoch{'s' * (frame.epoch != 1)} done"
    if replayed.mismatch is None:
        yield "all numbers are identical to those recorded"
    yield f"loss {frame.loss}"
    for parameter in frame.parameters:
        yield f"{parameter.name}\n{parameter.value}"
        yield f"{parameter.name}.grad\n{parameter.grad}"
