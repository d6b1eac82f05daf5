"""The log on standard error: each line is a JSON object, also those of asyncio, asyncssh and Python."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

ERRORS: Final = frozenset(
    ("crash", "traceback", "not stored", "not released", "forkserver lost", "lost", "python")
)
"""Events for which somebody has to do something."""

WARNINGS: Final = frozenset(
    (
        *(
            "forkserver says",
            "session differs",
            "bad message",
            "bad name",
            "fork failed",
            "forkserver does not start",
            "ignored signal",
        ),
        *("no login", "refused", "weak key", "wrong code"),
    )
)
"""Events that are refusals, or that may lead to errors."""


def log(event: str, *, level: str = "", **facts: object) -> None:
    """Write a line of the log: a JSON object, in ASCII without control characters.

    Args:
        event: Name of the event.
        level: "info", "warning" or "error"; by default that of the event.
        facts: What else is known.
    """
    usual = "error" if event in ERRORS else "warning" if event in WARNINGS else "info"
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"at": at, "level": level or usual, "event": event, **facts}
    with suppress(OSError):  # the class goes on even if the log cannot be written
        print(json.dumps(line, default=str), file=sys.stderr, flush=True)


class _Events(logging.Handler):
    """Writes the records of other libraries into the log."""

    def emit(self, record: logging.LogRecord) -> None:
        facts = {"logger": record.name, "text": record.getMessage()}
        if record.exc_info is not None and record.exc_info[0] is not None:
            facts["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        level = "error" if record.levelno >= logging.ERROR else "warning"
        log("python", level=level, **facts)


def _on_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log("python", text=f"{kind.__name__}: {error}", traceback="".join(traceback.format_exception(error)))


def log_everything() -> None:
    """Have warnings, errors that nobody handles, and other libraries' messages written into the log."""
    logging.basicConfig(handlers=[_Events()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _on_error
