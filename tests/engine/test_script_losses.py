"""The loss of a round of a script's own loop is the same on every way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradstep.actions import Action, NextLine, RunEpochs, RunOuter, ToggleStatement, Undo
from gradstep.script_training.script_session import ScriptSession
from tests.engine.test_script_sessions import bits, opened

BEGIN = """
import torch
torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
xs = torch.randn(5, 3)
def update():
    with torch.no_grad():
        w.sub_(0.1 * w.grad)
        w.grad.zero_()
"""

SCRIPTS = {
    "two passes a round": """
for epoch in range(4):
    for x in xs:
        first = (x * w).sum() ** 2
        first.backward()
        second = (x - w).square().mean()
        second.backward()
        update()
""",
    "a pass in every other round": """
for epoch in range(4):
    for i in range(5):
        loss = (xs[i] * w).sum() ** 2
        if i % 2 == 1:
            loss.backward()
            update()
""",
    "a function for each epoch": """
def train():
    for i in range(5):
        loss = (xs[i] * w).sum() ** 2
        if i % 2 == 1:
            loss.backward()
            update()
for epoch in range(4):
    train()
""",
    "an epoch is left by an exception": """
for epoch in range(4):
    try:
        for i in range(9):
            loss = (xs[i] * w).sum() ** 2
            if i % 2 == 1:
                loss.backward()
                update()
    except IndexError:
        pass
""",
}


def losses(session: ScriptSession) -> list[str]:
    return [str(loss) for loss in session.frame.losses.first(100)]


@pytest.mark.parametrize("first", [(), (NextLine(), NextLine()), (ToggleStatement(1),)], ids=len)
@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_round_at_full_speed_and_by_statements_has_the_same_loss(
    kind: str, first: tuple[Action, ...], tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(BEGIN + SCRIPTS[kind])
    session = opened(path)
    for action in first:
        session.apply(action)
    begun = session.frame.epoch
    session.apply(RunOuter())
    at_speed, of_each = bits(session.frame), losses(session)
    rounds = session.frame.epoch
    session.apply(Undo())
    session.apply(RunEpochs(rounds - begun))
    assert (bits(session.frame), losses(session)) == (at_speed, of_each)

    session.apply(Undo())
    while session.frame.epoch < rounds:
        session.apply(NextLine())
    assert (bits(session.frame), losses(session)) == (at_speed, of_each)
