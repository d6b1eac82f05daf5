"""Stores actions of a few learners until it is killed; reports each one once it is stored."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from gradstep.actions import RunEpochs
from gradstep.start import Start
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.storage.store import Store
from gradstep_tui.workshop.wire.facts import Facts
from gradstep_tui.workshop.wire.messages import ActionDone, SessionBegan


def main(folder: str, seed: str) -> None:
    draw, store = random.Random(seed), Store(Path(folder))
    hub = Hub(store, Start())
    for name in ("ann", "bob", "cleo"):
        claim = store.names.owner(name) or store.names.offer(name, "learner", "code")
        assert claim is not None
        store.names.note(claim)
        hub.join(claim, lambda _: None)
    count = 0
    while True:
        count += 1
        name = draw.choice(["ann", "bob", "cleo"])
        if draw.random() < 0.01:
            hub.heard(name, SessionBegan(Start("crops", seed=count)))
            os.write(1, f"{name} begin {count}\n".encode())
        else:
            hub.heard(name, ActionDone(RunEpochs(count), Facts(epoch=count)))
            os.write(1, f"{name} did {count}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
