"""Computes everything that the pictures screen shows of a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradstep.errors import EngineError

if TYPE_CHECKING:
    from gradstep.history.annotations import Mark
    from gradstep.ledger.gradient_norms import Sizes
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.default_pair import DefaultPair
    from gradstep.pictures.fit import Fit
    from gradstep.pictures.loss_surface import Surface
    from gradstep.pictures.pictures import Pictures


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """Data of all pictures; an `EngineError` takes the place of a picture that could not be computed."""

    chosen: DefaultPair | None
    """The two numbers that the loss surface varies, if they were chosen by what training did."""

    surface: Surface | EngineError
    fit: Fit | EngineError
    regions: tuple[Regions, ...] | EngineError
    """Decision regions; empty if the problem does not have exactly two inputs."""

    sizes: tuple[Sizes, ...]
    marks: tuple[Mark, ...]


def album(pictures: Pictures, places: tuple[int, int] | None, stopped: Callable[[], bool]) -> Album:
    """Return all pictures of a session.

    Args:
        pictures: Computes the pictures.
        places: Indices, among all numbers of the parameters, of the two that the loss surface varies; None to
            choose them by what training did.
        stopped: Called again and again; if it returns True, the loss surface is abandoned.
    """
    chosen: DefaultPair | None = None

    def drawn() -> Surface:
        nonlocal chosen
        if places is not None:
            return pictures.surface(*places, stopped=stopped)
        chosen = pictures.default_pair(stopped)
        return pictures.surface(*chosen.numbers, stopped=stopped)

    found = _or_error(drawn)
    return Album(
        chosen,
        found,
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
