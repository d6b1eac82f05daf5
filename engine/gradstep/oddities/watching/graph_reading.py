"""What the graph behind a loss tells before its backward pass: leaves, relus, softmaxes, means."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.oddities.watching.node_walk import SHAPE, Spot, inputs_of, kind_of, leaf_behind, through_shapes
from gradstep.oddities.watching.relu_reading import Relu, relu_of
from gradstep.torch_internals import AccumulateGrad, saved_setting, saved_tensor

MOST_NODES: Final = 200_000

_LOSS_LIKE: Final = SHAPE | frozenset(
    [
        "Mean",
        "Sum",
        "Pow",
        "Abs",
        "Mul",
        "Div",
        "Add",
        "Sub",
        "Neg",
        "Sqrt",
        "Clamp",
        "ClampMin",
        "Log",
        "Log1P",
        "Exp",
        "MseLoss",
        "SmoothL1Loss",
        "HuberLoss",
        "LinalgVectorNorm",
        "Norm",
        "Maximum",
        "Where",
        "Logaddexp",
    ]
)
"""Kinds of nodes between the comparison of predictions with targets and the loss."""

_COMPARES: Final = frozenset(["Sub", "MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy", "KlDiv"])
"""Kinds of nodes that compare predictions with targets."""

_MEANS: Final = frozenset(
    [
        "MseLoss",
        "SmoothL1Loss",
        "HuberLoss",
        "NllLoss",
        "NllLoss2D",
        "BinaryCrossEntropy",
        "BinaryCrossEntropyWithLogits",
    ]
)
"""Kinds of nodes of loss functions, which may take a mean."""

_SQUASHES: Final = frozenset({"Softmax", "Sigmoid"})
_STEPS: Final = frozenset({"Round", "Floor", "Ceil", "Trunc", "Sign"})


@dataclass(frozen=True, slots=True)
class Squashed:
    """A softmax or sigmoid that feeds a loss function."""

    spot: Spot | None
    loss_spot: Spot | None
    name: str
    """Name of the function: softmax or sigmoid."""

    own: str
    """Name of the function that the loss function applies itself."""

    takes_logs: bool
    """Whether the loss function takes log-probabilities; otherwise it takes logits."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """Predictions or targets that are compared."""

    spot: Spot | None
    leaves: frozenset[int]
    """Ids of the leaves behind it."""


@dataclass(eq=False, slots=True)
class GraphFacts:
    """Facts about the graph of one pass, none of which keeps its tensors."""

    nodes: frozenset[Node]
    leaves: Mapping[int, Tensor]
    squashed: tuple[Squashed, ...]
    relus: tuple[Relu, ...]
    steps: tuple[tuple[Spot | None, str, frozenset[int]], ...]
    """Lines and names of functions that are constant between jumps, with ids of leaves behind them."""

    loss_nodes: frozenset[Node]
    """Nodes from which only loss-like operations lead to the loss."""

    compared: frozenset[Node]
    """Nodes that go directly into a comparison near the loss, beside another that leads to leaves."""

    comparisons: tuple[tuple[ComparedSide, ComparedSide], ...]
    """Both sides of each comparison near the loss that has a graph on both."""

    is_undivided_mean: bool


def read_graph(outputs: tuple[Tensor, ...], made: Mapping[Node, Spot]) -> GraphFacts:
    """Return the facts about the graph behind tensors that are about to be differentiated."""
    roots = [output.grad_fn for output in outputs if output.grad_fn is not None]
    spots = _spots(roots, made)
    leaves = {id(leaf): leaf for leaf in map(leaf_behind, spots) if leaf is not None}
    leaves |= {id(output): output for output in outputs if output.grad_fn is None and output.requires_grad}
    loss_nodes = _loss_nodes(roots)
    return GraphFacts(
        frozenset(node for node in spots if not isinstance(node, AccumulateGrad)),
        leaves,
        tuple(_squashed(spots)),
        tuple(relu for node in spots if (relu := relu_of(node, spots[node])) is not None),
        tuple(
            (spots[node], kind_of(node).lower(), frozenset(_leaves_behind(node)))
            for node in spots
            if kind_of(node) in _STEPS
        ),
        loss_nodes,
        frozenset(_compared(loss_nodes)),
        tuple(_comparisons(loss_nodes, spots)),
        bool(roots) and all(_is_undivided_mean(root) for root in roots),
    )


def _spots(roots: list[Node], made: Mapping[Node, Spot]) -> dict[Node, Spot | None]:
    """Return all nodes with their lines: a node that is not known has that of what it feeds."""
    found: dict[Node, Spot | None] = {root: made.get(root) for root in roots}
    waiting = deque(roots)
    while waiting and len(found) < MOST_NODES:
        node = waiting.popleft()
        for following in inputs_of(node):
            if following is not None and following not in found:
                found[following] = made.get(following, found[node])
                waiting.append(following)
    return found


def _leaves_behind(node: Node) -> Iterator[int]:
    waiting, seen = [node], {node}
    while waiting:
        found = waiting.pop()
        leaf = leaf_behind(found)
        if leaf is not None:
            yield id(leaf)
        for following in inputs_of(found):
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)


def _squashed(spots: Mapping[Node, Spot | None]) -> Iterator[Squashed]:
    for node, spot in spots.items():
        kind = kind_of(node)
        if kind not in ("LogSoftmax", "NllLoss", "NllLoss2D", "BinaryCrossEntropyWithLogits"):
            continue
        feeder = through_shapes(next(iter(inputs_of(node)), None))
        if feeder is not None and kind_of(feeder) in _SQUASHES:
            name = kind_of(feeder).lower()
            own = "sigmoid" if kind == "BinaryCrossEntropyWithLogits" else "softmax"
            yield Squashed(spots.get(feeder), spot, name, own, kind.startswith("NllLoss"))


def _loss_nodes(roots: list[Node]) -> frozenset[Node]:
    found, waiting = set(roots), list(roots)
    while waiting:
        node = waiting.pop()
        if kind_of(node) not in _LOSS_LIKE:
            continue
        for following in inputs_of(node):
            if following is not None and following not in found and not isinstance(following, AccumulateGrad):
                found.add(following)
                waiting.append(following)
    return frozenset(found)


def _sides(loss_nodes: frozenset[Node]) -> Iterator[tuple[Node, Node]]:
    for node in loss_nodes:
        if kind_of(node) in _COMPARES:
            match inputs_of(node):
                case [Node() as first, Node() as second, *_]:
                    yield first, second


def _compared(loss_nodes: frozenset[Node]) -> Iterator[Node]:
    for sides in _sides(loss_nodes):
        for side in sides:
            following: Node | None = side
            while following is not None and not isinstance(following, AccumulateGrad):
                yield following
                is_moved = kind_of(following) in SHAPE
                following = next(iter(inputs_of(following)), None) if is_moved else None


def _comparisons(
    loss_nodes: frozenset[Node], spots: Mapping[Node, Spot | None]
) -> Iterator[tuple[ComparedSide, ComparedSide]]:
    for first, second in _sides(loss_nodes):
        yield (
            ComparedSide(spots.get(first), frozenset(_leaves_behind(first))),
            ComparedSide(spots.get(second), frozenset(_leaves_behind(second))),
        )


def _is_undivided_mean(node: Node | None) -> bool:
    """Return whether a loss is a mean over several numbers, perhaps with a penalty, that nothing divides."""
    node = through_shapes(node)
    if node is None:
        return False
    kind = kind_of(node)
    if kind in ("Add", "Sub"):
        return any(_is_undivided_mean(side) for side in inputs_of(node))
    if kind == "Mean":
        return int(saved_setting(node, "self_numel", "self_sym_numel") or 0) > 1
    return kind in _MEANS and saved_setting(node, "reduction") == 1 and _targets(node) > 1


def _targets(node: Node) -> int:
    target = saved_tensor(node, "target")
    return 0 if target is None else target.numel()
