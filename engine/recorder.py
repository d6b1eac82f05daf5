"""Hooks on every node of a graph, for the time of one backward pass.

PyTorch's engine runs the pass; the hooks only copy what goes by. They return None and keep no tensor of the
engine's: one that somebody holds is neither added to in place nor taken over as a `.grad`, and then strides may
come out another way. Only what must be taken while the pass runs is taken here: `engine.trace` makes events of it
when somebody looks.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.autograd.graph
from torch import Tensor, is_grad_enabled
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node, get_gradient_edge

from engine.events import ACCUMULATE_GRAD
from engine.saved import Saved, raw_attributes, read_saved, unpacked_by_hook

Grads = tuple[Tensor | None, ...]
_LEAF_NAME = "torch::autograd::AccumulateGrad"


class Station(NamedTuple):
    """A node of the graph, and what was read off it before the pass freed it."""

    name: str
    sequence_nr: int
    edges: list[tuple[int, int] | None]
    leaf: Tensor | None
    saved: Saved

    @property
    def priority(self) -> float:
        """Of the nodes that are ready, the engine runs the one with the highest."""
        return math.inf if self.leaf is not None else self.sequence_nr


class Visit:
    """One node's run: what went in, and, once it is over, what came out."""

    __slots__ = ("grad_after", "grad_before", "grads_in", "grads_out", "node", "passage", "raw_out")

    def __init__(
        self, node: int, passage: int, grads_in: Grads, grads_out: Grads | None, raw_out: Grads | None
    ) -> None:
        """Note a run of the node with the index `node`, in the pass with the index `passage`."""
        self.node = node
        self.passage = passage
        self.grads_in = grads_in
        self.grads_out = grads_out
        """None while the node runs, and where it raised."""
        self.raw_out = raw_out
        """The node's own gradients where the engine then reduced them; None where they are `grads_out`."""
        self.grad_before: Tensor | None = None
        self.grad_after: Tensor | None = None


class Passage(NamedTuple):
    """One run of the engine: the recorded pass itself, or one that a node of it started."""

    depth: int
    roots: list[int]


class Recorder:
    """Records the passes that run while it is `recording`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.stations: list[Station] = []
        self.visits: list[Visit] = []
        self.passages: list[Passage] = []
        self.raised_in: int | None = None
        """The innermost pass that ended by an error, where one did."""
        self._error: BaseException | None = None
        self._nodes: list[Node] = []
        self._index: dict[Node, int] = {}
        self._handles: list[Any] = []
        self._running: list[int] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Hook the graph of every pass that starts inside, also within another; give all hooks back."""
        try:
            with _door_watched(self._passing):
                yield
        finally:
            for handle in self._handles:
                handle.remove()
            # A held AccumulateGrad node would serve the next graph, too: let go of all nodes.
            self._handles.clear()
            self._index.clear()
            self._nodes.clear()
            self._error = None

    def _passing(self, roots: list[Node], run: Callable[[], Any]) -> Any:
        running = self._running
        passage = len(self.passages)
        self.passages.append(Passage(len(running), [self._number(root) for root in roots]))
        running.append(passage)
        try:
            self._attach()
            return run()
        except BaseException as error:
            if error is not self._error:  # else an inner pass has told already
                self._error, self.raised_in = error, passage
            raise
        finally:
            running.pop()

    def _number(self, node: Node) -> int:
        number = self._index.get(node)
        if number is None:
            number = self._index[node] = len(self._nodes)
            self._nodes.append(node)
        return number

    def _attach(self) -> None:
        """Hook the numbered nodes that are not hooked yet, and all that they lead to."""
        nodes, stations, number = self._nodes, self.stations, self._number
        while len(stations) < len(nodes):
            node = nodes[len(stations)]
            edges = [None if to is None else (number(to), slot) for to, slot in node.next_functions]
            name = node.name()
            if name == _LEAF_NAME:
                leaf: Tensor = node.variable  # type: ignore[attr-defined]
                self._watch_leaf(node, len(stations), leaf)
                stations.append(Station(ACCUMULATE_GRAD, -1, edges, leaf, Saved()))
                continue
            if isinstance(node, BackwardCFunction):
                self._watch_custom(node, len(stations))
            else:
                self._watch(node, len(stations))
            stations.append(Station(name, node._sequence_nr(), edges, None, read_saved(node)))

    def _watch(self, node: Node, number: int) -> None:
        visits, running = self.visits, self._running

        def after(grads_out: Grads, grads_in: Grads) -> None:
            came, left = copies(grads_in), copies(grads_out)
            raw = _raw_gradients(node, came) if _engine_may_have_reduced(came, left) else None
            visits.append(Visit(number, running[-1], came, left, raw))

        self._handles.append(node.register_hook(after))

    def _watch_custom(self, node: Node, number: int) -> None:
        """Copy before, too: a learner's own `backward` may change its gradient in place, or raise."""
        visits, running, begun = self.visits, self._running, list[Visit]()

        def before(grads_in: Grads) -> None:
            begun.append(Visit(number, running[-1], copies(grads_in), None, None))
            visits.append(begun[-1])

        def after(grads_out: Grads, grads_in: Grads) -> None:
            begun.pop().grads_out = copies(grads_out)

        self._handles += (node.register_prehook(before), node.register_hook(after))

    def _watch_leaf(self, node: Node, number: int, leaf: Tensor) -> None:
        visits, running, begun = self.visits, self._running, list[Visit]()

        def before(grads_in: Grads) -> None:
            visit = Visit(number, running[-1], copies(grads_in), None, None)
            grad = leaf.grad
            if grad is not None:
                visit.grad_before = grad.detach().clone()
            begun.append(visit)
            visits.append(visit)

        def after(grads_out: Grads, grads_in: Grads) -> None:
            visit = begun.pop()
            visit.grads_out = ()
            grad = leaf.grad
            if grad is not None:
                visit.grad_after = grad.detach().clone()

        self._handles += (node.register_prehook(before), node.register_hook(after))


