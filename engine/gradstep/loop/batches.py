"""Split of an epoch's samples: micro-batches, which accumulate, or mini-batches, which each update.

Importing this module does not import torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from msgspec import Struct, structs

from gradstep.errors import BadInput
from gradstep.loop.literals import literal, named, parsed, shown, unknown

Way: TypeAlias = Literal["full", "micro", "mini"]
Weight: TypeAlias = Literal["share", "parts", "none"]

WAYS: Final[tuple[Way, ...]] = get_args(Way)
WEIGHTS: Final[tuple[Weight, ...]] = get_args(Weight)
EXAMPLE: Final = "micro(2)"

NO_SAMPLES: Final = (
    "these samples cannot be split: inputs and targets need the same number of rows, at least 2"
)

MOST_PARTS: Final = 1_000
"""Largest number of parts of an epoch; the pass of every part is recorded and has entries in the ledger."""

LARGEST_SEED: Final = 2**32 - 1
"""Largest seed, so that the number of an epoch can be added to it."""


class Batches(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Way in which an epoch goes through the samples."""

    way: Way = "full"
    """Kind of split.

    `full`: all samples at once. `micro`: a backward pass for each part and one update for all, which
    accumulates gradients on purpose. `mini`: an update for each part.
    """

    size: int = 0
    """Number of samples in a part; the last part may have fewer. 0 for the full batch."""

    weight: Weight = "share"
    """Factor of a micro-batch's loss: its share of the samples, 1 / the number of parts, or 1 for `none`."""

    shuffle: bool = False
    """Whether every epoch draws a new order of the samples."""

    seed: int = 0
    """Seed of the orders; the number of the epoch is added to it."""

    @property
    def full(self) -> bool:
        """Whether all samples are in one part."""
        return self.way == "full"

    @property
    def text(self) -> str:
        """The split as a learner writes it: `micro(2, weight='parts')`."""
        if self.full:
            return self.way
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in zip(("weight", "shuffle", "seed"), ("share", False, 0), strict=True)
            if getattr(self, name) != default
        ]
        return f"{self.way}({', '.join([str(self.size), *changed])})"


FULL: Final = Batches()


