"""Judgements of the analyses, as enums; importing this module does not import torch."""

from __future__ import annotations

from enum import StrEnum


class Judgement(StrEnum):
    """Judgement of a gradient check on the error of one element."""

    NORMAL = "normal"
    SUSPICIOUS = "suspicious"
    UNKNOWN = "unknown"
    """A loss that the check needs is inf or nan, so there is nothing to compare with."""


class Outcome(StrEnum):
    """Relation between the gradient of a way to split the samples and the gradient of the full batch."""

    EQUAL = "equal"
    """The gradients are equal, up to rounding."""

    MULTIPLE = "multiple"
    """The gradients point the same way and differ in length."""

    DIFFERS = "differs"
    REFUSED = "refused"
    """PyTorch cannot run the model on a part of the samples."""


class Finding(StrEnum):
    """Effect of an edited loop on training, compared with the reference loop."""

    EQUIVALENT = "equivalent"
    """Every compared number is the same as in the reference loop."""

    RAISES = "raises"
    """PyTorch or Python raises an error."""

    UPDATES_TOO_SOON = "updates too soon"
    """An update runs while a `.grad` is still None."""

    NEVER_UPDATES = "never updates"
    """No parameter changes."""

    ACCUMULATES = "accumulates"
    """An update uses the sum of several epochs' gradients."""

    DROPS = "drops"
    """Zeroing removes the gradients of some parts of the samples before the update."""

    STALE = "stale"
    """An update uses gradients of earlier parameter values."""

    DIFFERS = "differs"
    """The numbers differ for another reason."""
