"""The log: each line is JSON, and says who, how, why and how long."""

from __future__ import annotations

import json
import logging
import os
import signal

import asyncssh
import pytest

from gradstep_tui.workshop.bench import app as bench_app
from gradstep_tui.workshop.server.event_log import _Events, log
from tests.workshop.misbehaving_clients import connect
from tests.workshop.workshop_server import Server, until


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


async def test_refused_forwardings_and_failed_key_exchanges_are_in_it(served: Server) -> None:
    async with await connect(served, "forwarding") as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 1)
    assert served.logged("refused", name="forwarding", why="to forward a port was requested")
    with served.socket() as line:
        line.sendall(b"SSH-2.0-x\r\nnot a key exchange at all\r\n")
        until(lambda: served.events("no login", name=""), "a failed key exchange")
    assert all(line.startswith("{") for line in served.log.splitlines())


def test_a_crash_is_logged_and_shows_the_learner_no_path(served: Server) -> None:
    with served.join("crasher") as terminal:
        os.kill(served.bench("crasher"), signal.SIGUSR2)
        terminal.wait_exit()
        assert b"Your bench has stopped unexpectedly" in terminal.output
        assert b"Traceback" not in terminal.output
        assert b".py" not in terminal.output
    assert served.logged("crash", name="crasher")["status"] == bench_app.CRASHED
    assert "ZeroDivisionError" in served.logged("traceback", name="crasher")["text"]
