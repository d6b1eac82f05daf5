"""Nothing that a step needs imports sympy, which takes a second."""

from __future__ import annotations

import subprocess
import sys


def test_a_whole_epoch_all_that_is_told_of_it_and_its_twin_need_no_sympy() -> None:
    code = """
import sys
from gradstep import problems
from gradstep.actions import NextLine, RunEpochs, ToggleZeroing
from gradstep.session import Session
session = Session(problems.load("crops"))
for _ in range(4):
    frame = session.apply(NextLine())
    frame.statement, frame.step, [*frame.backward.equations] if frame.backward else None
for action in (RunEpochs(2), ToggleZeroing(), RunEpochs(3)):
    session.apply(action)
assert session.twin().first is not None
sys.exit(not {"sympy", "mpmath"}.isdisjoint(sys.modules))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
