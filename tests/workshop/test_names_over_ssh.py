"""Names over SSH: nobody gets a name that somebody else uses, and nobody loses one. With real clients."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.workshop.misbehaving_clients import bench, connect, shown
from tests.workshop.workshop_server import CONFIRM, NEW, RESUME, Server, make_key

STEPPED = "in backward 1/11"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    server = Server(delay=0.05)
    yield server
    server.close()


def shown_code(terminal: Terminal) -> str:
    """Wait for the dialog with the resume code; return the code."""
    terminal.wait_for(CONFIRM)
    return str(RESUME.findall(terminal.text)[0])


def test_a_second_login_at_the_dialog_of_the_first_leaves_the_name_to_its_owner(
    own: Server, tmp_path: Path
) -> None:
    name, key = "zoe", make_key(tmp_path / "key")
    first = own.join(name, wait=CONFIRM, key=key)
    code = shown_code(first)  # Enter is not pressed
    assert own.run(own.command(name, "-tt", key=key), code="no code").returncode == 255
    with own.join(name, wait=NEW, code=code) as second:
        assert first.wait_exit() == 0
        second.send("fs")
        second.wait_for(STEPPED)
        stranger = own.run(own.command(name, "-tt"))  # with the join code
        assert stranger.returncode == 255
        assert "welcome back" not in stranger.stdout
        fetched = own.run(own.command(name, f"{name}@127.0.0.1:*", str(tmp_path), program="scp"))
        assert fetched.returncode != 0
        second.send("s")
        second.wait_for("in backward 2/11")  # she is still there
        with own.join(name, wait="in backward 2/11", code=code):
            assert second.wait_exit() == 0
    first.close()
    assert not own.events("released", name=name)


async def test_a_second_login_with_the_join_code_does_not_end_the_dialog_of_the_first(own: Server) -> None:
    """Both have typed the join code before either had a bench."""
    async with await connect(own, "twin") as one, await connect(own, "twin") as other:
        first = await bench(one)
        await shown(first, CONFIRM.encode())
        second = await bench(other)
        assert "has just been taken" in (await shown(second, b"log in with another one")).decode()
        first.stdin.write(b"\r")
        await shown(first, b"loss")
    assert not own.events("released", name="twin")


def test_one_damaged_row_stops_nobody_and_its_learner_begins_a_new_session(tmp_path: Path) -> None:
    server = Server(state=tmp_path / "state", delay=0.05)
    key = make_key(tmp_path / "key")
    try:
        for name in ("ada", "bob", "cleo"):
            with server.join(name, key=key) as learner:
                learner.send("fs")
                learner.wait_for(STEPPED)
    finally:
        server.close()
    with closing(sqlite3.connect(tmp_path / "state" / "workshop.db", isolation_level=None)) as db:
        bob = "(SELECT id FROM sessions WHERE name = 'bob')"
        db.execute(f"""UPDATE actions SET action = '{{"do":"Teleport"}}' WHERE session = {bob}""")
        db.execute("""UPDATE sessions SET start = '{"problem":"nonsense"}' WHERE name = 'cleo'""")
    server = Server(state=tmp_path / "state", delay=0.05)
    try:
        assert server.logged("set aside", name="bob")["session"] == 2
        with server.join("ada", key=key, wait=STEPPED), server.join("bob", key=key) as learner:
            learner.wait_for("the server cannot read your last session and keeps it: this is a new one")
        with server.join("cleo", key=key) as learner:
            learner.wait_for("your last session could not be made again; the server keeps it")
            learner.send("fs")
            learner.wait_for(STEPPED)
        server.logged("set aside", name="cleo", session=3)
        with server.join("cleo", key=key, wait=STEPPED):
            pass
        assert "Traceback" not in server.log
    finally:
        server.close()


def test_a_learner_who_lost_the_line_at_the_dialog_comes_back_with_the_code_or_starts_over(
    own: Server,
) -> None:
    with own.join("wifi", wait=CONFIRM) as first:
        code = shown_code(first)
    own.logged("released", name="wifi")
    with own.join("wifi", wait="", code=code) as again:  # the code that was on the screen
        again.wait_for(NEW)
    assert own.run(own.command("wifi", "-tt")).returncode == 255  # it is the learner's for good
    with own.join("nowifi", wait=CONFIRM) as first:
        old_code = shown_code(first)
    own.logged("released", name="nowifi")
    with own.join("nowifi", wait=CONFIRM) as second:  # without the code: a new one
        assert shown_code(second) != old_code
        assert own.run(own.command("nowifi", "-tt"), code=old_code).returncode == 255
