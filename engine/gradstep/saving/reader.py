"""Reads a session file without changing it, and explains why a file cannot be read."""

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
from gradstep.tensors.gc_pause import without_collection

LONGEST_LINE: Final = 1 << 20
"""Size limit of a line in bytes; typical lines have some hundred."""

LARGEST_FILE: Final = 1 << 30
"""Size limit of a file in bytes, enough for some million actions."""

LONGEST_REASON: Final = 160
"""Length in characters at which an error's reason is cut."""

UNREADABLE: Final = (DecodeError, UnicodeDecodeError, RecursionError)
"""Exceptions that msgspec raises for bytes that are not a line of a session file."""


class BadSessionFile(EngineError):  # noqa: N818 - named after what happened, as the others are
    """A session file cannot be read. The file is not changed."""

    def __init__(self, path: Path, what: str, line: int | None = None) -> None:
        """Make the error for a line, or for the file as a whole if `line` is None."""
        where = f"{path}: " if line is None else f"{path}: line {line} "
        super().__init__(where + _short(" ".join(what.split()), LONGEST_REASON))
        self.path = path
        self.line = line


class CutOff(BadSessionFile):
    """The last line is incomplete; the session can continue from the actions before it."""

    def __init__(self, path: Path, line: int, actions: int) -> None:
        """Make the error for an incomplete line after a number of complete actions."""
        before = {0: "no action is complete", 1: "the 1 action before it is complete"}.get(
            actions, f"the {actions:,} actions before it are complete"
        )
        super().__init__(path, f"is cut off; {before}", line)
        self.actions = actions


@dataclass(frozen=True, slots=True)
class SavedSession:
    """Content of a session file."""

    path: Path
    header: Header
    records: tuple[Record, ...]
    check: int
    """Checksum of the last complete line, from which that of the next line continues."""

    size: int
    """Size of all complete lines, in bytes."""

    torn: int | None = None
    """Number of the last line if it is cut off and therefore left out here; None if the file is complete."""

    @property
    def whole(self) -> bool:
        """Whether the file ends with a complete line."""
        return self.torn is None

    @property
    def closed(self) -> bool:
        """Whether the session was closed properly."""
        return self.whole and bool(self.records) and isinstance(self.records[-1], Closed)

    @property
    def actions(self) -> tuple[Did, ...]:
        """Actions with their results, in order."""
        return tuple(record for record in self.records if isinstance(record, Did))

    def steps(self) -> Iterator[tuple[int, Did, Environment]]:
        """Yield each action with its line in the file and the environment in which it was applied."""
        environment = self.header.environment
        for line, record in enumerate(self.records, start=2):
            if isinstance(record, Opened):
                environment = record.environment
            elif isinstance(record, Did):
                yield line, record, environment


def read_session_file(path: Path, *, allow_torn: bool = False) -> SavedSession:
    """Read a session file.

    Args:
        path: Path of the file. If another program is writing it, its last line may be incomplete.
        allow_torn: Whether to accept a file whose last line is cut off, without that line.

    Raises:
        CutOff: The last line is cut off and that is not allowed, or no line is complete.
        BadSessionFile: The file is missing, unreadable, not a session file, too new, damaged or edited.
    """
    return parsed(path, _bytes_of(path), allow_torn=allow_torn)


def parsed(path: Path, data: bytes, *, allow_torn: bool = False) -> SavedSession:
    """Return the content of a session file from its bytes; for errors see `read_session_file`."""
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
        raise BadSessionFile(path, f"does not match the format: {error}", 1) from None
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
            # Checked first, so that a large file of another kind is not read to its end.
            start = file.read(LONGEST_LINE)
            _check_kind(path, start)
            # No more than that: Python takes memory for all that is asked for.
            return start + file.read(min(os.fstat(file.fileno()).st_size, LARGEST_FILE))
    except FileNotFoundError:
        raise BadSessionFile(path, "there is no such file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:  # a NUL in the name
        raise BadSessionFile(path, "no file can have this name") from None


def check_plain(path: Path, found: os.stat_result) -> None:
    """Check that a path leads to a regular file that is not too large.

    Raises:
        BadSessionFile: The path leads to a folder, a pipe, a device, or a file that is too large.
    """
    if not stat.S_ISREG(found.st_mode):
        folder = stat.S_ISDIR(found.st_mode)
        reason = "this is a folder, not a session file" if folder else "this is not a regular file"
        raise BadSessionFile(path, reason)
    if found.st_size > LARGEST_FILE:
        raise BadSessionFile(path, f"this is not a session file: it has {found.st_size:,} bytes")


def unreadable(path: Path, error: OSError) -> BadSessionFile:
    """Return the error for a file that the operating system refuses to read."""
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
    """Check the version alone, because other versions may have other fields in the first line."""
    try:
        version = _version_decoder.decode(line).version
    except UNREADABLE:
        return  # not a line of any version; its checksum will not match
    if version > FORMAT:
        raise BadSessionFile(
            path,
            f"has version {_short(str(version), 20)} of the format; this gradstep reads {FORMAT}: update it",
            1,
        )
    if version < FORMAT:
        raise BadSessionFile(path, f"has version {version} of the format, which never existed", 1)


def _records(path: Path, lines: list[bytes], check: int) -> tuple[tuple[Record, ...], int]:
    """Return the records in all lines but the first, and the checksum of the last line."""
    records, due = list[Record](), 1
    decode = record_decoder.decode
    for number, line in enumerate(lines[1:], start=2):
        content, check = _unsealed(path, number, line, check, due)
        try:
            record = decode(content)
        except UNREADABLE as error:
            raise BadSessionFile(path, f"does not match the format: {error}", number) from None
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
    """Return a probable cause for a checksum that does not match; `due` is the number of the next action."""
    if len(line) > LONGEST_LINE:
        return f"has {len(line):,} bytes, more than any line of a session file"
    if line.endswith(b"\r"):
        return "ends with CR LF: some program has converted the line ends"
    try:
        record = None if due is None else record_decoder.decode(content)
    except ValidationError as error:
        return f"was changed and does not match the format: {error}"
    except UNREADABLE as error:
        return f"is damaged: {error}"
    if isinstance(record, Did) and record.number != due:
        return _not_due(record, due)
    return "was changed, or a line before it is missing: its checksum does not match"


def _not_due(record: Did, due: int | None) -> str:
    return f"has action {record.number}, but action {due} is expected: lines are missing or out of order"
