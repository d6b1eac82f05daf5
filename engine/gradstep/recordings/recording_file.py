"""Recordings as files: written in one piece or not at all, and checked when they are read.

A file holds, in this order: the line `gradstep recording 1`, the lengths of the next two parts (two unsigned
little-endian numbers of 64 bits), the facts as JSON in UTF-8, the bytes of the tensors, and the SHA-256 of
everything before it. Reading one runs no code of whoever wrote it. The digest finds accidents, not
forgeries.
"""

# ruff: noqa: N818 - each error is named after what happened

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

import msgspec

from gradstep.errors import EngineError, Exists
from gradstep.recordings.recording import Recording
from gradstep.recordings.recording_records import StoredRecording, recording_from
from gradstep.recordings.tensor_table import TensorTable, tensors_from

FORMAT: Final = 1
"""Version of the format that this program writes, and the only version that it reads."""

MAGIC: Final = b"gradstep recording "
"""First bytes of every recording; the version and a line end follow."""

FIRST_LINE: Final = MAGIC + b"%d\n" % FORMAT
LENGTHS: Final = Struct("<QQ")
DIGEST: Final = 32
LARGEST: Final = 1 << 33
"""Bytes of the largest file that is read."""

_HEAD: Final = len(FIRST_LINE) + LENGTHS.size


class BadRecording(EngineError):
    """A file cannot be read as a recording; the message says why, and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        """Make the error for a file; `what` follows the path."""
        super().__init__(f"{path} {what}")
        self.path = path


def check_recording_path(path: Path) -> None:
    """Raise an error if a recording may not be written to `path`; nothing is written.

    Raises:
        Exists: a file that is no recording of gradstep's exists there.
        BadRecording: there is no folder for the file, or a folder of this name.
    """
    if path.is_dir():
        raise BadRecording(path, "is a folder: name a file for the recording")
    if not path.absolute().parent.is_dir():
        raise BadRecording(path, f"cannot be written: there is no folder {path.absolute().parent}")
    if not os.path.lexists(path):
        return
    with suppress(OSError):
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                if file.read(len(MAGIC)) == MAGIC:
                    return
    raise NoRecording(path)


class NoRecording(Exists):
    """A file that is no recording stands where one is to be written."""

    def __init__(self, path: Path) -> None:
        """Say that the file stays as it is."""
        super().__init__(path)
        self.args = (f"{path} exists already and is no recording of gradstep's: choose another name",)


def write_recording(path: Path, stored: StoredRecording, table: TensorTable) -> None:
    """Write a recording to a file, which is replaced in one step or stays as it was.

    Raises:
        OSError: the file cannot be written.
    """
    path = path.resolve()
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb") as file:
            digest = sha256()
            for piece in _pieces(stored, table):
                digest.update(piece)
                file.write(piece)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise


def _pieces(stored: StoredRecording, table: TensorTable) -> Iterator[bytes | memoryview]:
    facts = msgspec.json.encode(stored)
    yield FIRST_LINE
    yield LENGTHS.pack(len(facts), table.length)
    yield facts
    yield from table.pieces()


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        BadRecording: the file is missing, unreadable, no recording, of another version, cut off or altered.
    """
    facts, numbers = _parts(path)
    try:
        stored = msgspec.json.decode(facts, type=StoredRecording)
        return recording_from(stored, tensors_from(stored.tensors, numbers))
    except (msgspec.MsgspecError, ValueError, LookupError, RuntimeError, OverflowError, RecursionError):
        raise BadRecording(path, "contradicts itself: record it again with gradstep.record") from None


def _parts(path: Path) -> tuple[bytes, bytearray]:
    """Return the two parts of a file whose digest is right."""
    try:
        mode = os.stat(path)
        if not stat.S_ISREG(mode.st_mode):
            what = "a folder" if stat.S_ISDIR(mode.st_mode) else "no ordinary file"
            raise BadRecording(path, f"is {what}: name a file that gradstep.record has written")
        with open(path, "rb") as file:
            return _read(path, file, mode.st_size)
    except FileNotFoundError:
        raise BadRecording(path, "does not exist: name a file that gradstep.record has written") from None
    except ValueError:  # a null byte in the path
        raise BadRecording(path, "is no name of a file") from None
    except MemoryError:
        raise BadRecording(path, "does not fit into memory: record fewer rounds") from None
    except OSError as error:
        raise BadRecording(path, f"cannot be read: {error.strerror}") from None


def _read(path: Path, file: BinaryIO, size: int) -> tuple[bytes, bytearray]:
    head = file.read(_HEAD)
    first, _, _ = head.partition(b"\n")
    if not head.startswith(MAGIC):
        if head and MAGIC.startswith(head):
            raise _cut_off(path)
        raise BadRecording(path, "is no recording: name a file that gradstep.record has written")
    if first + b"\n" != FIRST_LINE:
        if first + b"\n" == head[: len(first) + 1] or len(first) > len(MAGIC):
            raise _other_version(path, first)
        raise _cut_off(path)
    if len(head) < _HEAD:
        raise _cut_off(path)
    lengths = LENGTHS.unpack(head[len(FIRST_LINE) :])
    whole = _HEAD + sum(lengths) + DIGEST
    if whole > LARGEST or size > LARGEST:
        raise BadRecording(path, f"is too large for a recording, which has at most {LARGEST:,} bytes")
    if size < whole:
        raise _cut_off(path)
    facts, numbers = file.read(lengths[0]), bytearray(lengths[1])
    length = file.readinto(numbers)  # type: ignore[attr-defined]
    digest = sha256(head)
    digest.update(facts)
    digest.update(numbers)
    if size > whole or length != len(numbers) or file.read(DIGEST) != digest.digest():
        raise BadRecording(path, "was altered since it was written: copy it again, or record it again")
    return facts, numbers


def _cut_off(path: Path) -> BadRecording:
    return BadRecording(path, "is cut off: copy it again, or record it again")


def _other_version(path: Path, first: bytes) -> BadRecording:
    version = first.removeprefix(MAGIC).decode("ascii", "replace")[:20]
    shown = version if version.isdigit() else repr(version)
    return BadRecording(
        path,
        f"has format {shown}, and this gradstep reads format {FORMAT}: "
        "open it with the gradstep that wrote it",
    )
