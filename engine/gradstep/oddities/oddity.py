"""What can be odd about a training loop, as facts without sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gradstep.learner_code.places import Place


class Oddness(StrEnum):
    """Kind of an oddity; each value is a stable id. `place`, `names` and so on are fields of `Oddity`."""

    NEVER_ZEROES = "never zeroes"
    """The step in `place` uses gradients of earlier steps as well, and nothing zeroes them."""

    ZEROES_TOO_SELDOM = "zeroes too seldom"
    """As `NEVER_ZEROES`, but the line in `other` zeroes them now and then, if it is known."""

    ZEROES_BEFORE_STEP = "zeroes before step"
    """The line in `place` zeroes gradients between their backward pass and the step in `other`."""

    STEPS_BEFORE_BACKWARD = "steps before backward"
    """The step in `place` runs before the round's backward pass in `other`."""

    ZEROES_ANOTHER = "zeroes another"
    """The line in `place` zeroes parameters of `holder`; those that the step in `other` updates, nothing."""

    NEVER_STEPS = "never steps"
    """No optimizer steps, although `holder` holds parameters with gradients."""

    NOT_DIVIDED = "not divided"
    """The backward pass in `place` adds up the means of `count` parts before one step."""

    NOT_HELD = "not held"
    """The parameters `names` get gradients, but no step changes them; `holder` is the optimizer, if any."""

    FROZEN = "frozen"
    """`count` of `total` parameters of the module `holder` do not require grad."""

    CUT = "cut"
    """The line in `place` cuts the path from the loss to the parameters `names`; `cut` says how."""

    UNUSED = "unused"
    """The loss does not depend on the parameters `names`, which `holder` holds."""

    NOT_A_LEAF = "not a leaf"
    """The tensor `names[0]` was computed from others, so its `.grad` stays None."""

    PLAIN_CONTAINER = "plain container"
    """The plain list, tuple or dictionary `holder` of a module hides `count` of `total` parameters."""

    TARGETS_WITH_GRAPH = "targets with graph"
    """The targets `names[0]` were computed from tensors that require grad."""

    SOFTMAX_TWICE = "softmax twice"
    """The softmax or sigmoid (`operation`) in `place` feeds the loss function in `other`, which applies
    another one (`holder`) itself."""

    PROBABILITIES_AS_LOGS = "probabilities as logs"
    """The softmax or sigmoid in `place` feeds the loss in `other`, which takes log-probabilities."""

    BROADCAST = "broadcast"
    """The line in `place` broadcasts predictions and targets of the two `shapes` against each other."""

    KEPT = "kept"
    """The tensor `names[0]` made in `place` is kept with its graph for the next round, which fails."""

    GRAPH_GROWS = "graph grows"
    """As `KEPT`, but each pass goes through the graphs of all rounds before."""

    COMPUTED_ONCE = "computed once"
    """The tensor `names[0]` was computed before the loop, from the parameters that the loop changes."""

    BACKWARD_TWICE = "backward twice"
    """The pass in `place` goes through a graph that the pass in `other` of the same round has freed."""

    KEEPS_GRAPHS = "keeps graphs"
    """`names[0]`, which grows in `place`, keeps the graph of every round after its backward pass."""

    DEAD_UNITS = "dead units"
    """`count` of `total` units of the relu in `place` are zero for all samples; `names` feeds it."""

    RATE_TOO_LARGE = "rate too large"
    """The loss rises from `numbers[0]` to `numbers[1]` in `count` rounds at the learning rate `rate`."""

    RATE_TOO_SMALL = "rate too small"
    """A step changes the loss by `numbers[0]` of itself, and the parameters by `numbers[1]` of theirs."""

    LOSS_NOT_FINITE = "loss not finite"
    """The first loss is `numbers[0]`, nan or inf, before anything was updated."""

    RAISES = "raises"
    """The line in `place` raises `error` in round `count`."""


class Cut(StrEnum):
    """Way in which an operation cuts the path from a loss back to parameters; each value is a stable id."""

    DETACH = "detach"
    DATA = "data"
    ITEM = "item"
    """A tensor became a Python number."""

    NO_GRAD = "no grad"
    """The operation ran while no graph was recorded; the line is the one that switched recording off."""

    INTEGER = "integer"
    """The result has whole numbers or truth values, e.g. after `long()`, `argmax` or a comparison."""

    NUMPY = "numpy"
    """A tensor became an array."""

    COPY = "copy"
    """A new tensor was made of the numbers, e.g. by `torch.tensor`."""

    ROUND = "round"
    """The result is constant between jumps, e.g. after `round` or `sign`, so its gradient is zero."""

    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that is odd about a loop."""

    kind: Oddness
    place: Place | None = None
    """Line of the learner's file that is meant; None if it is not known."""

    names: tuple[str, ...] = ()
    """Tensors or parameters, by the names that the script has for them; shapes for those without a name."""

    other: Place | None = None
    """Second line that belongs to it; None if there is none."""

    holder: str = ""
    """Optimizer, module or container, by its name in the script."""

    cut: Cut | None = None
    operation: str = ""
    """Name of the function that is meant, e.g. `argmax`."""

    count: int = 0
    total: int = 0
    numbers: tuple[float, ...] = ()
    rate: float | None = None
    """Learning rate; None if it is not known."""

    limit: float | None = None
    """Learning rate below which the loss falls along the first step, as far as it was measured."""

    shapes: tuple[tuple[int, ...], ...] = ()
    error: BaseException | None = field(default=None, compare=False)

    is_note: bool = False
    """Whether it may well be meant so, and is no mistake by itself."""
