"""A captured loop is the script's own: after rounds of any number it has the bits of the plain script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_places import Control, LoopKind
from tests.engine.capture_function_scripts import BESIDE, IN_FUNCTIONS
from tests.engine.capture_other_scripts import ONCE, OTHERS
from tests.engine.capture_scripts import TOP
from tests.engine.capture_suspending_scripts import SUSPENDING
from tests.engine.captured_runs import by_itself, captured, differences, losses_of, state_of

FILES = {
    **{kind: {"train.py": text} for kind, text in {**TOP, **IN_FUNCTIONS, **OTHERS, **SUSPENDING}.items()},
    **BESIDE,
}
ROUNDS = 20

PASSES_BEFORE = ("a backward before the loop", "autograd.grad in a script that backpropagates before")
"""Kinds with a pass before the loop."""


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    """Give back what a script that is parked for ever has set in the whole process."""
    yield
    torch.autograd.set_detect_anomaly(False)
    torch.set_default_dtype(torch.float32)


def written(kind: str, folder: Path) -> Path:
    for name, text in FILES[kind].items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "train.py"


def step(loop: CapturedLoop, rounds: int) -> None:
    """Run rounds one statement at a time."""
    for _ in range(rounds):
        control = Control.NEXT
        for statement in loop.statements:
            control = loop.run_statement(statement.index)
            if control is not Control.NEXT:
                break
        loop.end_round(control)


def run_mixed(loop: CapturedLoop, rounds: int) -> None:
    loop.watch_round()
    loop.run(rounds - 2)
    loop.run_round()


@pytest.mark.parametrize("kind", FILES)
def test_after_rounds_of_each_kind_everything_has_the_bits_of_the_script_by_itself(
    kind: str, tmp_path: Path
) -> None:
    path = written(kind, tmp_path)
    plain = None
    for way in (CapturedLoop.run, step, run_mixed):
        with losses_of() as losses:
            loop = captured(path)
            assert kind in PASSES_BEFORE or losses == []
            place, before = loop.loops[-1], loop.position.rounds[-1] - 1
            way(loop, ROUNDS)
            got = state_of(loop, losses)
        assert loop.position.done == ROUNDS
        plain = plain or by_itself(path, place.file, place.body[0].lines.first, before + ROUNDS)
        del got.losses[: len(got.losses) - len(plain.losses)]  # of the first of two runs
        assert not differences(plain, got), (way.__name__, differences(plain, got)[:6])


@pytest.mark.parametrize("kind", ONCE)
def test_statements_around_a_pass_outside_of_any_loop_are_a_loop_of_one_round(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(ONCE[kind], encoding="utf-8")
    plain = None
    for way in (CapturedLoop.run, step):
        with losses_of() as losses:
            loop = captured(path)
            way(loop, 1)
            got = state_of(loop, losses)
        (place,) = loop.loops
        assert (place.kind, place.header, loop.over, loop.position.done) == (LoopKind.NONE, "", True, 1)
        plain = plain or by_itself(path, place.file, place.body[0].lines.first, 1, once=True)
        del got.losses[: len(got.losses) - len(plain.losses)]  # of the first of two runs
        assert not differences(plain, got), (way.__name__, differences(plain, got)[:6])
