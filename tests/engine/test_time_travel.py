"""Going to any point of a session, on any branch, and into runs and passes: always to the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.errors import BadInput, EngineError, Refused
from gradstep.history import checkpoints as travel
from gradstep.loop.loop import Kind
from gradstep.session import Session
from gradstep.training import machine
from tests.engine.recording_checks import bits
from tests.session_strategies import PROBLEMS

ACTIONS: Sequence[Action] = (
    Forward(),
    Backward(),
    StepNode(),
    StepNodeBack(),
    Update(),
    Zero(),
    NextLine(),
    RunEpochs(1),
    RunEpochs(4),
    ToggleZeroing(),
    SetLearningRate(1e-4),
    Reset(),
    Undo(),
    Redo(),
)


def picture(session: Session) -> Any:
    frame = session.frame
    return (
        [(bits(one.value), bits(one.grad)) for one in frame.parameters],
        (str(frame.loss), frame.epoch, frame.learning_rate, frame.loop, frame.next, frame.stale),
        bits(frame.preds),
        [str(frame.losses[epoch]) for epoch in range(len(frame.losses))],
        None if frame.backward is None else (frame.backward.done, frame.backward.over, frame.backward.rows),
        [len(list(frame.ledger.newest_first(one.name))) for one in frame.parameters],
    )


def begun(name: str = "crops", *actions: Action) -> Session:
    torch.manual_seed(0)
    session = Session(PROBLEMS[name]())
    for action in actions:
        attempt(session, action)
    return session


def attempt(session: Session, action: Action) -> bool:
    """Apply an action; give whether it was refused."""
    try:
        session.apply(action)
    except EngineError:
        return True
    return False


def way_to(session: Session, number: int) -> list[Action]:
    """Give the actions that lead to a point, read off the session's history."""
    points = [*session._walk.history.points[number].way()][::-1]
    return [point.action for point in points if point.action is not None]


@given(
    st.sampled_from(sorted(PROBLEMS)), st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=20), st.data()
)
@settings(max_examples=20, deadline=None)
def test_every_point_and_every_place_inside_is_what_the_actions_up_to_there_lead_to(
    name: str, actions: list[Action], data: st.DataObject
) -> None:
    session = begun(name, *actions)
    last = len(session._walk.history.points) - 1
    number = data.draw(st.integers(0, last))
    session.apply(GoTo(number))
    assert picture(session) == picture(begun(name, *way_to(session, number)))
    room = session.inside(number)
    if room is not None:
        inside = data.draw(st.sampled_from(room.places))
        session.apply(GoTo(number, inside))
        part = RunEpochs(inside) if room.unit == "epoch" else StepTo(inside)
        before = way_to(session, number)[:-1]
        assert picture(session) == picture(begun(name, *before, part))
        assert session.frame.future >= 1
        attempt(session, Forward())
        attempt(session, NextLine())
        assert picture(session) == picture(begun(name, *before, part, Forward(), NextLine()))
    session.apply(GoTo(last))
    assert picture(session) == picture(begun(name, *way_to(session, last)))


@given(st.lists(st.sampled_from(ACTIONS), min_size=5, max_size=40))
@settings(max_examples=15, deadline=None)
def test_a_session_that_keeps_hardly_any_state_comes_back_to_the_same_bits(actions: list[Action]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "LATEST", 1)
        patch.setattr(travel, "FEWEST", 1)
        patch.setattr(travel, "SPREAD_BYTES", 1)
        session = begun("dropout", *actions)
        for number in reversed(range(len(session._walk.history.points))):
            session.apply(GoTo(number))
            assert picture(session) == picture(begun("dropout", *way_to(session, number)))


def test_redo_from_inside_a_run_goes_to_its_end_and_undo_to_before_it() -> None:
    session = begun("crops", Forward(), RunEpochs(100), Update())
    end = picture(begun("crops", Forward(), RunEpochs(100)))
    assert session.apply(GoTo(2, 37)).epoch == 37
    assert (session.frame.position, session.frame.future) == (2, 2)
    session.apply(Redo())
    assert picture(session) == end
    session.apply(GoTo(2, 99))
    assert session.apply(Undo()).epoch == 0
    session.apply(Redo())
    assert picture(session) == end
    assert session.frame.future == 1


def test_a_run_that_leaves_an_epoch_behind_has_only_its_own_epochs_inside() -> None:
    way = (Forward(), Backward(), Update(), *map(ToggleStatement, list(Kind)[1:]), RunEpochs(9))
    session = begun("crops", *way)
    assert session.frame.epoch == 10  # the one that had updated, and nine
    room = session.inside(len(way))
    assert room is not None
    assert room.places == range(1, 9)
    assert session.apply(GoTo(len(way), 8)).epoch == 9
    with pytest.raises(BadInput, match="it has epochs 1 to 8"):
        session.apply(GoTo(len(way), 9))
    assert begun("crops", *way[:-1], RunEpochs(1)).inside(len(way)) is None


@pytest.mark.parametrize("epochs", range(1, 7))
def test_epochs_are_counted_alike_where_a_run_leaves_one_behind(epochs: int) -> None:
    way = (RunEpochs(1), Forward(), Backward(), Update(), ToggleStatement(Kind.ZERO))
    session = begun("crops", *way, RunEpochs(4))
    assert session.frame.epoch == 6
    assert session._walk.travel.go_to_epoch(session._walk.history.here, epochs) == epochs
    alike = begun("crops", *(way if epochs > 1 else way[:1]), *[RunEpochs(1)] * (epochs - 2))
    assert session.state.trainer.parameters[0].tolist() == alike.state.trainer.parameters[0].tolist()


