"""A replay that gives other bits than the file says at which action, and by how much; and goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from msgspec.structs import replace

from gradstep.actions import Forward, MoveStatement, RunEpochs, SetLearningRate, StepNode, Undo, Update
from gradstep.loop.loop import Kind
from gradstep.saving.mismatch import Mismatch
from gradstep.saving.reader import SavedSession, parsed
from gradstep.saving.records import Did, Opened, StoredSummary, now
from gradstep.saving.replay import replay
from tests.saved_sessions import SOME, picture, saved_at, written

NAME = Path("session.jsonl")
TURNED = [MoveStatement(Kind.UPDATE, -1)]
"""Update stands before backward then: a run is refused half-way, after its forward pass."""


@cache
def saved(actions: tuple[Any, ...] = tuple(SOME)) -> SavedSession:
    with TemporaryDirectory() as folder:
        path = Path(folder, NAME)
        saved_at(path, actions)
        return parsed(NAME, path.read_bytes())


def with_change(
    number: int, change: Callable[[Did], Did], original: SavedSession | None = None
) -> SavedSession:
    """Give the session with one action's record changed, by way of a file whose checks fit."""
    original = original or saved()
    records = [
        change(one) if isinstance(one, Did) and one.number == number else one for one in original.records
    ]
    return parsed(NAME, written([original.header, *records]))


def mismatch(changed: SavedSession) -> Mismatch:
    """Replay; give the mismatch, whose message is one line."""
    again = replay(changed)
    assert again.mismatch is not None
    assert again.done == len(changed.actions)
    assert "\n" not in again.mismatch.message
    return again.mismatch


def other_number(name: str, *index: int, value: Any) -> Callable[[Did], Did]:
    def change(did: Did) -> Did:
        numbers = dict(did.numbers) | {name: changed(did.numbers[name], index)}
        return replace(did, numbers=numbers, bits="0" * 16)

    def changed(old: Any, index: tuple[int, ...]) -> Any:
        if not index:
            return value
        return [changed(one, index[1:]) if place == index[0] else one for place, one in enumerate(old)]

    return change


def test_a_number_that_differs_is_named_with_its_action_and_by_how_much() -> None:
    found = mismatch(with_change(4, other_number("w", 1, 2, value=1.5)))
    assert (found.action, found.number, found.line) == (Update(), 4, 5)
    greatest = found.greatest
    assert greatest is not None
    assert (greatest.name, greatest.index, greatest.recorded) == ("w", (1, 2), 1.5)
    assert greatest.size == abs(greatest.found - 1.5)
    assert found.message == (
        "action 4 (line 5, Update()): w[1][2] is 1.4542698860168457 here and 1.5 in the file, 0.0457301 apart"
    )


def test_the_replay_goes_on_and_tells_only_the_first() -> None:
    changed = with_change(4, other_number("w", 0, 0, value=0.0))
    changed = with_change(7, other_number("b", 0, value=0.0), changed)
    again = replay(changed)
    assert again.mismatch is not None
    assert again.mismatch.number == 4
    assert picture(again.session) == picture(replay(saved()).session)


def test_of_several_numbers_the_one_that_differs_most_is_named() -> None:
    def change(did: Did) -> Did:
        did = other_number("b", 0, value=2000.0)(did)
        return other_number("w", 0, 1, value=1e6)(did)

    found = mismatch(with_change(5, change))
    assert found.greatest is not None
    assert (found.greatest.name, found.greatest.index) == ("w", (0, 1))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_none_is_infinitely_far(value) -> None:
    found = mismatch(with_change(4, other_number("b", 1, value=value)))
    assert found.greatest is not None
    assert found.greatest.size == math.inf
    assert f"b[1] is 0.4434005320072174 here and {value} in the file" in found.message


def test_a_gradient_that_was_none_is_told_apart_from_one_that_is() -> None:
    found = mismatch(with_change(4, other_number("b.grad", value=None)))
    assert found.greatest is not None
    assert found.greatest.name == "b.grad"
    there = mismatch(with_change(1, other_number("b.grad", value=[0.0, 0.0])))
    assert "b.grad" in there.message


