"""Finds how a loss comes about: as a sum of terms of predictions and targets, divided.

Nothing is taken from the name of the loss function. A form counts only if its numbers, computed by PyTorch,
come to the loss that PyTorch computed, but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from gradstep.statement_steps.statement_facts import Divisor, LossForm, LossSum

ROUNDINGS: Final = 16
"""Largest difference, in roundings of the dtype, that the order of summing explains; more for many terms."""

MOST_TERMS: Final = 1_000_000
"""Largest number of terms that are summed to find a form."""


def loss_sum(
    preds: Tensor, targets: Tensor, loss: float, *, samples: int = 0, parts: int = 1
) -> LossSum | None:
    """Return how a loss is made of predictions and targets; None if no known form comes to the loss.

    Args:
        preds: Predictions.
        targets: Targets.
        loss: The loss.
        samples: Number of all samples, if these are a part of them; else 0.
        parts: Number of parts of the samples.
    """
    preds, targets = preds.detach(), targets.detach()
    if not preds.is_floating_point() or not preds.numel() or preds.is_meta or targets.is_meta:
        return None
    with torch.no_grad():
        for form in FORMS:
            made = _of_form(form, preds, targets)
            if made is not None and (found := _divided(made, preds, loss, samples, parts)) is not None:
                return found
    return None


def _of_form(
    form: Callable[[Tensor, Tensor], LossSum | None], preds: Tensor, targets: Tensor
) -> LossSum | None:
    try:
        return form(preds, targets)
    except (RuntimeError, IndexError):  # shapes or numbers that PyTorch refuses for this form
        return None


def _divided(made: LossSum, preds: Tensor, loss: float, samples: int, parts: int) -> LossSum | None:
    """Return a sum with the divisor that makes it the loss; None if there is none."""
    for divided_by, divisor in _divisors(made, preds, samples, parts):
        if _is_near(made.total / divisor, loss, made.terms):
            return LossSum(
                made.form,
                made.terms,
                made.total,
                divisor,
                divided_by,
                made.difference,
                made.chances,
                made.is_broadcast,
            )
    return None


def _divisors(made: LossSum, preds: Tensor, samples: int, parts: int) -> Iterator[tuple[Divisor, int]]:
    terms = made.terms.numel()
    rows = preds.shape[0] if preds.dim() else 1
    yield from ((Divisor.NUMBERS, terms), (Divisor.NOTHING, 1), (Divisor.SAMPLES, rows), (Divisor.HALF, 2))
    if samples:
        yield from ((Divisor.WEIGHED, terms * parts), (Divisor.WEIGHED, terms // rows * samples))


def _is_near(made: float, loss: float, terms: Tensor) -> bool:
    if math.isinf(loss):
        return made == loss
    return abs(made - loss) <= torch.finfo(terms.dtype).eps * (ROUNDINGS + math.sqrt(terms.numel())) * abs(
        loss
    )


def _summed(
    form: LossForm,
    terms: Tensor,
    difference: Tensor | None = None,
    chances: Tensor | None = None,
    *,
    is_broadcast: bool = False,
) -> LossSum:
    return LossSum(form, terms, terms.sum().item(), 1, Divisor.NOTHING, difference, chances, is_broadcast)


def _squares(preds: Tensor, targets: Tensor) -> LossSum | None:
    difference = _difference(preds, targets)
    if difference is None:
        return None
    broadcast = preds.shape != targets.shape
    return _summed(LossForm.SQUARES, difference * difference, difference, is_broadcast=broadcast)


def _distances(preds: Tensor, targets: Tensor) -> LossSum | None:
    difference = _difference(preds, targets)
    if difference is None:
        return None
    return _summed(
        LossForm.DISTANCES, difference.abs(), difference, is_broadcast=preds.shape != targets.shape
    )


def _difference(preds: Tensor, targets: Tensor) -> Tensor | None:
    # `torch.broadcast_shapes` would import sympy first, for a second.
    if torch.broadcast_tensors(preds, targets)[0].numel() > MOST_TERMS:  # type: ignore[no-untyped-call]
        return None
    difference = preds - targets
    return difference if difference.is_floating_point() else None


def _classes(preds: Tensor, targets: Tensor) -> LossSum | None:
    if preds.dim() != 2 or targets.dim() != 1 or targets.dtype != torch.int64:
        return None
    logs = functional.log_softmax(preds, 1)
    told = logs.gather(1, targets[:, None])[:, 0]
    return _summed(LossForm.CLASSES, -told, chances=told.exp())


def _sigmoid(preds: Tensor, targets: Tensor) -> LossSum | None:
    if not _are_yes_or_no(preds, targets):
        return None
    terms = functional.binary_cross_entropy_with_logits(preds, targets, reduction="none")
    return _summed(LossForm.SIGMOID, terms, chances=_chance(preds.sigmoid(), targets))


def _probabilities(preds: Tensor, targets: Tensor) -> LossSum | None:
    if not _are_yes_or_no(preds, targets) or not bool(((preds >= 0) & (preds <= 1)).all()):
        return None
    terms = functional.binary_cross_entropy(preds, targets, reduction="none")
    return _summed(LossForm.PROBABILITIES, terms, chances=_chance(preds, targets))


def _are_yes_or_no(preds: Tensor, targets: Tensor) -> bool:
    fits = preds.shape == targets.shape and targets.is_floating_point()
    return fits and bool(((targets == 0) | (targets == 1)).all())


def _chance(yes: Tensor, targets: Tensor) -> Tensor:
    return torch.where(targets == 1, yes, 1 - yes)


FORMS: Final = (_classes, _squares, _sigmoid, _probabilities, _distances)
"""Forms that a loss may have, tried in this order."""
