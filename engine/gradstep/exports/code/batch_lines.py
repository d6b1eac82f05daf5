"""Parts of the samples, as the lines of Python that a learner would write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradstep.loop.batches import Split

PARTS = "parts"
"""The name of the list of one epoch's losses, part by part."""


def generator_lines(split: Split | None) -> list[str]:
    """Make what draws the orders of samples; nothing where they keep theirs."""
    if split is None or not split.batches.shuffle:
        return []
    return [f"{split.generator} = torch.Generator()"]


def pick_lines(split: Split, epoch: int, part: int) -> list[str]:
    """Choose the samples of one part; epochs and parts are counted from 0."""
    drawn = [re.sub(r"\bepoch\b", str(epoch), line) for line in split.order_lines]
    return [*drawn, f"{split.index} = {split.order}.split({split.batches.size})[{part}]"]


def keep_line(split: Split) -> str:
    """Keep what a part adds to its epoch's loss."""
    share = "" if split.accumulates else f" * len({split.index}) / {split.samples}"
    return f"{PARTS}.append(loss.item(){share})"


def indented(lines: Iterable[str]) -> list[str]:
    """Put lines into the body of a `for`."""
    return [f"    {line}" for line in lines]
