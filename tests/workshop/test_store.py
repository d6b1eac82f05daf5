"""Whatever the database has committed survives the end of its process at any moment."""

from __future__ import annotations

import random
import sqlite3
import stat
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from gradstep.actions import RunEpochs
from gradstep.errors import BadInput
from gradstep.start import Start
from gradstep_tui.workshop.bench.widgets.board_text import done_text, phase_text
from gradstep_tui.workshop.server.storage.store import Store
from gradstep_tui.workshop.wire.facts import Facts, phase_of
from gradstep_tui.workshop.wire.messages import Tell
from gradstep_tui.workshop.wire.milestones import Milestone
from tests.workshop.classroom import Classroom, own, write_old_database


def test_after_a_kill_every_action_that_was_kept_is_there_once_and_in_order(tmp_path: Path) -> None:
    draw = random.Random(time.time_ns())
    told: dict[str, list[str]] = defaultdict(list)
    for number in range(3):  # each process goes on where the last was killed
        command = [sys.executable, "-m", "tests.workshop.killed_store", str(tmp_path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(draw.randint(1, 300))]
            time.sleep(draw.uniform(0, 0.01))
            child.kill()
            lines += child.stdout.readlines()
        for line in lines:
            if line.endswith(b"\n"):
                name, *rest = line.decode().split()
                told[name].append(" ".join(rest))
        store = Store(tmp_path)
        for name in ("ann", "bob", "cleo"):
            kept = store.session(name)
            assert kept is not None
            since = next((at for at in range(len(told[name]) - 1, -1, -1) if "begin" in told[name][at]), -1)
            wanted = [f"did {action.count}" for action in kept.actions if isinstance(action, RunEpochs)]
            reported = told[name][since + 1 :]
            extra = wanted[len(reported) :] if kept.start.seed is None or reported else wanted
            if since >= 0 and kept.start.seed != int(told[name][since].split()[1]):
                reported = []  # killed after storing a new session, before reporting it
            assert wanted[: len(reported)] == reported
            assert len(extra) <= 1  # stored, and killed before reporting it
            told[name] = [*([f"begin {kept.start.seed}"] if kept.start.seed is not None else []), *wanted]
        store.close()


def test_only_one_server_uses_a_folder_and_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(BadInput, match="another server uses"):
        Store(tmp_path)
    store._database.connection.execute("PRAGMA user_version = 9")
    store.close()
    with pytest.raises(BadInput, match="version 9, but"):
        Store(tmp_path)


def test_what_was_said_survives_a_restart_and_who_was_away_is_told_that_there_is_something(
    tmp_path: Path,
) -> None:
    room = Classroom(tmp_path)
    room.enter("ann").leave()
    room.hub.join(own(room.store, "ida", "instructor"), [].append)
    room.hub.heard("ida", Tell("look at g", "ann"))
    room.close()
    room = Classroom(tmp_path)
    welcome = room.hub.join(own(room.store, "ann", "learner"), [].append)
    assert ([message.text for message in welcome.told], welcome.missed) == (["look at g"], 1)
    room.close()
    room = Classroom(tmp_path)
    assert room.hub.join(own(room.store, "ann", "learner"), [].append).missed == 0
    room.close()


def test_hands_and_what_was_seen_survive_a_restart(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    ann = room.enter("ann").welcome and own(room.store, "ann")
    room.store.mark("ann", hand=1234.5, allows=False, told=[], missed=0)
    session = room.store.begin(ann, Start("xor"))
    room.store.add(ann, session, 1, [(RunEpochs(2), Facts(seen=("accumulation", "no_zeroing")))])
    room.close()
    room = Classroom(tmp_path)
    participant = room.hub._participants["ann"]
    assert (participant.hand, participant.allows, participant.start) == (1234.5, False, Start("xor"))
    assert participant.facts.seen == ("accumulation", "no_zeroing")
    room.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_database_of_an_older_version_is_converted_and_its_sessions_go_on(
    tmp_path: Path, version: int
) -> None:
    """Versions 1 and 2 stored the phrases of the board; up to version 3 there were no states of names."""
    write_old_database(tmp_path, version)
    for _ in range(2):
        room = Classroom(tmp_path)
        rows = {name: participant.row(0) for name, participant in room.hub._participants.items()}
        assert {name: phase_text(row.facts.phase) for name, row in rows.items()} == {
            "ann": "next: update",
            "bob": "in backward 3/16",
            "cleo": "next: zero",
            "ida": "next: forward",
        }
        assert {name: done_text(row) for name, row in rows.items()} == {
            "ann": "backward",
            "bob": "one node",
            "cleo": "backward",
            "ida": "run 2 epochs",
        }
        assert rows["bob"].facts.seen == (Milestone.NODES, Milestone.NO_ZEROING)
        assert (rows["ida"].facts.curve, rows["ida"].facts.epoch) == ("70", 2)
        refusal = rows["cleo"].facts.refusal
        assert refusal is not None
        assert refusal.kind == "RuntimeError"
        assert refusal.words.startswith("one of the variables needed for gradient computation")
        assert {name: room.hub._participants[name].refused for name in rows} == {
            "ann": [],
            "bob": [],
            "cleo": [4],
            "ida": [],
        }
        for name in ("bob", "cleo"):
            participant = room.enter(name)
            assert phase_of(participant.session.state) == rows[name].facts.phase
            participant.leave()
        room.close()
    room = Classroom(tmp_path)
    told = room.hub.join(own(room.store, "ann", "learner"), [].append).told
    assert [message.text for message in told] == ["look at g"] * (version > 1)
    assert room.store.names.resumed("ann", "code") == room.store.names.owner("ann")
    assert room.store.names.offer("ann", "learner", "stolen") is None
    room.close()
    with closing(sqlite3.connect(tmp_path / f"workshop.db.version-{version}")) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (version,)
        assert kept.execute("SELECT count(*) FROM actions").fetchone() == (22,)
    assert stat.S_IMODE((tmp_path / f"workshop.db.version-{version}").stat().st_mode) == 0o600
