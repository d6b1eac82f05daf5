"""Hooks on every node of a graph, for the time of one backward pass.

PyTorch's engine runs the pass; the hooks only copy what goes by. They return None and keep no tensor of the
engine's: one that somebody holds is neither added to in place nor taken over as a `.grad`, and then strides
may come out another way. Only what must be taken while the pass runs is taken here: `engine.trace` makes
events of it when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any
from weakref import ref

import torch
import torch.autograd.graph
from torch import Tensor, is_grad_enabled
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node, get_gradient_edge

from engine.saved import Held, hold_tensors, unpacked_by_hooks

AccumulateGrad: type[Node] = torch._C._functions.AccumulateGrad  # type: ignore[attr-defined]
"""The node that adds to a leaf's `.grad`; its `variable` is the leaf."""
Grads = tuple[Tensor | None, ...]
Place = tuple[int, int]
"""One input of a node's run: the node's index, and the slot."""
Parcel = tuple[ref[Tensor], int, Tensor]
"""A gradient on its way, its version counter, and the copy taken when it was sent."""


class Passage:
    """One run of the engine: the recorded pass itself, or one that a node of it started."""

    __slots__ = ("depth", "roots", "under_way")

    def __init__(self, depth: int, roots: list[int]) -> None:
        """Start where no gradient has been sent."""
        self.depth = depth
        self.roots = roots
        self.under_way: dict[Place, Parcel | None] = {}
        """The gradient sent to each place; None where several were, which the engine adds up."""


class Visit:
    """One node's run: what went in, and, once it is over, what came out."""

    __slots__ = ("grad_after", "grad_before", "grads_in", "grads_out", "node", "passage", "raw_out")

    def __init__(
        self,
        node: int,
        passage: Passage,
        grads_in: Grads,
        grads_out: Grads | None = None,
        raw_out: Grads | None = None,
    ) -> None:
        """Note a run of the node with the index `node`."""
        self.node = node
        self.passage = passage
        self.grads_in = grads_in
        self.grads_out = grads_out
        """None while the node runs, and where it raised."""
        self.raw_out = raw_out
        """The node's own gradients where the engine then reduced them; None where they are `grads_out`."""
        self.grad_before: Tensor | None = None
        self.grad_after: Tensor | None = None


class Recorder:
    """Records the passes that start while `record` runs."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.nodes: list[Node] = []
        self.edges: list[list[Place | None]] = []
        """For each of `nodes`, where its gradients go."""
        self.held: list[Sequence[Held]] = []
        """For each of `nodes`, the tensors that it saved."""
        self.visits: list[Visit] = []
        self.raised_in: Passage | None = None
        """The innermost pass that ended by an error, where one did."""
        self._error: BaseException | None = None
        self._index: dict[Node, int] = {}
        self._handles: list[Any] = []
        self._running: list[Passage] = []
        self._writes: list[tuple[Visit, Tensor]] = []

    def record(self, run: Callable[[], None]) -> None:
        """Run something that starts passes, and hook their graphs meanwhile.

        `backward` and `grad` enter the engine by the function `_engine_run_backward`, which two modules name.
        """
        plain = torch.autograd._engine_run_backward  # type: ignore[attr-defined]
        watched = self._watched(plain)
        torch.autograd._engine_run_backward = watched  # type: ignore[attr-defined]
        torch.autograd.graph._engine_run_backward = watched
        try:
            run()
        finally:
            torch.autograd._engine_run_backward = plain  # type: ignore[attr-defined]
            torch.autograd.graph._engine_run_backward = plain
            for handle in self._handles:
                handle.remove()
            self._handles.clear()
            self._index.clear()
            self._error = None
            self._look_after_writes()

    def _watched(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        running, thread = self._running, get_ident()

        def watched(outputs: Any, *args: Any, **kwargs: Any) -> Any:
            if get_ident() != thread:
                return plain(outputs, *args, **kwargs)
            passage = Passage(len(running), [self._number(_root(output)) for output in outputs])
            running.append(passage)
            try:
                self._attach()
                return plain(outputs, *args, **kwargs)
            except BaseException as error:
                if error is not self._error:  # else an inner pass has told already
                    self._error, self.raised_in = error, passage
                raise
            finally:
                running.pop()

        return watched

    def _number(self, node: Node) -> int:
        number = self._index.get(node)
        if number is None:
            number = self._index[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def _attach(self) -> None:
        """Hook the numbered nodes that are not hooked yet, and all that they lead to."""
        nodes, all_edges, number = self.nodes, self.edges, self._number
        while len(all_edges) < len(nodes):
            this = len(all_edges)
            node = nodes[this]
            edges = [None if to is None else (number(to), slot) for to, slot in node.next_functions]
            all_edges.append(edges)
            if isinstance(node, AccumulateGrad):
                self.held.append(())
                self._watch_leaf(node, this)
                continue
            self.held.append(hold_tensors(node))
            if isinstance(node, BackwardCFunction):
                self._watch_custom(node, this, edges)
            else:
                self._watch(node, this, edges)

    def _watch(self, node: Node, number: int, edges: list[Place | None]) -> None:
        visits, running = self.visits, self._running

        def after(grads_out: Grads, grads_in: Grads) -> None:
            passage = running[-1]
            came = _received(passage, number, grads_in)
            left = _sent(passage, edges, grads_out, grads_in, came)
            raw = _raw_gradients(node, came) if _engine_may_have_reduced(came, left) else None
            visits.append(Visit(number, passage, came, left, raw))

        self._handles.append(node.register_hook(after))

    def _watch_custom(self, node: Node, number: int, edges: list[Place | None]) -> None:
        """Look before, too: a learner's own `backward` may change its gradient in place, or raise."""
        visits, running, begun = self.visits, self._running, list[Visit]()

        def before(grads_in: Grads) -> None:
            passage = running[-1]
            begun.append(Visit(number, passage, _received(passage, number, grads_in)))
            visits.append(begun[-1])

        def after(grads_out: Grads, grads_in: Grads) -> None:
            begun.pop().grads_out = _sent(running[-1], edges, grads_out)

        self._handles += (node.register_prehook(before), node.register_hook(after))

    def _watch_leaf(self, node: Node, number: int) -> None:
        """Look before only: the next write, or the end, shows what `.grad` became."""
        visits, running, writes = self.visits, self._running, self._writes
        leaf: Tensor = node.variable  # type: ignore[attr-defined]

        def before(grads_in: Grads) -> None:
            passage, grad = running[-1], leaf.grad
            visit = Visit(number, passage, _received(passage, number, grads_in), ())
            if grad is not None:
                visit.grad_before = _copy(grad)
            visits.append(visit)
            writes.append((visit, leaf))

        self._handles.append(node.register_prehook(before))

    def _look_after_writes(self) -> None:
        later: dict[int, Tensor | None] = {}
        for visit, leaf in reversed(self._writes):
            grad = leaf.grad
            if visit.node in later:
                visit.grad_after = later[visit.node]
            elif grad is not None:
                visit.grad_after = grad.detach().clone()
            later[visit.node] = visit.grad_before


