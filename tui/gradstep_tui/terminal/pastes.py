"""Shortens what is pasted into a terminal, and marks pasted text that the terminal has not marked.

A terminal encloses pasted text in two control sequences if it was asked to (bracketed paste); without
them, each character would be a key. Text of a megabyte is cut, so that nothing waits for it. The stream of
characters is changed, not parsed: the same class serves a bench, and the server in front of one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

BEGIN: Final = "\x1b[200~"
"""Control sequence before pasted text."""

END: Final = "\x1b[201~"
"""Control sequence after pasted text."""

KEPT: Final = 4_000
"""Largest number of characters of one paste that are passed on."""

UNTYPED: Final = 256
"""Characters without any special key that arrive at once, and so were not typed."""

SAME_PASTE: Final = 0.05
"""Seconds within which more characters belong to the same paste without marks."""

GIVEN_UP: Final = 1.0
"""Seconds of silence after which a paste without an end is over, if a single key arrives."""

ONE_KEY: Final = 8
"""Largest number of characters that one key sends."""

INTERRUPT: Final = "\x03"
"""Character that ctrl+c sends."""

_RUN: Final = re.compile(rf"[^\x1b]{{{UNTYPED},}}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNFINISHED: Final = re.compile(r"\x1b\[2(00?)?\Z")


class PasteShortener:
    """Passes a terminal's input on, with at most `KEPT` characters of each paste."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin outside any paste.

        Args:
            clock: Returns the current time in seconds.
        """
        self._clock = clock
        self._last = float("-inf")
        self._pasting = self._running = False
        self._held = ""
        """Beginning of a control sequence whose rest has not arrived."""

        self._passed = ""
        """As `_held`, but passed on already, because it may be a key of its own."""

        self._text = ""
        self._room = KEPT
        """Characters of an unmarked paste that may still be passed on."""

    def shorten(self, data: str) -> str:
        """Return what to pass on of the input that has arrived; the text of a paste when the paste ends."""
        now = self._clock()
        silence, self._last = now - self._last, now
        if self._pasting and _ends_it(data, silence):
            self._pasting = False
            return self._paste() + data
        rest, self._held = self._held + data, ""
        passed: list[str] = []
        while rest:
            rest = self._collect(rest, passed) if self._pasting else self._pass(rest, passed, silence)
        return "".join(passed)

    def _pass(self, data: str, passed: list[str], silence: float) -> str:
        """Pass keys on up to the next paste, and return what follows the mark of its beginning."""
        before, self._passed = self._passed, ""
        found = (before + data).find(BEGIN)
        if 0 <= found < len(before):  # a cut sequence: its first characters are in the hands of the reader
            passed.append(BEGIN[len(before) - found :])
            self._pasting = True
            return (before + data)[found + len(BEGIN) :]
        keys, mark, rest = data.partition(BEGIN)
        if mark:
            self._pasting = True
        elif unfinished := _UNFINISHED.search(keys):
            keys, self._held = keys[: unfinished.start()], unfinished.group()
        elif keys.endswith(("\x1b", "\x1b[")):
            self._passed = keys[keys.rindex("\x1b") :]
        passed.append(self._mark_runs(keys, silence))
        if mark:
            passed.append(BEGIN)
        return rest

    def _mark_runs(self, keys: str, silence: float) -> str:
        """Return keys, with marks around characters that are too many to have been typed."""
        last = keys.endswith(INTERRUPT) and len(keys) > 1
        if last:
            keys = keys[:-1]
        continues = self._running and silence < SAME_PASTE and keys not in (INTERRUPT, "\x1b")
        found = _RUN.search(keys)
        self._running = found is not None or continues
        if not continues:
            self._room = KEPT
        if continues and "\x1b" not in keys:
            keys = self._marked(keys)
        elif found is not None:
            keys = _RUN.sub(lambda run: self._marked(run.group()), keys)
        return keys + INTERRUPT if last else keys

    def _marked(self, text: str) -> str:
        """Return pasted text with marks, or nothing if the paste has been long enough."""
        text = _CONTROL.sub("", text[: self._room])
        self._room -= len(text)
        return f"{BEGIN}{text}{END}" if text else ""

    def _collect(self, data: str, passed: list[str]) -> str:
        """Collect the text of a paste, pass it on if its end is there, and return what follows the end."""
        edge = next((n for n in range(len(END) - 1, 0, -1) if data.endswith(END[:n])), 0)
        text, mark, rest = data.partition(END)
        if mark:
            self._keep(text)
            self._pasting = False
            passed.append(self._paste())
            return rest
        self._keep(data[: len(data) - edge])
        self._held = data[len(data) - edge :]
        return ""

    def _keep(self, text: str) -> None:
        self._text += text[: max(KEPT - len(self._text), 0)]

    def _paste(self) -> str:
        """Return the collected text and the mark of its end."""
        text, self._text, self._held = _CONTROL.sub("", self._text), "", ""
        return text + END


def _ends_it(data: str, silence: float) -> bool:
    """Return whether input shows that a paste, whose end never arrived, is over: somebody presses a key."""
    return data in (INTERRUPT, "\x1b") or (silence > GIVEN_UP and len(data) <= ONE_KEY and END not in data)
