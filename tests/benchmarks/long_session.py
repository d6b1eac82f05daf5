"""A long session without a screen, in a process of its own, which then says its memory."""

from __future__ import annotations

import re
from itertools import cycle, islice
from pathlib import Path

from gradstep import problems
from gradstep.actions import RunEpochs
from gradstep.session import Session
from gradstep_tui.keys import BY_NAME

EPOCH = "fsssSbuz"
"""Keys of one epoch by hand."""

ACTIONS = 1_000
EPOCHS = 100_000

KEYS = "".join(islice(cycle(EPOCH), ACTIONS))


def resident(process: int | str = "self") -> float:
    """Give a process's resident memory in MB; Linux only."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def main() -> None:
    session = Session(problems.load("crops"))
    for key in KEYS:
        action = BY_NAME["upper_s" if key == "S" else key].action
        assert action is not None
        session.apply(action())
    session.apply(RunEpochs(EPOCHS))
    print(resident())


if __name__ == "__main__":
    main()
