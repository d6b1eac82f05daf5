"""The wire between server and bench: identifiers and numbers, for which the bench has the words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.loop.loop import Kind
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.text.frames import phase
from gradstep_tui.workshop.bench.screens.bench import feed_end_text
from gradstep_tui.workshop.bench.widgets.board_text import MILESTONES, phase_text
from gradstep_tui.workshop.wire.facts import (
    Facts,
    Phase,
    PhaseKind,
    PyTorchRefusal,
    checked,
    facts_of,
    phase_of,
)
from gradstep_tui.workshop.wire.farewells import FAREWELLS
from gradstep_tui.workshop.wire.messages import FeedEnded
from gradstep_tui.workshop.wire.milestones import Milestone, seen_in
from gradstep_tui.workshop.wire.reasons import FeedEndReason, StopReason
from tests.saved_sessions import any_action

IDENTIFIER = re.compile(r"-?\w*")
CURVE = re.compile("[0-7 ]*")

some_actions = st.lists(any_action, min_size=1, max_size=12)


def strings(value: Any) -> Iterator[str]:
    """Yield all strings in decoded JSON."""
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from strings(part)
        case list():
            for part in value:
                yield from strings(part)


@given(st.sampled_from(["crops", "xor"]), some_actions)
@settings(max_examples=15)
def test_facts_carry_identifiers_and_numbers_and_the_only_words_are_pytorchs_own(
    problem: str, actions: Sequence[Action]
) -> None:
    session, sent = open_session(Start(problem)), list[Facts]()
    session.watch = lambda _, state, error: sent.append(facts_of(state, error, sorted(seen_in(state))))
    for action in actions:
        with suppress(EngineError):
            session.apply(action)
    for facts in sent:
        encoded = msgspec.to_builtins(facts)
        encoded.get("refusal", {}).pop("words", None)
        assert CURVE.fullmatch(encoded.pop("curve", ""))
        assert all(IDENTIFIER.fullmatch(text) for text in strings(encoded)), encoded


@given(st.sampled_from(["crops", "xor"]), some_actions)
@settings(max_examples=15)
def test_the_board_says_what_comes_next_in_the_words_of_the_bench(
    problem: str, actions: Sequence[Action]
) -> None:
    session = open_session(Start(problem))
    for action in actions:
        with suppress(EngineError):
            session.apply(action)
        assert phase_text(phase_of(session.state)) == phase(session.frame)


def test_every_identifier_has_words() -> None:
    assert set(MILESTONES) == set(Milestone)
    assert set(FAREWELLS) == set(StopReason)
    ends = [feed_end_text(FeedEnded(reason, "ann")) for reason in FeedEndReason]
    assert len(set(ends)) == len(FeedEndReason)


def test_checking_changes_no_field_that_is_safe() -> None:
    facts = Facts(
        phase=Phase(PhaseKind.IN_BACKWARD, Kind.UPDATE, number=3, total=11, line=5),
        epoch=7,
        loss=0.5,
        refusal=PyTorchRefusal("RuntimeError", "freed"),
        curve="70 1",
        seen=tuple(Milestone)[:1],
    )
    for record in (facts, facts.phase, facts.refusal):
        assert record is not None
        for field in fields(record):  # a field at its default would not show that it was forgotten
            assert getattr(record, field.name) != field.default, field.name
    assert checked(facts) == facts
