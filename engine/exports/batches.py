"""Parts of the samples, as the lines of Python that a learner would write."""

from __future__ import annotations

from collections.abc import Iterable

from engine.batches import Split

PARTS = "parts"
"""The name of the list of one epoch's losses, part by part."""


def generator_lines(split: Split | None) -> list[str]:
    """Make what draws the orders of samples; nothing where they keep theirs."""
    return ["g = torch.Generator()"] if split is not None and split.batches.shuffle else []


def pick_lines(split: Split, epoch: int, part: int) -> list[str]:
    """Choose the samples of one part; epochs and parts are counted from 0."""
    drawn = [line.replace("epoch", str(epoch)) for line in split.order_lines]
    return [*drawn, f"i = order.split({split.batches.size})[{part}]"]


def keep_line(split: Split) -> str:
    """Keep what a part adds to its epoch's loss."""
    share = "" if split.accumulates else f" * len(i) / {split.samples}"
    return f"{PARTS}.append(loss.item(){share})"


def indented(lines: Iterable[str]) -> list[str]:
    """Put lines into the body of a `for`."""
    return [f"    {line}" for line in lines]
