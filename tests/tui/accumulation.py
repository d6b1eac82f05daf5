"""The README's moving picture: gradients pile up without zeroing, then the loss diverges.

`python -m tests.tui.accumulation` presses the keys below on the real bench and draws what it shows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.tui.animated_svg import Film, Shot
from tests.tui.bench import idle, opened, press, strips

PICTURE: Final = Path(__file__).with_name("accumulation.svg")
TITLE: Final = (
    "gradstep trains a linear regression line by line. The line that zeroes the gradients is commented out: "
    "every backward pass adds to .grad, the loss rises again, and with a higher learning rate it diverges."
)


@dataclass(frozen=True)
class Press:
    """Keys pressed on the bench, one by one, and how long each screen after them is shown."""

    keys: tuple[str, ...]
    seconds: float
    words: str


STORY: Final = (
    Press(("Z",), 2.2, "comments the zeroing out of the loop"),
    Press(("f",), 1.2, "runs the forward pass"),
    Press(("s",) * 11, 0.3, "runs the backward pass, one autograd node at a time"),
    Press(("u",), 1.0, "updates the parameters"),
    Press(("f",), 1.0, "forward again"),
    Press(("b",), 3.6, "the next backward pass adds to .grad: old + new = sum"),
    Press(("u",), 1.0, "the update uses the sum of both passes"),
    Press(("e",) * 6, 0.45, "runs whole epochs: the loss falls, then rises again"),
    Press(("]",) * 6, 0.15, "raises the learning rate"),
    Press(("r",), 0.7, "asks how many epochs to run"),
    Press(("5", "0"), 0.3, "fifty"),
    Press(("enter",), 3.6, "the loss diverges"),
)
STILL: Final = "b"
"""Key after which the screen is shown where nothing moves."""


async def filmed() -> Film:
    """Press the keys on the bench and return the moving picture of it."""
    async with opened((80, 24)) as pilot:
        shots = [Shot(strips(pilot), 2.0, "", "gradstep: gradient descent, one line at a time")]
        for step in STORY:
            for key in step.keys:
                await press(pilot, key)
                await idle(pilot)
                label = "Enter" if key == "enter" else key
                shots.append(Shot(strips(pilot), step.seconds, label, step.words))
    still = next(number for number, shot in enumerate(shots) if shot.key == STILL)
    return Film(shots, still=still, title=TITLE)


if __name__ == "__main__":
    PICTURE.write_text(asyncio.run(filmed()).svg(), encoding="utf-8")
