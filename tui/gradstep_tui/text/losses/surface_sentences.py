"""Sentences about a loss surface: what it is a slice of, where its points are, and the next update."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep_tui.text.statements import zeroes
from gradstep_tui.text.tensors.numbers import cell

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.pictures.default_pair import DefaultPair
    from gradstep.pictures.elements import Pair
    from gradstep.pictures.loss_surface import Surface

SLICE: Final = {
    False: "A slice: all other numbers are as they are now.",
    True: "A slice: all other numbers are as they are now, not as they were on the way.",
}
"""What a surface shows, by whether it has a path."""

CHOSEN: Final = {True: "moved most", False: "largest gradients"}
"""Why two numbers were chosen, by whether training has moved them."""

HERE: Final = {
    False: "X is here: loss {loss}.",
    True: "X is here, after the update: loss {loss}.",
}
"""Sentence on the present point, by whether the parameters have changed since the last forward pass."""

NO_PATH: Final = "There is no path yet."

PATH: Final = {
    (True, False): "{way} is the path from epoch {first:,} (S) to {last:,}.",
    (True, True): "{way} is the path from epoch {first:,} (S; its loss was {began}) to {last:,}.",
    (
        False,
        False,
    ): "{way} is the path from epoch {first:,} (S) to {last:,}, through {count} of these epochs.",
    (False, True): (
        "{way} is the path from epoch {first:,} (S; its loss was {began}) to {last:,}, through {count} of "
        "these epochs."
    ),
}
"""Sentences on the path, by whether it has a point for every epoch, and whether its first loss is known."""

LOWEST: Final = {
    True: "L is the lowest loss on this slice.",
    False: "L is the lowest loss in this picture.",
}
"""Sentence on the lowest loss, by whether it is a minimum; otherwise it is the lowest that is drawn."""

NONE_LOWER: Final = "No loss in this picture is lower."

GRADIENT: Final = "The gradient of one pass here is {gradient}, across and up."

UPDATE: Final = {
    "none": "The loop has no update.",
    "arrow": "The next update adds {step}, the arrow.",
    "short": "The next update adds {step}, shorter than the arrow.",
    "long": "The next update adds {step}: the arrow ends at the border.",
    "without": "The next update adds {step}.",
}
"""Sentences on the next update, by how its arrow is drawn."""

HELD: Final = {
    False: "It goes by .grad, which then holds a sum of passes, {held}.",
    True: "It goes by .grad, which then holds {held}.",
}
"""Sentences on a `.grad` that is not the gradient of one pass, by whether the loop zeroes gradients."""

COARSE: Final = "Only {count} x {count} losses were computed, one by one."

SAME: Final = 1e-3
"""Relative difference up to which a `.grad` is the gradient of one pass."""


@dataclass(frozen=True, slots=True)
class SurfaceContext:
    """What a session knows about the points of a surface besides the surface itself."""

    is_stale: bool = False
    """Whether the parameters have changed since the last forward pass, whose loss the bench shows."""

    began: float | None = None
    """Loss that the run had at the start of the path; None if it computed none."""

    zeroes: bool = True
    """Whether the loop zeroes gradients, as far as is known."""

    reason: str = ""
    """Why these two numbers are shown; empty if the learner chose them."""


PLAIN: Final = SurfaceContext()
"""Nothing besides the surface."""


def surface_context(frame: Frame, found: Surface, chosen: DefaultPair | None) -> SurfaceContext:
    """Return what a session knows about the points of its surface.

    Args:
        frame: The session's frame.
        found: The surface.
        chosen: The surface's two numbers, if they were chosen for the learner.
    """
    first = found.epochs[0]
    began = frame.losses[first] if first < len(frame.losses) else math.nan
    return SurfaceContext(
        is_stale=frame.stale,
        began=began if math.isfinite(began) else None,
        zeroes=zeroes(frame.loop) is not False,
        reason="" if chosen is None else CHOSEN[chosen.moved],
    )


def points_text(found: Surface, context: SurfaceContext, way: str, *, is_covered: bool) -> str:
    """Return the sentences on the present point, the path and the lowest loss.

    Args:
        found: The surface.
        context: What the session knows besides.
        way: Words for the drawn path, which begin a sentence.
        is_covered: Whether the signs of the lowest loss and of the present point are in the same place.
    """
    sentences = [HERE[context.is_stale].format(loss=cell(found.loss))]
    if len(found.path) == 1:
        sentences.append(NO_PATH)
    else:
        template = PATH[found.whole_path, context.began is not None]
        sentences.append(
            template.format(
                way=way,
                first=found.epochs[0],
                last=found.epochs[-1],
                count=len(found.path),
                began=cell(context.began),
            )
        )
    if found.lowest is not None:
        sentences.append(NONE_LOWER if is_covered else LOWEST[found.lowest.is_minimum])
    return " ".join(sentences)


def update_text(found: Surface, context: SurfaceContext, arrow: str) -> str:
    """Return the sentences on the gradient and the next update; `arrow` is a key of `UPDATE`."""
    sentences = [
        GRADIENT.format(gradient=pair_text(found.gradient)),
        UPDATE[arrow].format(step=pair_text(found.step or (0.0, 0.0))),
        held_text(found, context),
        "" if found.batched else COARSE.format(count=len(found.first)),
    ]
    return " ".join(filter(None, sentences))


def held_text(found: Surface, context: SurfaceContext) -> str:
    """Return the sentence on a `.grad` that is not the gradient of one pass; empty if it is."""
    if found.held is None:
        return ""
    numbers = [*found.held, *found.gradient]
    apart = max(abs(held - gradient) for held, gradient in zip(found.held, found.gradient, strict=True))
    if not math.isfinite(apart) or apart <= SAME * max(map(abs, numbers)):
        return ""
    return HELD[context.zeroes].format(held=pair_text(found.held))


def pair_text(pair: Pair) -> str:
    """Return two numbers in parentheses; a negative zero is 0."""
    return f"({cell(pair[0] + 0.0)}, {cell(pair[1] + 0.0)})"
