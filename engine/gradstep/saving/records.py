"""The lines of a session file, as structs: what msgspec writes and checks.

A session file is JSON lines in UTF-8. The first line is the `Header`; every other one is a `Record`: what was
done, or that the session was opened again, or left in order. Each line ends with its check, which
`gradstep.saving.checksum` adds and takes off.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from msgspec import Struct, field
from msgspec.json import Decoder, Encoder

from gradstep.actions import Action
from gradstep.start import Start

FORMAT = 1
"""The version of the format that this program writes, and the only one that it reads."""

MAGIC = b'{"gradstep session":'
"""How a session file begins."""

Number: TypeAlias = float | Literal["nan", "inf", "-inf"]
"""A number, exactly; JSON knows no nan and no infinity."""

_Row: TypeAlias = list[Number]
_Matrix: TypeAlias = list[Number | _Row]
_Cube: TypeAlias = list[Number | _Matrix]
Nested: TypeAlias = Number | list[Number | _Cube]
"""Nested lists of up to `MOST_DIMENSIONS`, spelled out, for msgspec has no recursive types."""

MOST_DIMENSIONS = 4


class _Line(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What all parts of a line share."""


class StoredSummary(_Line, frozen=True):
    """What a file tells of a tensor that is too large to be written out."""

    sum: Number
    norm: Number
    """The square root of the sum of the squares."""


StoredValue: TypeAlias = Nested | StoredSummary | None
"""A tensor as it stands in a file; None where there is none, as for a `.grad` before the first pass."""


class Environment(_Line, frozen=True):
    """What the bits of a session may depend on, besides its actions."""

    torch: str
    """PyTorch's version."""

    threads: int
    """How many threads PyTorch uses within one operation."""

    machine: str
    """The kind of processor, e.g. "x86_64"."""

    vectors: str
    """The vector instructions that PyTorch's kernels use, e.g. "AVX2"."""

    system: str
    python: str


class Header(_Line, frozen=True):
    """The first line: what kind of file this is, and where the session starts."""

    version: int = field(name="gradstep session")
    start: Start
    environment: Environment
    started: datetime
    continues: str | None = None
    """The name of the file whose whole lines were copied into this one, because its end is cut off."""


class _Record(_Line, frozen=True, tag_field="what", omit_defaults=True):
    """What all lines but the first share."""


class Did(_Record, frozen=True, tag="did"):
    """An action that changed the session, and where it led."""

    number: int
    """Counted from 1 in the whole file."""

    action: Action
    epoch: int
    """Epochs run to their end."""

    loss: Number | None
    """The last forward pass's loss; None before the first."""

    bits: str
    """A digest of the bits of parameters, gradients and of what the optimizer remembers
    (`gradstep.saving.fingerprint.bits_of`)."""

    numbers: dict[str, StoredValue]
    """The same tensors by name: "w", "w.grad" and, with an optimizer, "w.exp_avg" and the like. Inside a
    pass, the gradients are those that it leaves: PyTorch has run it."""

    node: tuple[int, int] | None = None
    """Inside a pass, how many of how many events are behind."""

    refused: str = ""
    """What PyTorch said where it refused the action half-way."""


class Opened(_Record, frozen=True, tag="opened"):
    """The session was taken up again, perhaps elsewhere."""

    at: datetime
    environment: Environment


class Closed(_Record, frozen=True, tag="closed"):
    """The session was left in order."""

    at: datetime


Record: TypeAlias = Did | Opened | Closed

header_decoder = Decoder(Header)
record_decoder = Decoder[Record](Record)
encoder = Encoder()


def now() -> datetime:
    """Give the time, in UTC and whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def exact(value: float) -> Number:
    """Give a number as a file has it."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
