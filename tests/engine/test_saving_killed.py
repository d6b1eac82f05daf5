"""SIGKILL at any moment loses nothing that was finished."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gradstep.opening import open_session
from gradstep.saving.reader import SavedSession, read_session_file
from gradstep.saving.replay import replay
from gradstep.saving.session_folder import Store
from tests import preloaded
from tests.engine.test_imports import ROOT
from tests.killed_sessions import digest

KILLS = 15


def killed_in(folder: Path) -> dict[Path, list[str]]:
    """Kill children that train and save in a folder; what each had finished, by its file."""
    command = [sys.executable, "-m", "tests.killed_sessions", str(folder), str(KILLS)]
    told = preloaded.run(command, cwd=ROOT)
    assert told.returncode == 0, told.stderr
    return {folder / name: finished for name, finished in map(json.loads, told.stdout.splitlines())}


def digests(saved: SavedSession) -> list[str]:
    """Replay, giving the bits after each action."""
    found: list[str] = []
    session = open_session(saved.header.start)
    for did in saved.actions:
        try:
            session.apply(did.action)
        except Exception:
            assert did.refused
        found.append(digest(session))
    return found


def test_what_was_finished_when_the_program_was_killed_comes_back_to_the_same_bits(tmp_path: Path) -> None:
    killed = killed_in(tmp_path)
    assert len(killed) == KILLS
    assert sum(map(len, killed.values())) > 5 * KILLS, "the children were killed too early to tell anything"
    begun = [path for path in killed if path.exists() and path.stat().st_size]
    assert not any(finished for path, finished in killed.items() if path not in begun)
    for path in begun:
        saved, finished = read_session_file(path, allow_torn=True), killed[path]
        # One more may be written, of which the child could not tell any more.
        assert len(finished) <= len(saved.actions) <= len(finished) + 1
        assert digests(saved)[: len(finished)] == finished
        assert not saved.closed
    for path in begun[:5]:
        assert replay(read_session_file(path, allow_torn=True)).mismatch is None
    found = Store(tmp_path).unfinished()  # the next start offers the one that was killed last
    assert found.session is not None
    assert found.session.path == begun[-1]
    assert not found.bad
