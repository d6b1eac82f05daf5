"""Describes the pictures in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from gradstep.errors import BadInput, EngineError
from gradstep_tui.plain.answers.state import sampled_epochs
from gradstep_tui.session.pictures import album
from gradstep_tui.text.decision_regions import class_names, rule_text, target_names, wrong_points
from gradstep_tui.text.frames import mark_text
from gradstep_tui.text.losses.surface_sentences import (
    SLICE,
    held_text,
    pair_text,
    surface_context,
)
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.indices import element_text, with_numbers
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.ledger.gradient_norms import Sizes
    from gradstep.pictures.decision_regions import Regions
    from gradstep.pictures.default_pair import DefaultPair
    from gradstep.pictures.fit import Fit
    from gradstep.pictures.loss_surface import Surface
    from gradstep.session import Session

NAMES: Final = re.compile(r"[^\s\[]+(?:\s*\[[^\]]*\])?")
"""Pattern of a number of a parameter, as Python writes it."""

AFTER: Final = {False: "", True: ", after the update"}
"""What follows the loss, by whether the parameters have changed since the last forward pass."""

LOWEST: Final = {
    True: "on this slice, the loss is lowest at {pair}",
    False: "of the losses around here on this slice, the lowest is at {pair}",
}
"""Line on the lowest loss, by whether it is a minimum."""

MOST_TOLD: Final = 5
"""Largest number of passes of a parameter, and of marks, that are described; the latest are."""


def pictures_texts(session: Session, text: str, stopped: Callable[[], bool]) -> Iterator[str]:
    """Return the lines that describe all pictures.

    Args:
        session: The session.
        text: Names of the two numbers that the loss surface varies; empty to have them chosen.
        stopped: Called again and again; if it returns True, the loss surface is abandoned.

    Raises:
        BadInput: `text` does not name two numbers of the parameters.
    """
    pictures, places = session.pictures(), None
    if text:
        named = NAMES.findall(text)
        if len(named) != 2:
            raise BadInput("pictures takes two numbers, as in pictures w[0, 1] b[0], or none")
        first, second = (pictures.number(with_numbers(session.frame, name)) for name in named)
        places = first, second
    frame = session.frame
    found, unit = album(pictures, places, stopped), unit_of(frame.loop)
    return iter(
        [
            *_or_words("surface", found.surface, lambda surface: surface_texts(surface, frame, found.chosen)),
            *_or_words("fit", found.fit, fit_texts),
            *_or_words("map", found.regions, lambda maps: _maps_texts(maps, frame)),
            *(text for sizes in found.sizes for text in size_texts(sizes, unit)),
            *(mark_text(mark, unit) for mark in found.marks[-MOST_TOLD:]),
        ]
    )


def surface_texts(found: Surface, frame: Frame, chosen: DefaultPair | None = None) -> Iterator[str]:
    """Yield lines on the current point of the loss surface, and the path to it."""
    names = " and ".join(element_text(frame, place) for place in found.places)
    context = surface_context(frame, found, chosen)
    yield f"surface: the loss over {names}{context.reason and f' ({context.reason})'}"
    yield SLICE[len(found.path) > 1]
    yield f"here {pair_text(found.here)}, the loss is {cell(found.loss)}{AFTER[context.is_stale]}"
    yield f"the gradient of one pass here is {pair_text(found.gradient)}"
    if found.step is not None:
        yield f"the next update adds {pair_text(found.step)}"
    yield from filter(None, [held_text(found, context)])
    if found.lowest is not None:
        yield LOWEST[found.lowest.is_minimum].format(pair=pair_text(found.lowest.at))
    for number in sampled_epochs(len(found.path)):
        yield f"path: after epoch {found.epochs[number]:,} at {pair_text(found.path[number])}"


def fit_texts(found: Fit) -> Iterator[str]:
    """Yield lines on how far the predictions are from their targets."""
    away = [abs(pred - target) for pred, target in zip(found.preds, found.targets, strict=True)]
    worst = max(range(len(away)), key=lambda number: away[number])
    yield f"fit: {found.total:,} predictions, on average {cell(sum(away) / len(away))} from their targets"
    yield f"furthest off: target {cell(found.targets[worst])}, prediction {cell(found.preds[worst])}"


def regions_texts(found: Regions, names: Sequence[str]) -> Iterator[str]:
    """Yield lines on the model's predictions over its two inputs; `names` are the targets' columns."""
    column = "" if found.column is None or found.columns == 1 else f", column {found.column} of the output"
    yield f"map over the two inputs{column}: {rule_text(found)}"
    if not found.classes:
        yield f"from {cell(float(found.predicted.min()))} to {cell(float(found.predicted.max()))} on the map"
        return
    called, off = class_names(found, names), wrong_points(found)
    for number, name in enumerate(called):
        share = float((found.predicted == number).mean())
        yield f"{name} fills {share:.0%} of the map"
    yield f"{len(found.points) - len(off)} of {len(found.points)} points of the data are predicted correctly"
    for number in off[:MOST_TOLD]:
        target, pred = (values[number] for values in (found.targets, found.preds))
        guess = called[int(pred)] if pred == pred else "nothing"
        yield f"predicted wrongly: at {pair_text(found.points[number])} {guess}, it is {called[int(target)]}"


def _maps_texts(maps: Sequence[Regions], frame: Frame) -> Iterator[str]:
    return (text for regions in maps for text in regions_texts(regions, target_names(frame, regions.columns)))


def size_texts(found: Sizes, unit: str = EPOCH) -> Iterator[str]:
    """Yield lines on the sizes of a parameter's latest gradients."""
    name = f"{found.parameter}.grad"
    for recorded in found.passes[-MOST_TOLD:]:
        added, held = cell(recorded.added), cell(recorded.held)
        yield f"size of {name}: {unit} {recorded.epoch:,} added {added}, which made it {held}"
    if found.unrecorded:
        yield f"{name}: {found.unrecorded:,} passes ran unrecorded, or were forgotten"


def _or_words(name: str, found: Any, tell: Callable[[Any], Iterator[str]]) -> Iterator[str]:
    return iter([f"{name}: {found}"]) if isinstance(found, EngineError) else tell(found)
