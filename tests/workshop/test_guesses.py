"""Codes and keys: how many are compared, and which ones are good enough."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import String

from gradstep.errors import EngineError
from gradstep_tui.workshop.server.access import guesses
from gradstep_tui.workshop.server.access.auth import ClientConnection
from gradstep_tui.workshop.server.access.client_keys import weakness
from gradstep_tui.workshop.server.access.guesses import GuessLimiter
from gradstep_tui.workshop.server.access.rate_limits import Limits
from gradstep_tui.workshop.server.identity import codes
from gradstep_tui.workshop.server.storage.store import Store

FEW = Limits(
    connections=9, per_address=9, delay=0.0, guesses_of_address=0.001, guesses_of_address_at_once=3.0
)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "LONGEST_WAIT", 0.05)


def client(limiter: GuessLimiter, store: Store) -> ClientConnection:
    """Return a new connection of one address."""
    workshop: Any = SimpleNamespace(
        **{"limits": FEW, "guesses": limiter, "store": store, "log": lambda *_, **__: None},
        **{"join_code": "the join code", "instructor_code": "the other one"},
    )
    made = ClientConnection(workshop, lambda _: asyncssh.SSHServerSession())
    made.address = "192.0.2.1"
    made.begin_auth("ada")
    return made


async def test_a_right_code_waits_for_the_bucket_as_well_on_every_connection_of_an_address(
    tmp_path: Path,
) -> None:
    limiter, store = GuessLimiter(FEW), Store(tmp_path)
    for _ in range(3):
        assert not await client(limiter, store).validate_password("ada", "wrong")
    with pytest.raises(asyncssh.DisconnectError, match="Too many wrong codes"):
        await client(limiter, store).validate_password("ada", "the join code")
    elsewhere = client(limiter, store)
    elsewhere.address = "192.0.2.2"
    assert await elsewhere.validate_password("ada", "the join code")
    store.close()


async def test_a_class_that_knows_its_code_is_not_held_up() -> None:
    limiter = GuessLimiter(FEW)
    for _ in range(30):
        async with limiter.turn("192.0.2.1") as turn:
            turn.right = True


async def test_addresses_of_one_network_share_their_guesses() -> None:
    limiter = GuessLimiter(FEW)
    for number in range(3):
        async with limiter.turn(f"2001:db8::{number}"):
            pass
    with pytest.raises(EngineError):
        async with limiter.turn("2001:db8::9"):
            pass


async def test_the_question_tells_no_name_of_the_class_to_somebody_without_a_code(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.names.offer("ada", "learner", "her code")
    taken, free = client(GuessLimiter(FEW), store), client(GuessLimiter(FEW), store)
    free.begin_auth("bob")
    assert taken.get_kbdint_challenge("ada", "", "") == free.get_kbdint_challenge("bob", "", "")
    assert not await taken.validate_password("ada", "the join code")
    assert "ada is taken" in taken.get_kbdint_challenge("ada", "", "")[1]
    store.close()


@pytest.mark.parametrize(
    "code", ["123456", "aaaaaa", "password", "Pass-word", "password1", "abcabc", "987654321", "abcdef", "a b"]
)
def test_a_code_that_is_easily_guessed_is_weak(code: str) -> None:
    assert codes.weakness(code)


def test_a_code_that_was_made_up_is_not_weak() -> None:
    assert not any(codes.weakness(codes.generate()) for _ in range(200))


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [("ssh-rsa", {"key_size": 2048}), ("ecdsa-sha2-nistp521", {}), ("ecdsa-sha2-nistp384", {})],
)
def test_a_key_that_is_weak_or_not_listed_is_refused(algorithm: str, options: dict[str, int]) -> None:
    assert weakness(asyncssh.generate_private_key(algorithm, **options).convert_to_public())


def test_a_signature_with_sha1_is_refused_and_one_with_sha2_is_not() -> None:
    private = asyncssh.generate_private_key("ssh-rsa", key_size=3072)
    public = private.convert_to_public()
    assert not weakness(public)
    for algorithm, accepted in ((b"ssh-rsa", False), (b"rsa-sha2-256", True), (b"rsa-sha2-512", True)):
        signature = private.sign(b"data", algorithm)
        assert signature.startswith(String(algorithm))
        assert public.verify(b"data", signature) == accepted
