"""All that the pictures show of a session, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradstep.errors import EngineError

if TYPE_CHECKING:
    from gradstep.history.annotations import Mark
    from gradstep.ledger.gradient_norms import Sizes
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.fit import Fit
    from gradstep.pictures.loss_surface import Surface
    from gradstep.pictures.pictures import Pictures


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
