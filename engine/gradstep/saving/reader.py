"""Reads a session file, and says what is wrong with one that cannot be read; never changes it."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import DecodeError, Struct, ValidationError, field
from msgspec.json import Decoder

from gradstep.errors import EngineError
from gradstep.saving.checksum import FIRST, unsealed
from gradstep.saving.records import (
    FORMAT,
    MAGIC,
    Closed,
    Did,
    Environment,
    Header,
    Opened,
    Record,
    header_decoder,
    record_decoder,
)
from gradstep.training.gc_pause import without_collection

LONGEST_LINE: Final = 1 << 20
"""In bytes; gradstep's own are some hundred long."""

LARGEST_FILE: Final = 1 << 30
"""In bytes: some million actions."""

LONGEST_REASON: Final = 160
"""In characters; what a file says of itself may be of any length."""

UNREADABLE: Final = (DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no such line."""


class BadSessionFile(EngineError):  # noqa: N818 - named after what happened, as the others are
    """A session file cannot be read; it is left as it is."""

    def __init__(self, path: Path, what: str, line: int | None = None) -> None:
        """Say what is wrong with which line; None where it is the file as a whole."""
        where = f"{path}: " if line is None else f"{path}: line {line} "
        super().__init__(where + _short(" ".join(what.split()), LONGEST_REASON))
        self.path = path
        self.line = line


class CutOff(BadSessionFile):
    """Only the last line is not whole; the actions before it can be gone on from."""

    def __init__(self, path: Path, line: int, actions: int) -> None:
        """Count the whole actions before the line."""
        before = {0: "no action is", 1: "the 1 action before it is"}.get(
            actions, f"the {actions:,} actions before it are"
        )
        super().__init__(path, f"is cut off; {before} whole", line)
        self.actions = actions


@dataclass(frozen=True, slots=True)
class SavedSession:
    """What a session file holds."""

    path: Path
    header: Header
    records: tuple[Record, ...]
    check: int
    """Of its last whole line; what the next line's check goes on from."""

    size: int
    """Of its whole lines, in bytes."""

    torn: int | None = None
    """The number of the last line where that is cut off, and left out here; None where the file is whole."""

    @property
    def whole(self) -> bool:
        """Whether the file ends with a whole line."""
        return self.torn is None

    @property
    def closed(self) -> bool:
        """Whether the session was left in order."""
        return self.whole and bool(self.records) and isinstance(self.records[-1], Closed)

    @property
    def actions(self) -> tuple[Did, ...]:
        """What was done, in order."""
        return tuple(record for record in self.records if isinstance(record, Did))

    def steps(self) -> Iterator[tuple[int, Did, Environment]]:
        """Give each action with its line in the file, and where it was done."""
        environment = self.header.environment
        for line, record in enumerate(self.records, start=2):
            if isinstance(record, Opened):
                environment = record.environment
            elif isinstance(record, Did):
                yield line, record, environment


def read_session_file(path: Path, *, allow_torn: bool = False) -> SavedSession:
    """Read a session file.

    Args:
        path: The file, which may be in use: then the last line may not be whole yet.
        allow_torn: Whether to take what is before a last line that is cut off.

    Raises:
        CutOff: the last line is cut off, and that is not allowed, or no line is whole.
        BadSessionFile: it is missing, unreadable, no session file, too new, damaged or edited.
    """
    return parsed(path, _bytes_of(path), allow_torn=allow_torn)


def parsed(path: Path, data: bytes, *, allow_torn: bool = False) -> SavedSession:
    """Read the content of a session file; for arguments and errors see `read_session_file`."""
    with without_collection():
        return _parsed(path, data, allow_torn)


def _parsed(path: Path, data: bytes, allow_torn: bool) -> SavedSession:
    *lines, tail = data.split(b"\n")
    _check_kind(path, data)
    if not lines:
        raise CutOff(path, 1, 0)
    _check_version(path, lines[0])
    content, check = _unsealed(path, 1, lines[0], FIRST)
    try:
        header = header_decoder.decode(content)
    except UNREADABLE as error:
        raise BadSessionFile(path, f"does not fit the format: {error}", 1) from None
    records, check = _records(path, lines, check)
    torn = len(lines) + 1 if tail else None
    if torn is not None and not allow_torn:
        raise CutOff(path, torn, sum(isinstance(record, Did) for record in records))
    return SavedSession(path, header, records, check, len(data) - len(tail), torn)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _bytes_of(path: Path) -> bytes:
    try:
        check_plain(path, os.stat(path))
        with open(path, "rb") as file:
            # A large foreign file is not read to its end.
            start = file.read(LONGEST_LINE)
            _check_kind(path, start)
            return start + file.read(LARGEST_FILE)
    except FileNotFoundError:
        raise BadSessionFile(path, "there is no such file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:  # a NUL in the name
        raise BadSessionFile(path, "no file can have this name") from None


def check_plain(path: Path, found: os.stat_result) -> None:
    """Look whether there is a file that can be read to its end.

    Raises:
        BadSessionFile: it is a folder, a pipe, a device, or far too large.
    """
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
        raise BadSessionFile(path, f"this is {kind}, not a session file")
    if found.st_size > LARGEST_FILE:
        raise BadSessionFile(path, f"this is no session file: it has {found.st_size:,} bytes")


def unreadable(path: Path, error: OSError) -> BadSessionFile:
    """Give the error for a file that the system does not let be read."""
    return BadSessionFile(path, f"cannot be read: {error.strerror}")


def _check_kind(path: Path, data: bytes) -> None:
    if not data:
        raise BadSessionFile(path, "this file is empty, not a session file")
    if data.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        raise BadSessionFile(path, "was saved in another encoding: it must be UTF-8 without a BOM", 1)
    if not data.startswith(MAGIC[: len(data)]):
        start = MAGIC.decode()
        raise BadSessionFile(path, f"is not that of a gradstep session file: it must begin with {start}", 1)


class _Version(Struct):
    version: int = field(name="gradstep session")


_version_decoder = Decoder(_Version)


def _check_version(path: Path, line: bytes) -> None:
    """Look at the version alone: the rest of the line may look different in another one."""
    try:
        version = _version_decoder.decode(line).version
    except UNREADABLE:
        return  # no whole line of any version: its check will not fit
    if version > FORMAT:
        raise BadSessionFile(
            path,
            f"says version {_short(str(version), 20)} of the format; this gradstep reads {FORMAT}: update it",
            1,
        )
    if version < FORMAT:
        raise BadSessionFile(path, f"says version {version} of the format, which there never was", 1)


def _records(path: Path, lines: list[bytes], check: int) -> tuple[tuple[Record, ...], int]:
    """Read all lines but the first; give also the last one's check."""
    records, due = list[Record](), 1
    decode = record_decoder.decode
    for number, line in enumerate(lines[1:], start=2):
        content, check = _unsealed(path, number, line, check, due)
        try:
            record = decode(content)
        except UNREADABLE as error:
            raise BadSessionFile(path, f"does not fit the format: {error}", number) from None
        if isinstance(record, Did):
            if record.number != due:
                raise BadSessionFile(path, _not_due(record, due), number)
            due += 1
        records.append(record)
    return tuple(records), check


def _unsealed(path: Path, number: int, line: bytes, before: int, due: int | None = None) -> tuple[bytes, int]:
    content, check = unsealed(line, before)
    if check is None or len(line) > LONGEST_LINE:
        raise BadSessionFile(path, _why_unfit(content, line, due), number)
    return content, check


def _why_unfit(content: bytes, line: bytes, due: int | None) -> str:
    """Say what may have happened to a line whose check does not fit; `due` is the next action's number."""
    if len(line) > LONGEST_LINE:
        return f"is {len(line):,} bytes long, which no line of a session file is"
    if line.endswith(b"\r"):
        return "has a changed line end, CR LF: something has converted the file"
    try:
        record = None if due is None else record_decoder.decode(content)
    except ValidationError as error:
        return f"was changed, and does not fit the format: {error}"
    except UNREADABLE as error:
        return f"is damaged: {error}"
    if isinstance(record, Did) and record.number != due:
        return _not_due(record, due)
    return "was changed, or a line before it is missing: its check does not fit"


def _not_due(record: Did, due: int | None) -> str:
    return f"has action {record.number} where action {due} is due: lines are missing or out of order"
