"""The checksum at the end of each line of a session file. It covers the line and all lines before it.

So reading a file finds every line that was changed, lost or moved by accident. It does not protect against
somebody who forges a file.
"""

from __future__ import annotations

from zlib import crc32

FIRST = 0
"""Checksum before the first line."""

_LENGTH = len(b',"check":"01234567"}')


def sealed(content: bytes, before: int) -> tuple[bytes, int]:
    """Return a JSON object as a line of a session file, with its line end, and the line's checksum.

    Args:
        content: A JSON object with at least one member, without line ends.
        before: Checksum of the line before; `FIRST` for the first line.
    """
    check = crc32(content[:-1], before)
    return content[:-1] + _ending(check) + b"\n", check


def unsealed(line: bytes, before: int) -> tuple[bytes, int | None]:
    """Return the JSON object in a line of a session file, and the line's checksum.

    Args:
        line: A line without its line end.
        before: Checksum of the line before; `FIRST` for the first line.

    Returns:
        The JSON object, and the checksum, which is None if it does not match the lines so far.
    """
    body = line[:-_LENGTH]
    check = crc32(body, before)
    return body + b"}", check if line[-_LENGTH:] == _ending(check) else None


def _ending(check: int) -> bytes:
    return b',"check":"%08x"}' % check
