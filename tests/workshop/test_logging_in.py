"""Authentication and roles: real clients against the real server."""

from __future__ import annotations

import time
from pathlib import Path

import asyncssh
import pytest

from tests.workshop.misbehaving_clients import Borrowed, Impatient, bench, confirm_resume_code, connect
from tests.workshop.workshop_server import CODE, CONFIRM, NEW, RESUME, Server, make_key


def test_three_wrong_codes_are_answered_late_and_end_the_connection(served: Server) -> None:
    began = time.monotonic()
    result = served.run(served.command("wrong", "-o", "NumberOfPasswordPrompts=9"), code="not the code")
    assert result.returncode == 255
    assert "too many wrong codes" in result.stderr
    assert time.monotonic() - began > 3 * 0.2
    assert [event["tries"] for event in served.events("wrong code", name="wrong")] == [1, 2, 3]
    assert "not the code" not in served.log


def test_a_name_is_free_again_where_the_line_drops_before_its_resume_code_was_noted(served: Server) -> None:
    served.join("interrupted", wait=CONFIRM).close()
    served.logged("released", name="interrupted")
    with served.join("interrupted"):  # with the join code
        pass
    refused = served.run(served.command("interrupted", "-tt"))
    assert refused.returncode == 255


async def test_codes_sent_without_waiting_for_answers_count_all_the_same(served: Server) -> None:
    codes = [*(f"guess {number}" for number in range(8)), CODE]
    with pytest.raises((asyncssh.DisconnectError, asyncssh.PermissionDenied, OSError)):
        await connect(served, "impatient", "", client_factory=lambda: Impatient(codes, "impatient"))
    assert len(served.events("wrong code", name="impatient")) <= 3
    async with await connect(served, "impatient"):
        pass  # the name is still free


def test_a_code_may_be_typed_as_people_do(served: Server) -> None:
    with served.join("typist", code="A-JOIN-code"):
        pass


def test_a_taken_name_refuses_the_join_code_and_says_so(served: Server) -> None:
    with served.join("taken") as terminal:
        terminal.send("q")
        assert terminal.wait_exit() == 0
    asked = {"SSH_ASKPASS": None, "SSH_ASKPASS_REQUIRE": None}
    with served.join("taken", "-o", "LogLevel=INFO", env=asked, wait=") code:") as terminal:
        assert "taken is taken" not in terminal.text  # nobody without a code learns who is in the class
        terminal.send(f"{CODE}\r")
        terminal.wait_for("resume code:")
        assert "The name taken is taken" in terminal.text
    assert served.events("wrong code", name="taken")


def test_a_resume_code_and_no_other_brings_a_learner_back(served: Server) -> None:
    with served.join("back") as terminal:
        code = served.codes["back"]
        terminal.send("f")
        terminal.wait_for("18746.5391")
    with served.join("back", code=code.upper(), wait="18746.5391"):
        pass
    with served.join("other"):
        pass
    assert served.run(served.command("other"), code=code).returncode == 255


def test_the_key_that_was_there_first_brings_a_learner_back_and_another_does_not(
    served: Server, tmp_path: Path
) -> None:
    mine, other = make_key(tmp_path / "mine"), make_key(tmp_path / "other")
    with served.join("keyed", key=mine) as terminal:
        terminal.send("f")
        terminal.wait_for("18746.5391")
    with served.join("keyed", key=mine, code="no code", wait="18746.5391"):
        pass
    assert served.run(served.command("keyed", key=other), code="no code").returncode == 255


def test_a_key_opens_a_name_only_if_the_learner_says_so_and_until_it_is_forgotten(
    served: Server, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key")
    fingerprint = asyncssh.read_public_key(f"{key}.pub").get_fingerprint()
    with served.join("careful", key=key, wait=CONFIRM) as terminal:
        code = RESUME.findall(terminal.text)[0]
        terminal.send("\r")
        terminal.wait_for(NEW)
    refused = served.command("careful", key=key)
    assert served.run(refused, code="no code").returncode == 255
    with served.join("careful", key=key, code=code) as terminal:
        terminal.send("\x1bOR")  # F3
        terminal.wait_for("F8 lets this computer")
        terminal.wait_for(fingerprint)
        terminal.send("\x1b[19~")  # F8
        served.logged("keys", name="careful", keys=[fingerprint])
    with served.join("careful", key=key, code="no code") as terminal:
        terminal.send("\x1bOR")  # F3
        terminal.wait_for("F8 forgets them")
        terminal.send("\x1b[19~")  # F8
        served.logged("keys", name="careful", keys=[])
    assert served.run(refused, code="no code").returncode == 255


@pytest.mark.parametrize("way", ["key", "code"])
def test_an_instructor_comes_in_by_key_file_or_by_code(served: Server, way: str) -> None:
    code = (served.state / "instructor_code").read_text(encoding="ascii").strip()
    given = {"key": served.instructor, "code": "no code"} if way == "key" else {"code": code}
    with served.join(f"teacher-{way}", wait="", **given):  # type: ignore[arg-type]
        assert served.logged("join", name=f"teacher-{way}")["role"] == "instructor"


async def test_an_instructors_public_key_alone_gains_nothing(served: Server) -> None:
    public = asyncssh.read_public_key(f"{served.instructor}.pub")
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(served, "borrower", "no code", client_keys=[Borrowed(public)])
    assert not served.events("join", name="borrower")
    # The name is still free, and a join code on the same connection still gives the role of a learner.
    async with await connect(served, "borrower", CODE, client_keys=[Borrowed(public)]) as connection:
        process = await bench(connection)
        await confirm_resume_code(process)
        assert served.events("join", name="borrower")[-1]["role"] == "learner"


@pytest.mark.parametrize(
    "name",
    ["../../etc", "x" * 25, "two words", "9lives", "-rf", "", "\x1b]0;owned\x07", "r\u0131ta", "a\nb", "."],
)
async def test_a_name_that_is_none_is_refused_and_harms_no_log(
    served: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncssh.connection.saslprep", str)  # a usual client would not send all of them
    with pytest.raises((asyncssh.DisconnectError, asyncssh.PermissionDenied, OSError)):
        await connect(served, name)
    assert served.log.isascii()
    assert "\x1b" not in served.log
    assert sum("\x07" in line for line in served.log.splitlines()) == 0


def test_capitals_are_the_same_name(served: Server) -> None:
    with served.join("Grace"):
        assert served.logged("join", name="grace")
    assert served.run(served.command("grace")).returncode == 255  # the name is taken
