"""Checks whether a parameter was updated by `w - lr * w.grad`."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDINGS = 2
"""Largest difference, in roundings of the larger term, that the order of the operations explains."""


def follows_rule(before: Tensor, grad: Tensor | None, rate: float, after: Tensor) -> bool:
    """Return whether `before - rate * grad` is `after`, but for rounding.

    Args:
        before: The parameter before the update.
        grad: Its `.grad` then; None if it was None.
        rate: Learning rate; nan if it is not known.
        after: The parameter after the update.
    """
    if grad is None or rate != rate or before.is_meta or grad.shape != before.shape or not _is_real(before):
        return False
    with torch.no_grad():
        step = grad.to(before.dtype) * rate
        made = before - step
        if torch.equal(made.nan_to_num(0), after.nan_to_num(0)):
            return bool(torch.equal(made.isnan(), after.isnan()))
        allowed = torch.finfo(before.dtype).eps * ROUNDINGS * torch.maximum(before.abs(), step.abs())
        return bool(((made - after).abs() <= allowed).all())


def _is_real(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.layout == torch.strided
