"""Draws the loss surface and maps of predictions in pixels, for terminals that show them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gradstep_tui.drawing.heat import VIRIDIS
from gradstep_tui.drawing.pixels.pixel_canvas import ACCENT, FloatArray, PixelCanvas, enlarged
from gradstep_tui.drawing.scales import Scale
from gradstep_tui.widgets.pictures.decision_regions import class_levels
from gradstep_tui.widgets.pictures.loss_surface import (
    BEGIN,
    CONTOUR,
    HERE,
    LOWEST,
    arrow_of,
    path_places,
    scales_of,
)

if TYPE_CHECKING:
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.loss_surface import Surface

BANDS: Final = len(VIRIDIS) // CONTOUR
"""Number of bands between contour lines, as in a picture of cells."""

HEAD: Final = 5.0
"""Length of an arrow's head, in widths of a stroke."""

SHORTEST: Final = 3 * HEAD
"""Length of the shortest arrow, in widths of a stroke."""


def draw_surface(canvas: PixelCanvas, found: Surface, scale: Scale) -> None:
    """Draw the losses with contour lines, the path, the next step as an arrow, and letters at the points."""
    shares = enlarged(_shares(found.losses, scale), canvas.across, canvas.down)
    canvas.paint(shares, _bands(shares, BANDS))
    canvas.stroke(path_places(found, canvas.across, canvas.down))
    across, up = scales_of(found)
    here = across.share(found.here[0]) * canvas.across, (1 - up.share(found.here[1])) * canvas.down
    if all(map(math.isfinite, here)):
        _draw_arrow(canvas, here, arrow_of(found, canvas.across, canvas.down))
    if found.lowest is not None:
        canvas.point(across, up, *found.lowest.at, LOWEST)
    if len(found.path) > 1:
        canvas.point(across, up, *found.path[0], BEGIN)
    canvas.point(across, up, *found.here, HERE)


def draw_regions(canvas: PixelCanvas, found: Regions, scale: Scale | None) -> None:
    """Draw the regions of the classes, or the output with contour lines."""
    size = canvas.across, canvas.down
    if scale is not None:
        shares = enlarged(_shares(found.predicted, scale), *size)
        canvas.paint(shares, _bands(shares, BANDS))
        return
    # Each class's share of the neighbourhood: borders between grid points are straight lines.
    votes = np.stack(
        [enlarged((found.predicted == at).astype(float), *size) for at in range(len(found.classes))]
    )
    chosen = votes.argmax(0)
    levels = np.array(class_levels(len(found.classes), len(VIRIDIS))) / (len(VIRIDIS) - 1)
    shares = np.where(votes.sum(0) > 0.5, levels[chosen], np.nan)
    canvas.paint(shares, chosen)


def _shares(values: FloatArray, scale: Scale) -> FloatArray:
    """Return the places of numbers on a scale, from 0 to 1; nan for those that have none."""
    with np.errstate(all="ignore"):
        at = np.log(values) if scale.is_log else np.asarray(values, float)
        low, high = (math.log(end) if scale.is_log else end for end in (scale.low, scale.high))
        found = (at - low) / (high - low) if high > low else np.where(np.isfinite(at), 0.5, np.nan)
    return np.where(np.isfinite(found), np.clip(found, 0, 1), np.nan)


def _bands(shares: FloatArray, count: int) -> npt.NDArray[np.int64]:
    known = np.where(np.isfinite(shares), shares, -1)
    found: npt.NDArray[np.int64] = np.minimum(np.floor(known * count), count - 1).astype(np.int64)
    return found


def _draw_arrow(canvas: PixelCanvas, begin: tuple[float, float], arrow: tuple[float, float] | None) -> None:
    """Draw an arrow in a colour that the map does not have; a short one is drawn longer."""
    if arrow is None:
        return
    size = math.hypot(*arrow)
    right, down = (part / size for part in arrow)
    length = min(max(size, SHORTEST * canvas.weight), _way_to_border(canvas, begin, (right, down)))
    tip = begin[0] + right * length, begin[1] + down * length
    head = HEAD * canvas.weight
    sides = [
        (tip[0] - head * (right + 0.6 * side * down), tip[1] - head * (down - 0.6 * side * right))
        for side in (-1, 1)
    ]
    canvas.stroke([begin, tip], ACCENT)
    canvas.stroke([sides[0], tip, sides[1]], ACCENT)


def _way_to_border(canvas: PixelCanvas, begin: tuple[float, float], way: tuple[float, float]) -> float:
    """Return the distance from a point to the border of a picture, in a direction given as a unit vector."""
    parts = zip((canvas.across, canvas.down), begin, way, strict=True)
    return min(max(((size if part > 0 else 0) - at) / part, 0.0) for size, at, part in parts if part)