def test_doing_something_else_after_an_undo_keeps_the_old_future() -> None:
    session = begun("crops", Forward(), Backward(), Update())
    old = picture(session)
    session.apply(Undo())
    session.apply(Zero())
    assert session.frame.future == 0
    session.apply(GoTo(3))
    assert picture(session) == old


def test_doing_the_same_again_after_an_undo_stays_on_the_line() -> None:
    session = begun("crops", Forward(), Backward(), Update(), Undo(), Undo(), Backward())
    assert session.frame.future == 1
    assert len(session._walk.history.points) == 4


def test_a_run_that_was_stopped_is_a_run_of_the_epochs_that_ended() -> None:
    session = begun()
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    told: list[Action] = []
    session.watch = lambda action, state, error: told.append(action)
    stopped_at = session.apply(RunEpochs(1000), stopped).epoch
    assert 1 < stopped_at < 1000
    assert told == [RunEpochs(stopped_at)]
    assert picture(session) == picture(begun("crops", RunEpochs(stopped_at)))


def test_a_jump_into_a_long_run_can_be_stopped_on_the_way() -> None:
    session = begun("crops", RunEpochs(1000))
    frame = session.apply(GoTo(1, 900), iter([False] * 30 + [True] * 1000).__next__)
    assert 1 < frame.epoch < 900
    assert picture(session) == picture(begun("crops", RunEpochs(frame.epoch)))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (GoTo(5), "there is no point 5: the last one is 4"),
        (GoTo(-1), "there is no point -1"),
        (GoTo(2, 11), "11 is not inside the action that led to point 2: it has events 1 to 10"),
        (GoTo(3, 1), "there is nothing inside the action that led to point 3"),
        (GoTo(0, 1), "there is nothing inside"),
        (GoTo(4, 7), "it has epochs 1 to 6"),
    ],
)
def test_a_point_that_is_not_there_changes_nothing(action: Action, words: str) -> None:
    session = begun("crops", Forward(), Backward(), Update(), RunEpochs(7))
    before = session.frame
    with pytest.raises(BadInput, match=words):
        session.apply(action)
    assert session.frame is before


def test_an_event_that_is_not_ahead_changes_nothing() -> None:
    session = begun("crops", Forward(), StepTo(5))
    before = picture(session)
    assert session.frame.backward is not None
    assert session.frame.backward.done == 5
    for event in (5, 12, 0, -1):
        with pytest.raises(BadInput, match="there is no event"):
            session.apply(StepTo(event))
    assert picture(session) == before
    fresh = begun("crops", Forward())
    with pytest.raises(BadInput, match="there is no event 40 ahead in this pass: 0 of its 11 are behind"):
        fresh.apply(StepTo(40))
    assert picture(fresh) == picture(begun("crops", Forward()))
    assert fresh.apply(StepTo(11)).backward.finished


def test_jumping_is_refused_by_no_state() -> None:
    session = Session(problems.load("crops"))
    for action in (Forward(), StepNode(), GoTo(1), GoTo(2)):
        session.apply(action)
    with pytest.raises(Refused):
        session.apply(Redo())


def test_very_old_passes_are_forgotten_by_the_ledger_and_told_again_after_going_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "LEDGER_BYTES", 1_000_000)
    session = begun()
    for _ in range(160):
        session.apply(RunEpochs(1))
    oldest = [*session.frame.ledger.newest_first("w")][-1]
    assert type(oldest).__name__ == "Forgotten"
    frame = session.apply(GoTo(40))
    newest = next(frame.ledger.newest_first("w"))
    assert type(newest).__name__ == "Zeroed"


def test_going_back_to_a_long_run_that_the_ledger_forgot_does_not_run_it_again(monkeypatch) -> None:
    monkeypatch.setattr(machine, "LEDGER_BYTES", 1_000_000)
    session = begun("crops", RunEpochs(50))
    end, slow = picture(session)[0], session._walk.history.points[1]
    slow.seconds = 60.0  # as long as a run of very many epochs
    session._walk.travel._spread[slow] = session.state
    for _ in range(160):
        session.do(RunEpochs(1))
    assert session.state.written is not session._walk.travel._spread[slow].written
    assert session._walk.travel._spread[slow].written.is_forgotten
    monkeypatch.setattr(
        session._walk.travel, "_perform", lambda *_: pytest.fail("it was run again, and nobody could stop it")
    )
    session.apply(GoTo(1))
    assert picture(session)[0] == end
    assert type(next(session.frame.ledger.newest_first("w"))).__name__ == "Forgotten"


FORWARDS = tuple(action for action in ACTIONS if not isinstance(action, StepNodeBack))


@given(st.sampled_from(sorted(PROBLEMS)), st.lists(st.sampled_from(FORWARDS), max_size=25), st.data())
@settings(max_examples=20, deadline=None)
def test_passes_that_are_done_again_unrecorded_come_to_the_same_bits(
    name: str, actions: list[Action], data: st.DataObject
) -> None:
    session, again = begun(name), begun(name)
    for action in actions:
        refused = attempt(session, action)
        with suppress(EngineError):
            again.do_again(action, recorded=refused or data.draw(st.booleans()))
        assert numbers(again) == numbers(session)
    for number in range(len(session._walk.history.points)):
        assert picture_without_ledger(again, GoTo(number)) == picture_without_ledger(session, GoTo(number))


def numbers(session: Session) -> Any:
    state = session.state
    return (
        [(bits(one.value), bits(one.grad)) for one in session.frame.parameters],
        (str(state.loss), state.epoch, state.learning_rate, state.loop, state.ledger.passes),
        (session.frame.position, session.frame.future),
    )


def picture_without_ledger(session: Session, action: Action) -> Any:
    session.apply(action)
    return picture(session)[:-1]
