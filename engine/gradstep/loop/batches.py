"""How an epoch's samples are split: into micro-batches that accumulate, or mini-batches that each update.

Importing this module does not import torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from msgspec import Struct, structs

from gradstep.errors import BadInput
from gradstep.loop.literals import literal, parsed, shown, unknown

Way: TypeAlias = Literal["full", "micro", "mini"]
Weight: TypeAlias = Literal["share", "parts", "none"]

WAYS: Final[tuple[Way, ...]] = get_args(Way)
WEIGHTS: Final[tuple[Weight, ...]] = get_args(Weight)
EXAMPLE: Final = "micro(2)"

NO_SAMPLES: Final = (
    "these samples cannot be split: inputs and targets need the same number of rows, at least 2"
)

MOST_PARTS: Final = 1_000
"""How many parts an epoch may have: each of their passes is recorded, and has its page in the ledger."""

LARGEST_SEED: Final = 2**32 - 1
"""What leaves room for the epoch that is added to it."""


class Batches(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an epoch goes through the samples."""

    way: Way = "full"
    """`full`: all at once. `micro`: backward for each part, one update for all: accumulation on purpose.
    `mini`: an update for each part."""

    size: int = 0
    """Samples in a part; the last part has what is left. 0 for the full batch."""

    weight: Weight = "share"
    """What a micro-batch's loss is multiplied by: its share of the samples, 1 / the number of parts, or
    nothing."""

    shuffle: bool = False
    """Whether every epoch draws a new order of the samples."""

    seed: int = 0
    """What the orders are drawn from, together with the epoch's number."""

    @property
    def full(self) -> bool:
        """Whether there is one part only: all samples."""
        return self.way == "full"

    @property
    def text(self) -> str:
        """How a learner types it: `micro(2, weight='parts')`."""
        if self.full:
            return self.way
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in zip(("weight", "shuffle", "seed"), ("share", False, 0), strict=True)
            if getattr(self, name) != default
        ]
        return f"{self.way}({', '.join([str(self.size), *changed])})"

    @property
    def title(self) -> str:
        """How it is named on screen."""
        return "full batch" if self.full else f"{self.way}-batches of {self.size}"


FULL: Final = Batches()


@dataclass(frozen=True, slots=True)
class Split:
    """Batches of a known number of samples."""

    batches: Batches
    samples: int
    index: str = "i"
    """What the loop calls the places of a part's samples."""

    order: str = "order"
    """What it calls those of all samples."""

    generator: str = "g"
    """What it calls that which draws their order."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many samples each part has."""
        whole, rest = divmod(self.samples, self.batches.size)
        return (self.batches.size,) * whole + ((rest,) if rest else ())

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.samples // self.batches.size)

    @property
    def accumulates(self) -> bool:
        """Whether the parts' gradients are to add up before one update."""
        return self.batches.way == "micro"

    def factor(self, size: int) -> float | None:
        """Give what the loss of a part of `size` samples is multiplied by; None where it stays as it is."""
        return size / self.samples if self.accumulates and self.batches.weight == "share" else None

    def divisor(self) -> int | None:
        """Give what the loss of every part is divided by; None where it stays as it is."""
        return self.parts if self.accumulates and self.batches.weight == "parts" else None

    def epoch_loss(self, losses: Mapping[int, float]) -> float:
        """Put the losses of an epoch's parts together.

        Micro-batches have one update, and `.grad` is the gradient of the sum of their losses: so that sum it
        is. Mini-batches count by their share of the samples, as if each had been a part of a mean.
        """
        if self.accumulates:
            return sum(losses.values())
        return sum(loss * self.sizes[part] / self.samples for part, loss in losses.items())

    @property
    def order_lines(self) -> tuple[str, ...]:
        """The lines that put an epoch's samples in order; drawn anew for each where they are shuffled."""
        if not self.batches.shuffle:
            return (f"{self.order} = torch.arange({self.samples})",)
        seed = f"{self.batches.seed} + epoch" if self.batches.seed else "epoch"
        drawn = f"torch.randperm({self.samples}, generator={self.generator})"
        return (f"{self.generator}.manual_seed({seed})", f"{self.order} = {drawn}")

    @property
    def head(self) -> str:
        """The line that begins the inner loop."""
        return f"for {self.index} in {self.order}.split({self.batches.size}):"

    @property
    def weight_lines(self) -> tuple[str, ...]:
        """The line behind a part's loss that weighs it; none where it stays as it is."""
        if self.factor(1) is not None:
            return (f"loss = loss * (len({self.index}) / {self.samples})",)
        divisor = self.divisor()
        return () if divisor is None else (f"loss = loss / {divisor}",)


def split_of(batches: Batches, samples: int | None) -> Split | None:
    """Split samples; None for the full batch.

    Args:
        batches: How.
        samples: How many there are; None where inputs and targets are not one each for every sample.

    Raises:
        BadInput: they cannot be split like that.
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
            f"{split.parts:,} parts are too many: take at least {least:,} of the {samples:,} samples for each"
        )
    return split


def checked_batches(batches: Batches) -> Batches:
    """Give batches without the options that mean nothing to them.

    Raises:
        BadInput: there is no such way, or a value cannot be.
    """
    if not isinstance(batches, Batches) or batches.way not in WAYS:
        raise BadInput(f"{shown(batches)} is no way to split samples: type e.g. {EXAMPLE}")
    if batches.full:
        return FULL
    if isinstance(batches.size, bool) or not isinstance(batches.size, int) or batches.size < 1:
        raise BadInput(f"{shown(batches.size)} is no size of a part: type a whole number from 1")
    if batches.weight not in WEIGHTS:
        raise BadInput(unknown("weight", str(batches.weight), WEIGHTS))
    if not isinstance(batches.shuffle, bool):
        raise BadInput(f"shuffle={shown(batches.shuffle)} cannot be: it is True or False")
    seed = batches.seed
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"{shown(seed)} is no seed: type a whole number from 0 to {LARGEST_SEED}")
    weight: Weight = batches.weight if batches.way == "micro" else "share"
    return structs.replace(batches, weight=weight, seed=seed if batches.shuffle else 0)


def batches_from(text: str) -> Batches:
    """Read batches as `Batches.text` writes them: `full`, `micro(2)`, `mini(2, shuffle=True, seed=3)`.

    Raises:
        BadInput: that is no way to split samples; the message lists the known ones and the closest match.
    """
    plain = text.strip()
    match parsed(plain):
        case ast.Name(id=name):
            positional, named = list[ast.expr](), dict[str, ast.expr]()
        case ast.Call(func=ast.Name(id=name), args=positional, keywords=keywords) if len(positional) <= 1:
            named = {str(one.arg): one.value for one in keywords}
        case _:
            raise BadInput(f"{shown(plain)} is no way to split samples: type e.g. {EXAMPLE}")
    way = name.casefold()
    if way not in WAYS:
        raise BadInput(unknown("way to split samples", name, WAYS))
    if positional:
        named["size"] = positional[0]
    known = ("size", *(("weight",) if way == "micro" else ()), "shuffle", "seed") if way != "full" else ()
    values: dict[str, Any] = {}
    for option, value in named.items():
        if option not in known:
            if not known:
                raise BadInput(f"the full batch has no options, so no {shown(option)}")
            raise BadInput(unknown(f"option of {way}", option, known))
        values[option] = literal(option, value, "number, word, True or False")
    if way != "full" and "size" not in values:
        raise BadInput(f"how many samples in a part? Type e.g. {way}(2)")
    return checked_batches(structs.replace(Batches(way), **values))
