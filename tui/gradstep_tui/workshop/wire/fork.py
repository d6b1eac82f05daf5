"""Requests to the forkserver, and its reports on the processes that it has forked."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

LONGEST: Final = 1 << 16
"""Largest size of a request or a report, in bytes."""


class Fork(Struct, frozen=True):
    """Request for a process; the descriptors of its terminal and of its socket come with it."""

    number: int
    """Number of the request; the reports on the process repeat it."""

    environment: dict[str, str]
    """Environment variables of the process, already checked."""


class Forked(Struct, frozen=True, tag=True):
    """The process of a request has been forked."""

    number: int
    """Number of the request."""

    pid: int


class Ended(Struct, frozen=True, tag=True):
    """Report that a learner's process has exited."""

    number: int
    """Number of the request."""

    status: int
    """Exit status as `os.waitstatus_to_exitcode` returns it: negative if a signal ended the process."""


Report = Forked | Ended

encoder: Final = msgspec.json.Encoder()
request_decoder: Final = msgspec.json.Decoder(Fork)
report_decoder: Final = msgspec.json.Decoder(Report)
