"""The log: each line is JSON, and says who, how, why and how long."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path

import asyncssh
import pytest

from gradstep_tui.workshop.bench import app as bench_app
from gradstep_tui.workshop.server.channel import NO_TERMINAL
from gradstep_tui.workshop.server.event_log import _Events, log
from gradstep_tui.workshop.server.file_session import NO_FILES
from gradstep_tui.workshop.wire import messages as say
from tests.workshop.classroom import Classroom
from tests.workshop.misbehaving_clients import connect
from tests.workshop.workshop_server import Server, make_key, until


def test_messages_of_libraries_are_json_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("asyncio")
    logger.addHandler(_Events())
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logger.exception("socket.send() raised exception.")
    log("join", name="ada")
    log("crash", name="ada")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["level"] for line in lines] == ["error", "info", "error"]
    assert "ValueError: one" in lines[0]["traceback"]
    assert all({"at", "level", "event"} <= line.keys() for line in lines)


async def test_a_login_has_its_way_and_a_logout_its_reason_and_duration(served: Server) -> None:
    with served.join("logged") as terminal:
        assert served.logged("join", name="logged")["method"] == "join code"
        terminal.send("q")
        assert terminal.wait_exit() == 0
    left = served.logged("leave", name="logged")
    assert left["why"] == "left"
    assert left["seconds"] > 0


async def test_refusals_say_who_how_why_and_when(served: Server, tmp_path: Path) -> None:
    """Forwardings, commands, subsystems, channels without a terminal, files without a name, exchanges."""
    key = make_key(tmp_path / "key")
    async with await connect(served, "forwarding") as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 1)
    for arguments in (["id"], ["-s", "netconf"], ["-T"]):
        options = [part for part in arguments if part.startswith("-") and part != "-s"]
        rest = [part for part in arguments if part not in options]
        served.run([*served.command("asker", *options), *rest])
    served.run(served.command("asker", "asker@127.0.0.1:x", str(tmp_path), program="scp"))
    served.run(served.command("asker", key=key), code="a guess")
    with served.socket() as line:
        line.sendall(b"SSH-2.0-x\r\nnot a key exchange at all\r\n")
        until(lambda: served.events("no login", name=""), "a failed key exchange")
    wanted = {
        "forwarding": ["to forward a port was requested"],
        "asker": ["a command was requested", "the subsystem 'netconf' was requested", NO_TERMINAL, NO_FILES],
    }
    for name, reasons in wanted.items():
        events = served.events("refused", name=name)
        assert [event["why"] for event in events] == reasons
        for event in events:
            assert event["method"] == "join code"
            assert event["address"] == "127.0.0.1"
            assert event["seconds"] > 0
    for event in served.events("wrong code", name="asker"):
        assert (event["method"], event["seconds"] > 0) == ("code", True)
    assert served.events("wrong code", name="asker")
    assert served.events("no login", name="asker")[0]["seconds"] > 0
    assert all(line.startswith("{") for line in served.log.splitlines())


def test_a_fetched_file_is_in_it_with_the_key_and_the_end_of_the_transfer(
    served: Server, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key")
    with served.join("fetcher", key=key):
        pass
    (served.state / "exports/fetcher/crops.py").write_text("print()", encoding="ascii")
    for protocol in ([], ["-O"]):
        command = served.command(
            "fetcher", *protocol, "fetcher@127.0.0.1:crops.py", str(tmp_path), program="scp", key=key
        )
        assert served.run(command, code="none").returncode == 0
    until(lambda: len(served.events("files closed", name="fetcher")) == 2, "the ends of both")
    for event in ("files", "fetch", "files closed"):
        lines = served.events(event, name="fetcher", method="key", address="127.0.0.1")
        assert len(lines) == 2, event
        assert all(line["key"].startswith("SHA256:") and line["seconds"] > 0 for line in lines), event


def test_who_watched_whom_for_how_long_and_who_might_not_is_in_it(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    room = Classroom(tmp_path, log=lambda event, **facts: events.append({"event": event, **facts}))
    ida, ann = room.enter("ida", "instructor"), room.enter("ann")
    bob = room.enter("bob")
    for message in (say.Follow("ann"), say.Unfollow(), say.Follow("nobody"), say.Follow("bob")):
        if message == say.Follow("bob"):
            room.hub.heard("bob", say.AllowWatching(False))
        room.hub.heard("ida", message)
    room.hub.heard("ann", say.Follow("bob"))  # a learner
    room.hub.heard("ida", say.Present(True))
    room.hub.heard("ann", say.Follow())
    room.hub.heard("ida", say.Present(False))
    for seat in (ida, ann, bob):
        seat.leave()
    room.close()
    watched = [event for event in events if event["event"] == "watch"]
    assert [(line["name"], line["watched"], line["on"], line["presented"]) for line in watched] == [
        ("ida", "ann", True, False),
        ("ida", "ann", False, False),
        ("ann", "ida", True, True),
        ("ann", "ida", False, True),
    ]
    assert all(("seconds" in line) is not line["on"] for line in watched)
    refused = [(line["name"], line["watched"], line["why"]) for line in events if line["event"] == "refused"]
    assert refused == [
        ("ida", "nobody", "unknown_name"),
        ("ida", "bob", "not_allowed"),
        ("ann", "bob", "unknown_name"),
    ]


def test_a_crash_is_logged_and_shows_the_learner_no_path(served: Server) -> None:
    with served.join("crasher") as terminal:
        os.kill(served.bench("crasher"), signal.SIGUSR2)
        terminal.wait_exit()
        assert b"Your bench has stopped unexpectedly" in terminal.output
        assert b"Traceback" not in terminal.output
        assert b".py" not in terminal.output
    assert served.logged("crash", name="crasher")["status"] == bench_app.CRASHED
    assert "ZeroDivisionError" in served.logged("traceback", name="crasher")["text"]
