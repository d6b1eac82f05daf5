"""All that the pictures show of a session, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.fit import Fit
    from engine.marks import Mark
    from engine.pictures import Pictures
    from engine.regions import Regions
    from engine.sizes import Sizes
    from engine.surface import Surface


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """What was computed, or why it could not be."""

    places: tuple[int, int]
    """Which two numbers the surface is over; as `Pictures` counts them."""

    surface: Surface | EngineError
    fit: Fit | EngineError
    regions: tuple[Regions, ...] | EngineError
    """Empty where the problem has not two inputs."""

    sizes: tuple[Sizes, ...]
    marks: tuple[Mark, ...]


def album(pictures: Pictures, places: tuple[int, int], stopped: Callable[[], bool]) -> Album:
    """Compute all pictures; what the engine refuses stands in a picture's place."""
    return Album(
        places,
        _or_error(lambda: pictures.surface(*places, stopped=stopped)),
        _or_error(pictures.fit),
        _or_error(pictures.regions),
        pictures.sizes(),
        pictures.marks(),
    )


def _or_error(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except EngineError as error:
        return error