def copies(tensors: Sequence[Tensor | None]) -> Grads:
    """Copy gradients so that nothing that happens to them later shows."""
    if is_grad_enabled():  # in a pass with `create_graph`
        return tuple([None if tensor is None else tensor.detach().clone() for tensor in tensors])
    return tuple([None if tensor is None else tensor.clone() for tensor in tensors])


def _engine_may_have_reduced(grads_in: Grads, grads_out: Grads) -> bool:
    """Whether one left with another dtype than it came with, or smaller, with a shape that broadcasts to it."""
    came = grads_in[0]
    if came is None or len(grads_in) != 1:
        return False
    numel, dtype = came.numel(), came.dtype
    for left in grads_out:
        if left is not None and (
            left.dtype is not dtype or (left.numel() < numel and _broadcasts(left.shape, came.shape))
        ):
            return True
    return False


def _broadcasts(small: torch.Size, large: torch.Size) -> bool:
    return len(small) <= len(large) and all(
        s in (1, n) for s, n in zip(reversed(small), reversed(large), strict=False)
    )


def _raw_gradients(node: Node, grads_in: Grads) -> Grads | None:
    """Ask the node itself, outside the engine, for its gradients before the engine fits them to the inputs.

    None where asking could disturb the pass: saved tensors with unpack hooks may be unpacked once only.
    """
    if any(unpacked_by_hook(raw) for raw in raw_attributes(node)):
        return None
    with torch.no_grad():
        try:
            made = node(*grads_in)  # type: ignore[operator]
        except RuntimeError:  # e.g. a saved tensor that the node let go of
            return None
    return made if isinstance(made, tuple) else (made,)


@contextmanager
def _door_watched(passing: Callable[[list[Node], Callable[[], Any]], Any]) -> Iterator[None]:
    """Let every pass that this thread starts run through `passing`, which gets the roots of its graph.

    `backward` and `grad` enter the engine by the function `_engine_run_backward`, which two modules name.
    """
    plain = torch.autograd._engine_run_backward  # type: ignore[attr-defined]
    thread = threading.get_ident()

    def watched(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return plain(outputs, *args, **kwargs)
        return passing([_root(output) for output in outputs], lambda: plain(outputs, *args, **kwargs))

    torch.autograd._engine_run_backward = watched  # type: ignore[attr-defined, assignment]
    torch.autograd.graph._engine_run_backward = watched  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.autograd._engine_run_backward = plain  # type: ignore[attr-defined]
        torch.autograd.graph._engine_run_backward = plain


def _root(output: Any) -> Node:
    if isinstance(output, Tensor):
        return output.grad_fn or get_gradient_edge(output).node
    node: Node = output.node
    return node
