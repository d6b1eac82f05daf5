"""The check at the end of each line: it covers the line and all lines before it.

So a line that was changed, lost or moved is found by reading alone; it is no protection against intent.
"""

from __future__ import annotations

from zlib import crc32

FIRST = 0
"""What the check of the first line goes on from."""

_LENGTH = len(b',"check":"01234567"}')


def sealed(content: bytes, before: int) -> tuple[bytes, int]:
    """Turn a JSON object into a line of a session file.

    Args:
        content: A JSON object with at least one member, without line ends.
        before: The check of the line before; `FIRST` where there is none.

    Returns:
        The line with its line end, and its check.
    """
    check = crc32(content[:-1], before)
    return content[:-1] + _ending(check) + b"\n", check


def unsealed(line: bytes, before: int) -> tuple[bytes, int | None]:
    """Take the check off a line, which comes without its line end.

    Returns:
        The JSON object, and the line's check; None where that does not fit the line and those before it.
    """
    body = line[:-_LENGTH]
    check = crc32(body, before)
    return body + b"}", check if line[-_LENGTH:] == _ending(check) else None


def _ending(check: int) -> bytes:
    return b',"check":"%08x"}' % check
