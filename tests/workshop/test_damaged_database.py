"""Damaged databases: who is concerned gets a new session, the others are served, and nothing is deleted."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gradstep.actions import Forward, RunEpochs, StepNode
from gradstep.errors import BadInput
from gradstep.start import Start
from gradstep_tui.workshop.bench.session.autosave import SET_ASIDE
from gradstep_tui.workshop.server.command import serve
from gradstep_tui.workshop.server.hub import CRASHES, Hub
from gradstep_tui.workshop.server.storage.database import StoreError
from gradstep_tui.workshop.server.storage.names import NameLostError
from gradstep_tui.workshop.server.storage.store import Store
from gradstep_tui.workshop.wire import messages as say
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import SessionContinued
from gradstep_tui.workshop.wire.reasons import AsideReason
from tests.workshop.classroom import Classroom, Headless, own, write_old_database


class Log:
    """Collects events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: str, **facts: object) -> None:
        self.events.append(json.loads(json.dumps({"event": event, **facts}, default=str)))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [facts for facts in self.events if facts["event"] == event]


class DamagedRoom(Classroom):
    """A class on a database that may be damaged, with its log."""

    def __init__(self, folder: Path) -> None:
        self.log = Log()
        self.store = Store(folder, self.log)
        self.hub = Hub(self.store, Start(), self.log)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the sessions of three learners."""
    folder = tmp_path_factory.mktemp("class")
    room = Classroom(folder)
    for name in ("ann", "bob", "cleo"):
        own(room.store, name, code=f"{name}'s code", keys=[f"SHA256:{name}"])
        learner = room.enter(name)
        learner.act(Forward(), StepNode(), StepNode())
        learner.leave()
    room.close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def change(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "workshop.db", isolation_level=None)) as db:
        yield db


def check_that_only_bob_has_a_new_session(folder: Path, reason: AsideReason = AsideReason.UNREADABLE) -> Log:
    room = DamagedRoom(folder)
    for name in ("ann", "cleo"):
        other = room.enter(name)
        assert other.welcome.actions == (Forward(), StepNode(), StepNode())
        assert other.autosave.notice.text.startswith("welcome back")
        other.act(StepNode())
        assert other.welcome.trouble == ""
        other.leave()
    assert room.store.names.resumed("bob", "bob's code") == own(room.store, "bob")
    assert room.store.names.offer("bob", "learner", "a thief's code") is None
    bob = room.enter("bob")
    assert (bob.welcome.actions, bob.welcome.set_aside) == ((), reason)
    assert bob.autosave.notice.text == SET_ASIDE[reason]
    bob.act(Forward())
    bob.leave()
    room.close()
    again = DamagedRoom(folder)  # the new session goes on, and bob is told once only
    bob = again.enter("bob")
    assert (bob.welcome.actions, bob.welcome.set_aside) == ((Forward(),), None)
    assert len(again.store.session("ann").actions) == 4  # type: ignore[union-attr]
    kept = again.store._database.rows("SELECT name, session, why FROM set_aside")
    assert [(name, why.partition(":")[0]) for name, _, why in kept] == [("bob", reason)]
    again.close()
    assert [event["name"] for event in room.log.of("set aside")] == ["bob"]
    return room.log


BOB = "(SELECT id FROM sessions WHERE name = 'bob')"


@pytest.mark.parametrize(
    "damage",
    [
        f"""UPDATE actions SET action = '{{"do":"Teleport"}}' WHERE session = {BOB} AND number = 2""",
        f"""UPDATE actions SET action = '{{"do":"Run' WHERE session = {BOB} AND number = 2""",
        f"UPDATE actions SET action = x'00ff80fe' WHERE session = {BOB}",
        f"UPDATE actions SET action = 7 WHERE session = {BOB}",
        f"""UPDATE actions SET facts = '{{"say":"Facts","mood":"good"}}' WHERE session = {BOB}""",
        f"UPDATE actions SET facts = '{'[' * 5000}' WHERE session = {BOB}",
        f"UPDATE actions SET at = 'yesterday' WHERE session = {BOB}",
        f"DELETE FROM actions WHERE session = {BOB} AND number = 2",
        "UPDATE sessions SET start = x'' WHERE name = 'bob'",
        "UPDATE sessions SET start = CAST(x'7b22ff' AS TEXT) WHERE name = 'bob'",
    ],
)
def test_a_session_that_cannot_be_read_is_set_aside_and_the_others_go_on(
    folder: Path, change: sqlite3.Connection, damage: str
) -> None:
    change.execute(damage)
    before = change.execute(f"SELECT * FROM actions WHERE session = {BOB}").fetchall()
    check_that_only_bob_has_a_new_session(folder)
    kept = "SELECT * FROM actions WHERE session = (SELECT min(id) FROM sessions WHERE name = 'bob')"
    assert change.execute(kept).fetchall() == before


def test_a_session_that_only_a_newer_version_can_read_goes_on_after_the_upgrade(
    folder: Path, change: sqlite3.Connection
) -> None:
    where = f"WHERE session = {BOB} AND number = 2"
    (action,) = change.execute(f"SELECT action FROM actions {where}").fetchone()
    change.execute(f"""UPDATE actions SET action = '{{"do":"Teleport"}}' {where}""")
    DamagedRoom(folder).close()  # bob does not log in meanwhile
    change.execute(f"UPDATE actions SET action = ? {where}", (action,))
    room = DamagedRoom(folder)
    assert len(room.enter("bob").welcome.actions) == 3
    room.close()


@pytest.mark.parametrize("told", ["{", "[{}]", "7", "[1]"])
def test_damaged_messages_of_an_instructor_are_set_aside(
    folder: Path, change: sqlite3.Connection, told: str
) -> None:
    change.execute("UPDATE learners SET told = ?, hand = 'up', seen = x'ff', missed = 'x'", (told,))
    room = DamagedRoom(folder)
    assert room.enter("bob").welcome.told == ()
    assert len(room.log.of("set aside")) == 3
    room.close()
    assert change.execute("SELECT content FROM set_aside WHERE name = 'bob'").fetchall() == [(told,)]


def test_a_damaged_name_is_never_used(folder: Path, change: sqlite3.Connection) -> None:
    change.execute("PRAGMA foreign_keys = OFF")
    change.execute("UPDATE learners SET name = '../../etc', role = 'king', code = 5 WHERE name = 'bob'")
    room = DamagedRoom(folder)
    assert sorted(room.hub._participants) == ["ann", "cleo"]
    assert room.log.of("set aside")[0]["name"] == "'../../etc'"
    room.close()


@pytest.mark.parametrize("table", ["actions", "sessions", "learners", "keys"])
def test_a_damaged_page_leaves_what_is_on_the_others(tmp_path: Path, table: str) -> None:
    """Enough learners that each table has many pages; one page in the middle is overwritten."""
    store = Store(tmp_path)
    names = [f"learner-{number:03}" for number in range(300)]
    for name in names:
        claim = own(store, name, code=f"{name}'s code", keys=[f"SHA256:{name}{'x' * 40}"])
        session = store.begin(claim, Start())
        store.add(claim, session, 1, [(RunEpochs(count), Facts(epoch=count)) for count in (1, 2, 3)])
    store.close()
    path = tmp_path / "workshop.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (size,) = db.execute("PRAGMA page_size").fetchone()
        pages = _leaves(db, path, table, size)
    content = bytearray(path.read_bytes())
    at = (pages[len(pages) // 2] - 1) * size
    content[at : at + size] = b"\xa5" * size
    path.write_bytes(content)
    room = DamagedRoom(tmp_path)
    (event,) = room.log.of("database damaged")
    assert (tmp_path / event["kept"]).read_bytes() == content
    known = [name for name in names if room.store.names.owner(name) is not None]
    assert len(known) == 300 if table != "learners" else 200 < len(known) <= 300
    whole = [name for name in names if (kept := room.hub._participants.get(name)) and len(kept.actions) == 3]
    assert len(whole) > 200
    for name in names:  # everybody who is still known is served, and what is done is kept
        claim = room.store.names.owner(name)
        if claim is None:
            assert table == "learners"
            continue
        room.hub.join(claim, [].append)
        room.hub.heard(name, say.ActionDone(RunEpochs(4), Facts()))
        assert room.hub._participants[name].trouble == ""
        if table != "learners":
            assert room.store.names.resumed(name, f"{name}'s code") == claim
    room.close()


def _leaves(db: sqlite3.Connection, path: Path, table: str, size: int) -> list[int]:
    """Return the numbers of a table's leaf pages, by their parents' cells."""
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    content = path.read_bytes()

    def below(number: int) -> list[int]:
        page = content[(number - 1) * size : number * size]
        if page[0] not in (2, 5):
            return [number]
        cells = int.from_bytes(page[3:5], "big")
        starts = [int.from_bytes(page[12 + 2 * at : 14 + 2 * at], "big") for at in range(cells)]
        children = [int.from_bytes(page[start : start + 4], "big") for start in starts]
        return [leaf for child in [*children, int.from_bytes(page[8:12], "big")] for leaf in below(child)]

    leaves = below(root)
    assert len(leaves) >= 3, table
    return leaves


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_damaged_row_of_an_old_database_does_not_stop_its_conversion(tmp_path: Path, version: int) -> None:
    write_old_database(tmp_path, version)
    with closing(sqlite3.connect(tmp_path / "workshop.db", isolation_level=None)) as db:
        db.execute("UPDATE actions SET facts = '{' WHERE session = 3 AND number = 2")  # bob's last session
        db.execute("DELETE FROM learners WHERE name = 'cleo'")  # an earlier version could lose the owner
    room = DamagedRoom(tmp_path)
    assert sorted(room.hub._participants) == ["ann", "bob", "ida"]
    assert len(room.enter("ann").welcome.actions) == 9
    assert room.enter("bob").welcome.set_aside is AsideReason.UNREADABLE
    assert sorted(event["name"] for event in room.log.of("set aside")) == ["bob", "cleo"]
    assert room.enter("cleo").welcome.actions == ()  # whoever takes the name next
    kept = room.store._database.rows("SELECT count(*) FROM actions WHERE session IN (4, 5)")
    assert kept == [(5,)]
    room.close()


# What cannot be used at all


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + bytes(90)])
def test_a_file_that_is_no_database_is_told_in_one_sentence_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "workshop.db"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(BadInput, match=r"workshop\.db (is empty|cannot be used).*restore|Restore"):
            Store(tmp_path)
        assert path.read_bytes() == content


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_state_folder_that_is_removed_under_a_running_server_is_told(folder: Path, how: str) -> None:
    room = DamagedRoom(folder)
    ann = room.enter("ann")
    shutil.rmtree(folder)
    if how == "replaced":
        folder.mkdir()
        (folder / "workshop.db").write_bytes(b"")
    ann.act(StepNode())
    assert room.log.of("not stored")[0]["name"] == "ann"
    assert "removed or replaced" in room.hub._participants["ann"].trouble
    assert room.enter("bob").welcome.actions  # what was read before is still there
    with pytest.raises(StoreError, match="removed or replaced"):
        room.store.names.offer("dora", "learner", "code")
    ann.leave()
    room.close()


# Sessions that cannot be made


@pytest.mark.parametrize(
    "start",
    ['{"problem":"nonsense"}', '{"problem":"/etc/passwd"}'],
)
def test_a_learner_whose_session_cannot_be_made_gets_a_new_one(
    folder: Path, change: sqlite3.Connection, start: str
) -> None:
    change.execute("UPDATE sessions SET start = ? WHERE name = 'bob'", (start,))
    room = DamagedRoom(folder)
    bob = room.enter("bob")
    bob.pump()
    assert bob.autosave.notice.text == SET_ASIDE[AsideReason.FAILED]
    (event,) = room.log.of("set aside")
    assert (event["name"], bool(event["why"])) == ("bob", True)
    bob.act(Forward())
    bob.leave()
    room.close()
    again = DamagedRoom(folder)
    assert again.enter("bob").welcome.actions == (Forward(),)
    again.close()
    assert change.execute("SELECT count(*) FROM set_aside WHERE name = 'bob'").fetchone() == (1,)
    assert change.execute("SELECT count(*) FROM actions").fetchone() == (3 + 3 + 3 + 1,)


def test_a_session_that_crashes_the_bench_each_time_is_set_aside(folder: Path) -> None:
    room = DamagedRoom(folder)
    claim, heard = own(room.store, "bob"), list[say.ToBench]()
    for _ in range(CRASHES):
        assert room.hub.join(claim, heard.append).actions
        room.hub.crashed("bob", heard.append)
        room.hub.leave("bob", heard.append)
    welcome = room.hub.join(claim, heard.append)
    assert (welcome.actions, welcome.set_aside) == ((), AsideReason.CRASHED)
    for _ in range(CRASHES):  # crashes later, for any other reason, do not count
        room.hub.heard("bob", say.ActionDone(Forward(), Facts()))
        room.hub.leave("bob", heard.append)
        assert room.hub.join(claim, heard.append).actions
        room.hub.heard("bob", SessionContinued())
        room.hub.crashed("bob", heard.append)
    room.close()


# The store refuses what has no owner


def test_sessions_and_actions_of_an_unknown_name_are_refused(folder: Path) -> None:
    store = Store(folder)
    ann, bob = own(store, "ann"), own(store, "bob")
    session = store.begin(ann, Start())
    with pytest.raises(NameLostError):
        store.add(bob, session, 1, [(Forward(), Facts())])
    offered = store.names.offer("dora", "learner", "code")
    assert offered is not None
    mine = store.begin(offered, Start())
    assert store.names.release(offered)
    again = store.names.offer("dora", "learner", "another code")
    assert again is not None
    with pytest.raises(NameLostError):
        store.begin(offered, Start())
    with pytest.raises(NameLostError):
        store.add(offered, mine, 1, [(Forward(), Facts())])
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store._database.connection.execute("INSERT INTO sessions (name, start) VALUES ('nobody', '')")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store._database.connection.execute("INSERT INTO actions VALUES (99, 1, '', '', 0)")
    assert not store.names.release(ann)
    assert store.names.state(ann)
    store.close()


def test_a_server_that_is_killed_while_it_creates_the_file_leaves_nothing_that_stops_the_next(
    tmp_path: Path,
) -> None:
    (tmp_path / ".workshop.db.new").write_bytes(b"")
    store = Store(tmp_path)
    assert Headless(store, Hub(store, Start()), "ann").welcome.name == "ann"
    store.close()


# What was set aside is brought back


def restored(folder: Path, wanted: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run `gradstep serve --restore`; return what it says."""
    code = serve(["--restore", *[wanted] * bool(wanted), "--state", str(folder)])
    said = capsys.readouterr()
    assert code == (0 if said.out else 2)
    return said.out or said.err