def _copy(tensor: Tensor) -> Tensor:
    """Copy a tensor so that nothing that happens to it later shows."""
    # Gradients require grad only in a pass with `create_graph`, which turns grad mode on.
    return tensor.detach().clone() if is_grad_enabled() else tensor.clone()


def _received(passage: Passage, node: int, grads_in: Grads) -> Grads:
    """Give copies of what came in: the producer's own where it came as it was sent."""
    came: list[Tensor | None] = []
    for slot, grad in enumerate(grads_in):
        parcel = passage.under_way.pop((node, slot), None)
        if grad is None:
            came.append(None)
        elif parcel is not None and parcel[0]() is grad and parcel[1] == grad._version:
            came.append(parcel[2])
        else:  # a sum of several, or a hook's
            came.append(_copy(grad))
    return tuple(came)


def _sent(
    passage: Passage,
    edges: list[Place | None],
    grads_out: Grads,
    grads_in: Grads = (None,),
    came: Grads = (None,),
) -> Grads:
    """Give copies of what goes out, and note it as under way. What only passes through is copied once."""
    under_way, passing = passage.under_way, grads_in[0]
    left: list[Tensor | None] = []
    for edge, grad in zip(edges, grads_out, strict=False):
        if grad is None:
            left.append(None)
            continue
        passed = came[0] if grad is passing else None
        copy = _copy(grad) if passed is None else passed
        left.append(copy)
        if edge is not None:
            try:
                under_way[edge] = None if edge in under_way else (ref(grad), grad._version, copy)
            except RuntimeError:  # an inference tensor has no version
                under_way[edge] = None
    return tuple(left)


def _engine_may_have_reduced(grads_in: Grads, grads_out: Grads) -> bool:
    """Whether one left with another dtype than it came with, or smaller, in a shape that broadcasts."""
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
    if unpacked_by_hooks(node):
        return None
    with torch.no_grad():
        try:
            made = node(*grads_in)  # type: ignore[operator]
        except RuntimeError:  # e.g. a saved tensor that the node let go of
            return None
    return made if isinstance(made, tuple) else (made,)


def _root(output: Any) -> Node:
    if isinstance(output, Tensor):
        return output.grad_fn or get_gradient_edge(output).node
    node: Node = output.node
    return node
