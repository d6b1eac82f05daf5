"""What splitting the samples does to the gradient: each way of it beside the full batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.judgement import Outcome
from gradstep.analysis.loss_probe import Apart, apart, eps_of, why_not_double
from gradstep.errors import BadInput, EngineError, Stopped
from gradstep.loop.batches import Batches, Split, Weight, split_of
from gradstep.training.batch_indices import Feed
from gradstep.training.pytorch_errors import first_words
from gradstep.training.stepper import Statements

Flat = list[Tensor]
"""A gradient: for each parameter a flat tensor."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A way to go through the samples, and the `.grad` that its update then uses."""

    batches: Batches
    outcome: Outcome

    zeroed_inside: bool = False
    """Whether the loop zeroes after each part, too."""

    distance: float = math.nan
    """|grad - full| / |full|, in the parameters' own precision and norms over all parameters."""

    times: float = math.nan
    """How many times as long as the full batch's it is."""

    error: str = ""
    """What PyTorch refused."""


@dataclass(frozen=True, slots=True)
class BatchCheck:
    """What came of it."""

    samples: int
    sizes: tuple[int, ...]
    """How many samples each part has."""

    trials: tuple[Trial, ...]
    """Micro-batches by weight, then with zeroing inside the inner loop; then mini-batches, whose first
    update it is."""


TRIED: Final[tuple[tuple[Weight, bool], ...]] = (
    ("share", False),
    ("parts", False),
    ("none", False),
    ("share", True),
)
"""The micro-batches that are tried: their weight, and whether zeroing is inside the inner loop."""


def check_batches(
    statements: Statements, size: int, stopped: Callable[[], bool] = lambda: False
) -> BatchCheck:
    """Compare ways to split the samples at the present parameters; changes nothing.

    Whether a gradient is the full batch's is decided in float64 where the problem can be computed in it, for
    in the parameters' own precision rounding may look like a difference: it is where no more than half of the
    digits differ.

    Args:
        statements: What holds the parameters; afterwards it is in the state that it was in.
        size: Samples in a part.
        stopped: Asked between trials.

    Raises:
        BadInput: the samples cannot be split like that.
        PyTorchError: PyTorch refused the full batch here.
        Stopped: `stopped` said so.
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
    """A check under way."""

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
        with apart(self._problem, self._snapshot.rng, self._dtype) as where:
            self._tolerance = math.sqrt(eps_of(where.coarsest()))
            self._exact_full = [one.double() for one in where.gradients()]

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
        """Run the real passes, part by part, up to the first update; give what `.grad` then holds."""
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
        return [(torch.zeros_like(p) if g is None else g).double().reshape(-1) for g, p in grads]

    def _exact(self, split: Split, *, zeroed_inside: bool) -> Flat:
        """Compute the same with as many digits as there are."""
        with apart(self._problem, self._snapshot.rng, self._dtype) as where:
            feed, total = Feed(split, ()), list[Tensor]()
            for part in feed.indices(0)[: split.parts if split.accumulates else 1]:
                share = [one.double() for one in _weighed(where, feed, part)]
                total = share if zeroed_inside or not total else _plus(total, share)
        return total


def _weighed(where: Apart, feed: Feed, part: Tensor) -> Flat:
    return [feed.weighed(one, len(part)) for one in where.gradients(part)]


def _outcome(grad: Sequence[Tensor], full: Sequence[Tensor], tolerance: float) -> Outcome:
    length, whole = _norm(grad), _norm(full)
    near = tolerance * max(length, whole)
    if _norm(_minus(grad, full)) <= near:
        return Outcome.EQUAL
    scaled = [one * (length / whole) for one in full] if whole else full
    return Outcome.MULTIPLE if _norm(_minus(grad, scaled)) <= near else Outcome.DIFFERS


def _norm(parts: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float((one * one).sum()) for one in parts))


def _minus(one: Sequence[Tensor], other: Sequence[Tensor]) -> Flat:
    return [a - b for a, b in zip(one, other, strict=True)]


def _plus(one: Sequence[Tensor], other: Sequence[Tensor]) -> Flat:
    return [a + b for a, b in zip(one, other, strict=True)]