def test_a_loss_an_epoch_or_a_place_in_the_pass_that_differs_is_named() -> None:
    assert "loss is 18746.5390625 here and 18746.5 in the file, 0.0390625 apart" in (
        mismatch(with_change(1, lambda did: replace(did, loss=18746.5))).message
    )
    assert "epoch is 1.0 here and 2.0 in the file, 1 apart" in (
        mismatch(with_change(5, lambda did: replace(did, epoch=2))).message
    )
    assert "event 1/11 of the pass was the last one here, event 1/9 in the file" in (
        mismatch(with_change(2, lambda did: replace(did, node=(1, 9)))).message
    )


def test_bits_that_no_number_tells_are_told_all_the_same() -> None:
    found = mismatch(with_change(5, lambda did: replace(did, bits="0" * 16)))
    assert found.greatest is None
    assert found.message.startswith("action 5 (line 6, Zero()): the bits differ, but the numbers")


def test_a_large_tensor_differs_in_its_sum_or_norm() -> None:
    def change(did: Did) -> Did:
        return replace(did, numbers=dict(did.numbers) | {"w": StoredSummary(1.0, 2.0)}, bits="0" * 16)

    found = mismatch(with_change(4, change))
    assert found.greatest is not None
    assert found.greatest.name == "w"


def test_other_parameters_than_the_files_are_named() -> None:
    def change(did: Did) -> Did:
        return replace(did, numbers={"v": 1.0}, bits="0" * 16)

    assert (
        "the file has v and the problem has w, w.grad, b, b.grad" in mismatch(with_change(4, change)).message
    )


def test_an_action_that_is_refused_only_now_is_a_mismatch() -> None:
    for action in (Undo(), RunEpochs(0), SetLearningRate(-1.0)):
        changed = with_change(1, lambda did, action=action: replace(did, action=action))
        found = mismatch(changed)
        assert found.number == 1
        assert "the action was accepted then and is refused here: " in found.message


def test_an_action_that_pytorch_refused_half_way_is_refused_again() -> None:
    original = saved((*TURNED, RunEpochs(3), Forward()))
    refused = original.actions[1]
    assert "NoneType" in refused.refused
    again = replay(original)
    assert again.mismatch is None
    found = mismatch(with_change(2, lambda did: replace(did, refused=""), original))
    assert "the action was accepted then and is refused here: TypeError" in found.message


def test_a_refusal_that_the_file_tells_in_other_words_is_the_same_refusal() -> None:
    original = saved((*TURNED, RunEpochs(3), Forward()))
    told = with_change(
        2, lambda did: replace(did, refused="TypeError: as an older version told it"), original
    )
    assert replay(told).mismatch is None


def test_an_action_that_was_refused_only_then_is_a_mismatch() -> None:
    found = mismatch(with_change(3, lambda did: replace(did, refused="no")))
    assert "the action was refused then and is accepted here: no" in found.message


def test_what_the_file_was_made_with_is_named_where_it_is_something_else() -> None:
    header = saved().header
    other = replace(header.environment, torch="1.0", threads=77)
    opened = Opened(now(), other)
    bad = [
        other_number("w", 0, 0, value=0.0)(one) if isinstance(one, Did) else one for one in saved().records
    ]
    here = f"torch 1.0 (here {torch.__version__}), threads 77 (here {torch.get_num_threads()})"
    for lines in ([replace(header, environment=other), *bad], [header, opened, *bad]):
        assert mismatch(parsed(NAME, written(lines))).message.endswith(f"; the file was made with {here}")
    assert "made with" not in mismatch(parsed(NAME, written([header, *bad, opened]))).message


def test_a_replay_can_be_stopped_and_tells_how_far_it_is() -> None:
    told: list[int] = []
    again = replay(saved(), told.append)
    assert (again.done, told) == (len(SOME), list(range(1, len(SOME) + 1)))
    told.clear()
    again = replay(saved(), told.append, lambda: len(told) == 3)
    assert (again.done, told) == (3, [1, 2, 3])
    assert replay(saved(), stopped=lambda: True).done == 0


def test_a_place_inside_a_pass_comes_back() -> None:
    original = saved((Forward(), StepNode(), StepNode()))
    assert original.actions[-1].node == (2, 11)
    session = replay(original).session
    assert session.frame.backward is not None
    assert session.frame.backward.done == 2
