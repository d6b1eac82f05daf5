"""A captured loop goes back to any kept round, and from there comes to the bits of the script by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_moments import LoopMoment
from gradstep.capture.loop_places import Control
from tests.engine.capture_suspending_scripts import SUSPENDING
from tests.engine.captured_runs import Run, captured, differences, losses_of, state_of
from tests.engine.test_capture import FILES, ROUNDS, _settings, written

__all__ = ["_settings"]

SOME = 6
"""Rounds of which every statement is taken back."""

ITERATORS_OWN = "_num_yielded"
"""A DataLoader's iterator itself never goes back: its items are handed out once more."""


@pytest.mark.parametrize("kind", FILES)
def test_a_loop_of_each_kind_goes_back_to_any_round(kind: str, tmp_path: Path) -> None:
    path = written(kind, tmp_path)
    with losses_of() as losses:
        loop = captured(path)
        kept: dict[int, LoopMoment] = {}
        then: dict[int, Run] = {}
        for number in range(ROUNDS):
            kept[number], then[number] = loop.keep(), state_of(loop, [])
            (loop.run(1) if number % 3 else loop.run_round())
        end, all_losses = state_of(loop, []), list(losses)
        order = list(kept)
        random.Random(4).shuffle(order)
        for number in order[:6]:
            if kind in SUSPENDING and not loop.can_go_back(kept[number]):
                continue  # the script has to be run again: see test_script_sessions
            assert loop.can_go_back(kept[number])
            assert loop.go_back(kept[number]) == ()
            assert not _differences(then[number], state_of(loop, [])), (number, "there")
            if number % 2:
                loop.run_statement(0)
                loop.go_back(kept[number])
            losses.clear()
            loop.run(ROUNDS - number)
            assert not _differences(end, state_of(loop, [])), (number, "on")
            assert not differences(all_losses[len(all_losses) - len(losses) :], losses)
        assert loop.is_exact


def _differences(first: Run, second: Run) -> list[str]:
    return [found for found in differences(first, second) if ITERATORS_OWN not in found]


def test_a_loop_that_is_over_goes_back(tmp_path: Path) -> None:
    for kind in ("epochs over batches", "top level"):
        loop: CapturedLoop = captured(written(kind, tmp_path))
        kept, then = loop.keep(), state_of(loop, [])
        loop.run(3)
        later, there = loop.keep(), state_of(loop, [])
        loop.run(10_000)
        assert loop.over
        end = state_of(loop, [])
        for moment, state in ((later, there), (kept, then)):
            loop.go_back(moment)
            assert not differences(state, state_of(loop, []))
            loop.run(10_000)
            assert loop.over
            assert not differences(end, state_of(loop, []))


@pytest.mark.parametrize("kind", SUSPENDING)
def test_a_loop_that_hands_out_values_goes_back_inside_its_round(kind: str, tmp_path: Path) -> None:
    path = written(kind, tmp_path)
    with losses_of() as losses:
        loop = captured(path)
        loop.run(SOME)
        plain = state_of(loop, losses)
        losses.clear()
        loop = captured(path)
        assert loop.hands_out
        for _ in range(SOME):
            kept, then = loop.keep(), state_of(loop, [])
            control = Control.NEXT
            for index in range(len(loop.statements)):
                control = loop.run_statement(index)
                if control is not Control.NEXT:
                    break
                if loop.can_go_back(kept):
                    loop.go_back(kept)
                    assert not _differences(then, state_of(loop, []))
                    for earlier in range(index + 1):
                        loop.run_statement(earlier)
            loop.end_round(control)
        state = state_of(loop, [])
    state.losses = plain.losses
    assert not differences(plain, state)
