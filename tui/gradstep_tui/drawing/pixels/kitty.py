"""Pictures by kitty's graphics protocol."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Sequence
from struct import pack
from typing import Final

import numpy as np

from gradstep_tui.drawing.pixels.pixel_canvas import IndexArray, PixelCanvas

CHUNK: Final = 4096
"""Largest number of characters in one control sequence."""


def shown(canvas: PixelCanvas, number: int) -> str:
    """Return the control sequences that show a picture at the cursor, over text, without an answer.

    Args:
        canvas: The picture.
        number: Number by which the terminal knows the picture.
    """
    payload = b64encode(png(canvas.pixels, canvas.colours)).decode("ascii")
    parts = [payload[at : at + CHUNK] for at in range(0, len(payload), CHUNK)]
    keys = f"a=T,q=2,f=100,C=1,i={number},c={canvas.width},r={canvas.height},"
    return "".join(
        f"\x1b_G{'' if at else keys}m={int(at < len(parts) - 1)};{part}\x1b\\"
        for at, part in enumerate(parts)
    )


def removed(number: int) -> str:
    """Return the control sequence by which the terminal removes a picture and forgets it."""
    return f"\x1b_Ga=d,d=I,q=2,i={number}\x1b\\"


def png(pixels: IndexArray, colours: Sequence[str]) -> bytes:
    """Return a PNG file of pixels, given as indices of colours, shape `(down, across)`."""
    down, across = pixels.shape
    rows = np.hstack([np.zeros((down, 1), np.uint8), pixels]).tobytes()
    header = pack(">IIBBBBB", across, down, 8, 3, 0, 0, 0)
    palette = b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