def test_a_session_that_was_set_aside_comes_back_as_far_as_it_can_be_read(
    folder: Path, change: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before and after the learner has begun another one; the same command brings that one back."""
    change.execute(
        f"""UPDATE actions SET action = '{{"do":"Teleport"}}' WHERE session = {BOB} AND number = 3"""
    )
    assert restored(folder, "", capsys) == "bob: session 2, 3 actions, since now, unreadable\n"
    room = DamagedRoom(folder)
    bob = room.enter("bob")
    bob.act(RunEpochs(5))
    assert "another server uses" in restored(folder, "bob", capsys)
    bob.leave()
    room.close()
    assert restored(folder, "", capsys).startswith("bob: session 2, 3 actions, since 2")
    said = restored(folder, "bob", capsys)
    assert "bob's session 2 is back, with 2 of 3 actions. The session since then, 4," in said
    room = DamagedRoom(folder)
    bob = room.enter("bob")
    assert (bob.welcome.actions, bob.welcome.set_aside) == ((Forward(), StepNode()), None)
    bob.act(StepNode())
    bob.leave()
    room.close()
    assert "bob's session 4 is back, with 1 of 1 actions" in restored(folder, "bob", capsys)
    room = DamagedRoom(folder)
    assert room.enter("bob").welcome.actions == (RunEpochs(5),)
    assert room.enter("ann").welcome.actions == (Forward(), StepNode(), StepNode())
    room.close()


def test_a_session_whose_learner_has_not_come_back_since_it_was_damaged_is_mended_in_place(
    folder: Path, change: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    change.execute(f"DELETE FROM actions WHERE session = {BOB} AND number = 2")
    assert restored(folder, "bob", capsys) == "bob's session 2 is back, with 1 of 2 actions.\n"
    room = DamagedRoom(folder)
    assert room.enter("bob").welcome.actions == (Forward(),)
    assert room.log.of("set aside") == []
    room.close()


def test_of_a_session_that_cannot_be_made_the_first_actions_can_be_brought_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = DamagedRoom(folder)
    claim, heard = own(room.store, "bob"), list[say.ToBench]()
    for _ in range(CRASHES):
        room.hub.join(claim, heard.append)
        room.hub.crashed("bob", heard.append)
        room.hub.leave("bob", heard.append)
    room.hub.join(claim, heard.append)
    room.close()
    assert "with 1 of 3 actions" in restored(folder, "bob:1", capsys)
    room = DamagedRoom(folder)
    assert room.enter("bob").welcome.actions == (Forward(),)
    room.close()


@pytest.mark.parametrize(
    ("wanted", "damage", "said"),
    [
        ("ann", "", "no session of ann is set aside"),
        ("dora", "", "nobody has the name 'dora'"),
        ("bob:x", "", "'x' is not a number of actions"),
        ("bob", "UPDATE sessions SET start = x'' WHERE name = 'bob'", "session cannot be read"),
        ("bob", "UPDATE sessions SET start = '{' WHERE name = 'bob'", "session cannot be read"),
        ("", "", "no session is set aside"),
    ],
)
def test_what_cannot_be_brought_back_is_told_in_one_line(
    folder: Path,
    change: sqlite3.Connection,
    capsys: pytest.CaptureFixture[str],
    wanted: str,
    damage: str,
    said: str,
) -> None:
    change.execute(damage)
    text = restored(folder, wanted, capsys)
    assert said in text
    assert text.count("\n") == 1


def test_a_folder_without_a_workshop_is_not_made_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "has no database" in restored(tmp_path, "bob", capsys)
    assert not [*tmp_path.iterdir()]
