"""Pictures as sixels: columns of six pixels, a colour at a time."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from gradstep_tui.drawing.pixels.pixel_canvas import SHADES, IndexArray, PixelCanvas

BAND: Final = 6
"""Pixels of a sixel's height."""

FEW: Final = 4
"""Shortest run of the same sixel that is written as a number and the sixel."""

EMPTY: Final = 63
"""Code of the sixel without a pixel."""

SHADE: Final = 3
"""Shades that are sent as one; a divisor of `SHADES`."""

_RUN: Final = re.compile(rb"(.)\1{%d,}" % (FEW - 1), re.DOTALL)


def shown(canvas: PixelCanvas) -> str:
    """Return the control sequence that shows a picture at the cursor, over text."""
    pixels = fewer_colours(canvas.pixels)
    down, across = pixels.shape
    colours = "".join(
        f"#{number};2;{_percentages(canvas.colours[number])}" for number in np.unique(pixels).tolist()
    )
    bands = b"-".join(_band(pixels[top : top + BAND]) for top in range(0, down, BAND))
    return f'\x1bP0;1q"1;1;{across};{down}{colours}{bands.decode("ascii")}\x1b\\'


def fewer_colours(pixels: IndexArray) -> IndexArray:
    """Return pixels with every third shade only: a terminal draws a band of sixels once for each colour."""
    found: IndexArray = np.where(pixels < 2 * SHADES, pixels // SHADE * SHADE + SHADE // 2, pixels)
    return found


def _band(rows: IndexArray) -> bytes:
    """Return the sixels of a band of at most six rows: one pass over its columns for each colour."""
    weights = (1 << np.arange(len(rows), dtype=np.uint8))[:, None]
    passes = []
    for number in np.unique(rows).tolist():
        bits = ((rows == number) * weights).sum(0, dtype=np.uint8)
        found = bits.nonzero()[0]
        first, last = int(found[0]), int(found[-1])
        text = (bits[first : last + 1] + np.uint8(EMPTY)).tobytes()
        blank = b"!%d?" % first if first else b""
        passes.append(b"#%d" % number + blank + _RUN.sub(_short, text))
    return b"$".join(passes)


def _percentages(colour: str) -> str:
    """Return red, green and blue of a colour such as `#440154`, each from 0 to 100."""
    return ";".join(str(round(part * 100 / 255)) for part in bytes.fromhex(colour[1:]))


def _short(run: re.Match[bytes]) -> bytes:
    return b"!%d" % len(run.group()) + run.group(1)
