"""What is remembered from one start to the next: the theme, and the problem and script chosen last.

Everything is kept in one small file in the user's state folder. It is no error if it cannot be read or
written: then nothing is remembered.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gradstep.errors import EngineError
from gradstep.start import Start, start_from

VERSION: Final = 1
"""Version of the file; a file of a newer version is neither read nor changed."""

LARGEST: Final = 10_000
"""Bytes above which a file is not one of ours."""

LONGEST: Final = 4_096
"""Characters that a remembered name or path has at most."""


class Preferences:
    """Names that are remembered, each under a key."""

    def __init__(self, path: Path | None = None) -> None:
        """Use a file, which need not exist; None for the one in the user's state folder."""
        if path is None:
            import platformdirs

            path = platformdirs.user_state_path("gradstep", appauthor=False) / "preferences.json"
        self._path = path
        self._is_newer = False
        self._names = self._read()

    @property
    def theme(self) -> str:
        """Name of the colour theme; empty if none was chosen."""
        return self._names.get("theme", "")

    @property
    def problem(self) -> str:
        """Name of the built-in problem chosen last; empty if none was chosen."""
        return self._names.get("problem", "")

    @property
    def own(self) -> Start | None:
        """Start of the learner's script or notebook that was trained last; None if there is none any more."""
        script = self._names.get("script", "")
        with suppress(EngineError, OSError, ValueError):
            if script and os.path.isfile(script):
                return start_from(script)
        return None

    def remember_own(self, start: Start) -> None:
        """Remember a script or a notebook; other starts are passed over."""
        if start.has_file and start.table is None and os.path.isabs(start.problem):
            self.remember(script=start.problem)

    def remember(self, *, theme: str = "", problem: str = "", script: str = "") -> None:
        """Remember names; an empty name changes nothing."""
        new = {"theme": theme, "problem": problem, "script": script}
        names = {**self._names, **{key: name for key, name in new.items() if name}}
        if names != self._names:
            self._names = names
            if not self._is_newer:
                self._write()

    def _read(self) -> dict[str, str]:
        found: Any = None
        with suppress(OSError, ValueError, RecursionError), open(self._path, "rb") as file:
            found = json.loads(file.read(LARGEST))
        if not isinstance(found, dict) or not isinstance(found.get("version"), int):
            return {}
        self._is_newer = found["version"] > VERSION
        if self._is_newer:
            return {}
        return {
            key: name
            for key, name in found.items()
            if isinstance(name, str) and len(name) <= LONGEST and key in ("theme", "problem", "script")
        }

    def _write(self) -> None:
        """Replace the file by a complete one, or leave it as it is."""
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_text(json.dumps({"version": VERSION, **self._names}) + "\n", encoding="utf-8")
            os.replace(part, self._path)
        except (OSError, ValueError):
            with suppress(OSError):
                part.unlink()


def preferences_of(app: object) -> Preferences | None:
    """Return what an app remembers; None if it remembers nothing."""
    found = getattr(app, "preferences", None)
    return found if isinstance(found, Preferences) else None
