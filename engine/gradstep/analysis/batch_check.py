"""Effect of splitting the samples on the gradient: each way to split them, compared with the full batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.judgement import Outcome
from gradstep.analysis.loss_probe import LossProbe, eps_of, loss_probe, why_not_double
from gradstep.errors import BadInput, EngineError, Stopped
from gradstep.loop.batches import Batches, Split, Weight, split_of
from gradstep.training.batch_indices import Feed
from gradstep.training.pytorch_errors import first_words
from gradstep.training.stepper import Statements

Flat = list[Tensor]
"""A gradient: one tensor of shape `(numel,)` for each parameter."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A way to split the samples, and the `.grad` that its first update uses."""

    batches: Batches
    """The way to split the samples."""

    outcome: Outcome
    """Relation of the gradient to that of the full batch."""

    zeroed_inside: bool = False
    """Whether the loop zeroes the gradients after each part of the samples."""

    distance: float = math.nan
    """|grad - full| / |full|, in the parameters' own precision, with norms over all parameters."""

    times: float = math.nan
    """|grad| / |full|, with norms over all parameters."""

    error: str = ""
    """PyTorch's message if it cannot run the model on a part, or an empty string."""


@dataclass(frozen=True, slots=True)
class BatchCheck:
    """Result of a check of ways to split the samples."""

    samples: int
    """Number of samples."""

    sizes: tuple[int, ...]
    """Number of samples in each part."""

    trials: tuple[Trial, ...]
    """Trials: micro-batches by weight, micro-batches with zeroing after each part, mini-batches."""


TRIED: Final[tuple[tuple[Weight, bool], ...]] = (
    ("share", False),
    ("parts", False),
    ("none", False),
    ("share", True),
)
"""Micro-batches to try: their weight, and whether the loop zeroes after each part."""


def check_batches(
    statements: Statements, size: int, stopped: Callable[[], bool] = lambda: False
) -> BatchCheck:
    """Return a comparison of ways to split the samples at the present parameters; the session stays as it is.

    A gradient counts as equal to the full batch's if no more than half of the digits differ. The comparison
    is in float64 if the problem can be computed in it, because in the parameters' own precision rounding may
    look like a difference.

    Args:
        statements: Holds the parameters; ends in the state in which it began.
        size: Number of samples in a part.
        stopped: Called between trials; returns True to stop.

    Raises:
        BadInput: the samples cannot be split into parts of that size, or the gradient is not finite.
        PyTorchError: PyTorch refused the full batch.
        Stopped: `stopped` returned True.
    """
    split = split_of(Batches("micro", size), statements.trainer.problem.samples)
    assert split is not None
    with statements.borrowed(writes_tensors=True):
        check = _Check(statements, split)
        trials = []
        for trial in check.trials():
            if stopped():
                raise Stopped
            trials.append(trial)
        return BatchCheck(split.samples, split.sizes, tuple(trials))


class _Check:
    """A check of ways to split the samples, under way."""

    def __init__(self, statements: Statements, split: Split) -> None:
        self._trainer = statements.trainer
        self._problem = statements.trainer.problem
        self._snapshot = statements.state.trainer
        self._size = split.batches.size
        self._nothing = self._snapshot.without_graph()
        self._full = self._accumulated(None, zeroed_inside=False)
        if not math.isfinite(_norm(self._full)):
            raise BadInput("the gradient is not finite here: nothing can be compared: undo, or reset")
        self._dtype = None if why_not_double(self._problem, self._snapshot.rng) else torch.float64
        with loss_probe(self._problem, self._snapshot.rng, self._dtype) as probe:
            self._tolerance = math.sqrt(eps_of(probe.coarsest()))
            self._exact_full = [grad.double() for grad in probe.gradients()]

    def trials(self) -> Iterator[Trial]:
        for weight, inside in TRIED:
            yield self._trial(Batches("micro", self._size, weight), inside)
        first = self._trial(Batches("mini", self._size), inside=False)
        yield first
        yield Trial(Batches("mini", self._size, shuffle=True), first.outcome, error=first.error)

    def _trial(self, batches: Batches, inside: bool) -> Trial:
        split = split_of(batches, self._problem.samples)
        assert split is not None
        try:
            own = self._accumulated(split, zeroed_inside=inside)
            exact = self._exact(split, zeroed_inside=inside)
        except EngineError as error:
            return Trial(batches, Outcome.REFUSED, inside, error=first_words(error))
        distance = _norm(_minus(own, self._full)) / (_norm(self._full) or 1.0)
        times = _norm(exact) / (_norm(self._exact_full) or 1.0)
        return Trial(batches, _outcome(exact, self._exact_full, self._tolerance), inside, distance, times)

    def _accumulated(self, split: Split | None, *, zeroed_inside: bool) -> Flat:
        """Return the gradients that real passes, part by part, accumulate up to the first update."""
        trainer = self._trainer
        trainer.restore(self._nothing)
        if split is None:
            trainer.forward()
            trainer.backward_unrecorded()
        else:
            split = self._problem.words.spelled(split)
            lines = self._problem.words.forward_on(split)
            feed = Feed(split, lines)
            for part in range(split.parts if split.accumulates else 1):
                if part and zeroed_inside:
                    trainer.zero(set_to_none=True)
                trainer.forward(feed.batch(0, part))
                trainer.backward_unrecorded()
        grads = zip(trainer.snapshot().grads, self._snapshot.parameters, strict=True)
        return [
            (torch.zeros_like(parameter) if grad is None else grad).double().reshape(-1)
            for grad, parameter in grads
        ]

    def _exact(self, split: Split, *, zeroed_inside: bool) -> Flat:
        """Return the same gradients, computed in float64 if the problem can be computed in it."""
        with loss_probe(self._problem, self._snapshot.rng, self._dtype) as probe:
            feed, total = Feed(split, ()), list[Tensor]()
            for part in feed.indices(0)[: split.parts if split.accumulates else 1]:
                share = [grad.double() for grad in _weighed(probe, feed, part)]
                total = share if zeroed_inside or not total else _plus(total, share)
        return total


def _weighed(probe: LossProbe, feed: Feed, part: Tensor) -> Flat:
    """Return the gradients of a part of the samples, weighed as the loop weighs its loss."""
    return [feed.weighed(grad, len(part)) for grad in probe.gradients(part)]


def _outcome(grad: Sequence[Tensor], full: Sequence[Tensor], tolerance: float) -> Outcome:
    length, whole = _norm(grad), _norm(full)
    near = tolerance * max(length, whole)
    if _norm(_minus(grad, full)) <= near:
        return Outcome.EQUAL
    scaled = [grad_full * (length / whole) for grad_full in full] if whole else full
    return Outcome.MULTIPLE if _norm(_minus(grad, scaled)) <= near else Outcome.DIFFERS


def _norm(parts: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float((part * part).sum()) for part in parts))


def _minus(one: Sequence[Tensor], other: Sequence[Tensor]) -> Flat:
    return [a - b for a, b in zip(one, other, strict=True)]


def _plus(one: Sequence[Tensor], other: Sequence[Tensor]) -> Flat:
    return [a + b for a, b in zip(one, other, strict=True)]
