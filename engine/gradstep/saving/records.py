"""The lines of a session file as structs, which msgspec writes and validates.

A session file is JSON lines in UTF-8. The first line is the `Header`, every other line a `Record`: an action,
or a note that the session was opened again or closed. Each line ends with a checksum
(`gradstep.saving.checksum`).
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
"""Version of the format that this program writes, and the only version that it reads."""

MAGIC = b'{"gradstep session":'
"""First bytes of every session file."""

Number: TypeAlias = float | Literal["nan", "inf", "-inf"]
"""An exact number; strings stand for nan and infinity, which JSON lacks."""

_Row: TypeAlias = list[Number]
_Matrix: TypeAlias = list[Number | _Row]
_Cube: TypeAlias = list[Number | _Matrix]
Nested: TypeAlias = Number | list[Number | _Cube]
"""Nested lists with up to `MOST_DIMENSIONS` levels, written out because msgspec has no recursive types."""

MOST_DIMENSIONS = 4


class _Line(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Options of all structs in a session file."""


class StoredSummary(_Line, frozen=True):
    """Summary of a tensor that is too large to be written out."""

    sum: Number
    norm: Number
    """Square root of the sum of the squares."""


StoredValue: TypeAlias = Nested | StoredSummary | None
"""A tensor in a session file; None for no tensor, e.g. a `.grad` before the first backward pass."""


class Environment(_Line, frozen=True):
    """Versions and hardware on which the bits of a session may depend."""

    torch: str
    """Version of PyTorch."""

    threads: int
    """Threads that PyTorch uses within one operation."""

    machine: str
    """Kind of processor, e.g. "x86_64"."""

    vectors: str
    """Vector instructions that PyTorch's kernels use, e.g. "AVX2"."""

    system: str
    """Operating system, e.g. "Linux"."""

    python: str
    """Version of Python."""


class Header(_Line, frozen=True):
    """First line of a session file: format, environment and start of the session."""

    version: int = field(name="gradstep session")
    start: Start
    environment: Environment
    started: datetime
    continues: str | None = None
    """Name of the file whose complete lines were copied into this one because its last line was cut off."""


class _Record(_Line, frozen=True, tag_field="what", omit_defaults=True):
    """Options of all lines but the first."""


class Did(_Record, frozen=True, tag="did"):
    """An action that changed the session, and the state after it."""

    number: int
    """Number of the action in the file, counted from 1."""

    action: Action
    epoch: int
    """Completed epochs."""

    loss: Number | None
    """Loss of the last forward pass; None before the first."""

    bits: str
    """Digest of the bits of parameters, gradients and optimizer state
    (`gradstep.saving.fingerprint.bits_of`)."""

    numbers: dict[str, StoredValue]
    """The same tensors by name: "w", "w.grad" and, with an optimizer, e.g. "w.exp_avg". While a pass is
    stepped through, the gradients are those at its end."""

    node: tuple[int, int] | None = None
    """Events behind, and all events of the pass that is stepped through; None outside a pass."""

    refused: str = ""
    """PyTorch's error if it refused the action half-way, or an empty string."""

    outcome: str = ""
    """What an answer was worth: "right", the id of a slip, or "unknown"; empty for any other action."""


class Opened(_Record, frozen=True, tag="opened"):
    """Note that the session was opened again, perhaps on another machine."""

    at: datetime
    environment: Environment


class Closed(_Record, frozen=True, tag="closed"):
    """Note that the session was closed properly."""

    at: datetime


Record: TypeAlias = Did | Opened | Closed

header_decoder = Decoder(Header)
record_decoder = Decoder[Record](Record)
encoder = Encoder()


def now() -> datetime:
    """Return the current time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def exact(value: float) -> Number:
    """Return a number as a session file stores it."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