@dataclass(frozen=True, slots=True)
class Split:
    """Batches of a known number of samples."""

    batches: Batches
    samples: int
    """Number of all samples."""

    index: str = "i"
    """Name of the tensor that holds the indices of a part's samples."""

    order: str = "order"
    """Name of the tensor that holds the indices of all samples, in the epoch's order."""

    generator: str = "g"
    """Name of the `torch.Generator` that shuffles the samples."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of samples in each part."""
        whole, rest = divmod(self.samples, self.batches.size)
        return (self.batches.size,) * whole + ((rest,) if rest else ())

    @property
    def parts(self) -> int:
        """Number of parts."""
        return -(-self.samples // self.batches.size)

    @property
    def accumulates(self) -> bool:
        """Whether the parts' gradients accumulate before one update."""
        return self.batches.way == "micro"

    def factor(self, size: int) -> float | None:
        """Return the factor of the loss of a part of `size` samples; None if the loss is not multiplied."""
        return size / self.samples if self.accumulates and self.batches.weight == "share" else None

    def divisor(self) -> int | None:
        """Return the divisor of the loss of every part; None if the loss is not divided."""
        return self.parts if self.accumulates and self.batches.weight == "parts" else None

    def epoch_loss(self, losses: Mapping[int, float]) -> float:
        """Return the loss of an epoch from the losses of its parts, by index of the part.

        For micro-batches it is the sum, because `.grad` is the gradient of the sum of their losses. For
        mini-batches it is the mean, weighted by their share of the samples.
        """
        if self.accumulates:
            return sum(losses.values())
        return sum(loss * self.sizes[part] / self.samples for part, loss in losses.items())

    @property
    def order_lines(self) -> tuple[str, ...]:
        """Lines that order an epoch's samples; shuffled samples get a new order in every epoch."""
        if not self.batches.shuffle:
            return (f"{self.order} = torch.arange({self.samples})",)
        seed = f"{self.batches.seed} + epoch" if self.batches.seed else "epoch"
        drawn = f"torch.randperm({self.samples}, generator={self.generator})"
        return (f"{self.generator}.manual_seed({seed})", f"{self.order} = {drawn}")

    @property
    def head(self) -> str:
        """Line that begins the inner loop."""
        return f"for {self.index} in {self.order}.split({self.batches.size}):"

    @property
    def weight_lines(self) -> tuple[str, ...]:
        """Line after a part's loss that weighs it; empty if the loss is not weighed."""
        if self.factor(1) is not None:
            return (f"loss = loss * (len({self.index}) / {self.samples})",)
        divisor = self.divisor()
        return () if divisor is None else (f"loss = loss / {divisor}",)


def split_of(batches: Batches, samples: int | None) -> Split | None:
    """Return a split of samples, or None for the full batch.

    Args:
        batches: Way to split the samples.
        samples: Number of samples; None if inputs and targets do not have one row for each sample.

    Raises:
        BadInput: the samples cannot be split in that way.
    """
    batches = checked_batches(batches)
    if batches.full:
        return None
    if samples is None:
        raise BadInput(NO_SAMPLES)
    if batches.size > samples:
        raise BadInput(f"parts of {batches.size:,} are too large: there are {samples:,} samples")
    split = Split(batches, samples)
    if split.parts > MOST_PARTS:
        least = -(-samples // MOST_PARTS)
        raise BadInput(
            f"{split.parts:,} parts are too many: put at least {least:,} of the {samples:,} samples in each"
        )
    return split


def checked_batches(batches: Batches) -> Batches:
    """Return batches with the options reset that have no effect on their kind of split.

    Raises:
        BadInput: there is no such kind of split, or a value is not possible.
    """
    if not isinstance(batches, Batches) or batches.way not in WAYS:
        raise BadInput(f"{shown(batches)} is not a way to split samples: write e.g. {EXAMPLE}")
    if batches.full:
        return FULL
    if isinstance(batches.size, bool) or not isinstance(batches.size, int) or batches.size < 1:
        raise BadInput(f"{shown(batches.size)} is not a size of a part: use a whole number from 1")
    if batches.weight not in WEIGHTS:
        raise BadInput(unknown("weight", str(batches.weight), WEIGHTS))
    if not isinstance(batches.shuffle, bool):
        raise BadInput(f"shuffle={shown(batches.shuffle)} is not possible: use True or False")
    seed = batches.seed
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"{shown(seed)} is not a seed: use a whole number from 0 to {LARGEST_SEED}")
    weight: Weight = batches.weight if batches.way == "micro" else "share"
    return structs.replace(batches, weight=weight, seed=seed if batches.shuffle else 0)


def batches_from(text: str) -> Batches:
    """Return the batches that a text says: `full`, `micro(2)`, `mini(2, shuffle=True, seed=3)`.

    Raises:
        BadInput: the text is not a way to split samples; the message lists the known ways and the closest.
    """
    plain = text.strip()
    match parsed(plain):
        case ast.Name(id=name):
            positional, given = list[ast.expr](), dict[str, ast.expr]()
        case ast.Call(func=ast.Name(id=name), args=positional, keywords=keywords) if len(positional) <= 1:
            given = named(keywords, *("size" for _ in positional))
        case _:
            raise BadInput(f"{shown(plain)} is not a way to split samples: write e.g. {EXAMPLE}")
    way = name.casefold()
    if way not in WAYS:
        raise BadInput(unknown("way to split samples", name, WAYS))
    if positional:
        given["size"] = positional[0]
    known = ("size", *(("weight",) if way == "micro" else ()), "shuffle", "seed") if way != "full" else ()
    values: dict[str, Any] = {}
    for option, value in given.items():
        if option not in known:
            if not known:
                raise BadInput(f"{shown(option)} is not an option: the full batch has no options")
            raise BadInput(unknown(f"option of {way}", option, known))
        values[option] = literal(option, value, "number, word, True or False")
    if way != "full" and "size" not in values:
        raise BadInput(f"{way} needs the number of samples in a part: write e.g. {way}(2)")
    return checked_batches(structs.replace(Batches(way), **values))
