"""Every key of the bench does something sensible in a session on a script's own loop, pictures too."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.keys import KEYS
from tests.tui.bench import bench, idle, opened, press, text

SCRIPT = """
import torch
from torch import nn

torch.manual_seed(0)
X = torch.linspace(-1, 1, 8).unsqueeze(1)
y = 3 * X + 0.5
model = nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(6):
    loss = ((model(X) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return str(path)


async def test_of_a_scripts_own_loop_gradient_sizes_and_losses_are_drawn_and_others_say_why_not(
    script: str,
) -> None:
    async with opened((120, 40), make=partial(open_session, Start(script))) as pilot:
        await press(pilot, "e", "e", "i")
        await idle(pilot)
        assert "the script's own loop" in " ".join(text(pilot).split())
        await press(pilot, "tab", "tab")
        assert "gradient" in text(pilot)
        assert "model.0.weight" in text(pilot)
        await press(pilot, "tab")
        assert "losses" in text(pilot)


async def test_the_graph_of_a_scripts_pass_is_drawn_and_stepped_in(script: str) -> None:
    async with opened((120, 40), make=partial(open_session, Start(script))) as pilot:
        await press(pilot, "s", "s", "a")
        await idle(pilot)
        assert "Addmm" in text(pilot)
        assert "Tanh" in text(pilot)


@pytest.mark.parametrize(
    "before", [(), ("s", "s"), ("e", "e"), ("r", "enter")], ids=["start", "pass", "rounds", "over"]
)
async def test_no_key_of_the_bench_ends_a_session_on_a_script(before: tuple[str, ...], script: str) -> None:
    async with opened((80, 24), make=partial(open_session, Start(script))) as pilot:
        await press(pilot, *before)
        await idle(pilot)
        for key in KEYS:
            if key.id in ("quit", "reload", "reset", "problems"):
                continue
            await press(pilot, key.keys.split(",")[0])
            await idle(pilot)
            while pilot.app.screen is not bench(pilot):
                await press(pilot, "escape")
                await idle(pilot)
        assert bench(pilot).frame is not None
