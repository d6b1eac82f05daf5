"""Lines of Python that split the samples into batches, as a learner would write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradstep.loop.batches import Split

PARTS = "parts"
"""Name of the list that holds the losses of one epoch's batches."""


def generator_lines(split: Split | None) -> list[str]:
    """Return the line that makes the `torch.Generator` for shuffling; no line if nothing is shuffled."""
    if split is None or not split.batches.shuffle:
        return []
    return [f"{split.generator} = torch.Generator()"]


def pick_lines(split: Split, epoch: int, part: int) -> list[str]:
    """Return the lines that choose the samples of one batch; epochs and batches are counted from 0."""
    drawn = [re.sub(r"\bepoch\b", str(epoch), line) for line in split.order_lines]
    return [*drawn, f"{split.index} = {split.order}.split({split.batches.size})[{part}]"]


def keep_line(split: Split) -> str:
    """Return the line that keeps a batch's share of its epoch's loss."""
    share = "" if split.accumulates else f" * len({split.index}) / {split.samples}"
    return f"{PARTS}.append(loss.item(){share})"


def indented(lines: Iterable[str]) -> list[str]:
    """Return lines indented by four spaces, for the body of a `for`."""
    return [f"    {line}" for line in lines]
