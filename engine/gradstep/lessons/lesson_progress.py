"""What learners have done in lessons, kept in a small database in the state folder, per name.

It is no error if it cannot be read or written: then progress lasts as long as the program, and `trouble` says
why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from gradstep.lessons.course import Status, StepProgress
from gradstep.predictions.judging import Grade

VERSION: Final = 1
"""Version of the database; one of a newer version is neither read nor changed."""

PATIENCE: Final = 2.0
"""Seconds to wait for another program that writes to the database."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS steps (
    learner TEXT NOT NULL,
    lesson TEXT NOT NULL,
    step TEXT NOT NULL,
    status TEXT NOT NULL,
    first TEXT,
    slip TEXT NOT NULL,
    tries INTEGER NOT NULL,
    hints INTEGER NOT NULL,
    after_looking INTEGER NOT NULL,
    PRIMARY KEY (learner, lesson, step)
) WITHOUT ROWID
"""
COLUMNS: Final = "step, status, first, slip, tries, hints, after_looking"

AT_HOME: Final = ""
"""Name of the learner at home; in a workshop, each has a name."""


class LessonProgress:
    """LessonProgress of learners in lessons."""

    def __init__(self, path: Path | None = None) -> None:
        """Use a database, which need not exist; None for the one in the user's state folder."""
        if path is None:
            import platformdirs

            path = platformdirs.user_state_path("gradstep", appauthor=False) / "lessons.db"
        self._path = path
        self._unsaved = dict[tuple[str, str], dict[str, StepProgress]]()
        self.trouble = ""
        """Reason that progress is not saved; empty if it is."""

    def of(self, lesson: str, learner: str = AT_HOME) -> Mapping[str, StepProgress]:
        """Return what a learner has done in a lesson, by the ids of its steps."""
        query = f"SELECT {COLUMNS} FROM steps WHERE learner = ? AND lesson = ?"
        rows = self._run(query, learner, lesson, write=False) if self._path.exists() else []
        found = {step: _record(*row) for step, *row in rows or []}
        return found | self._unsaved.get((learner, lesson), {})

    def keep(self, lesson: str, step: str, record: StepProgress, learner: str = AT_HOME) -> None:
        """Keep what a learner has done in a step, in place of what was kept of it before."""
        values = record.status, record.first, record.slip, record.tries, record.hints, record.after_looking
        marks = ", ".join("?" * (len(values) + 3))
        insert = f"INSERT OR REPLACE INTO steps (learner, lesson, {COLUMNS}) VALUES ({marks})"
        unsaved = self._unsaved.setdefault((learner, lesson), {})
        if self._run(insert, learner, lesson, step, *values) is None:
            unsaved[step] = record
        else:
            unsaved.pop(step, None)

    def reset(self, lesson: str | None = None, learner: str = AT_HOME) -> None:
        """Forget a learner's progress in a lesson, or in all of them for None."""
        for key in [key for key in self._unsaved if key[0] == learner and lesson in (None, key[1])]:
            del self._unsaved[key]
        if lesson is None:
            self._run("DELETE FROM steps WHERE learner = ?", learner)
        else:
            self._run("DELETE FROM steps WHERE learner = ? AND lesson = ?", learner, lesson)

    def _run(self, sql: str, *values: object, write: bool = True) -> list[tuple[Any, ...]] | None:
        """Run a statement; return its rows, or None if the database cannot be used."""
        try:
            if write:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as connection, connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                    self.trouble = f"a newer gradstep wrote {self._path}: progress in lessons is not saved"
                    return None
                connection.execute(SCHEMA)
                connection.execute(f"PRAGMA user_version = {VERSION}")
                rows = connection.execute(sql, values).fetchall()
        except (OSError, sqlite3.Error) as error:
            self.trouble = f"progress in lessons is not saved: {error} ({self._path})"
            return None
        self.trouble = ""
        return rows


def _record(
    status: str, first: str | None, slip: str, tries: int, hints: int, after_looking: int
) -> StepProgress:
    known = status if status in {*Status} else Status.OPEN
    mark = next((grade for grade in Grade if grade == first), None)
    return StepProgress(Status(known), mark, str(slip), int(tries), int(hints), bool(after_looking))
