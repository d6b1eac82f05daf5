"""Hooks on every node of a graph, for the time of one backward pass.

PyTorch's engine runs the pass; the hooks only copy what goes by. They return None, keep no tensor of the engine's (so
that `AccumulateGrad` may take a gradient's memory over, as it does without hooks), and are removed on every way out.
Only what must be taken while the pass runs is taken here: `engine.trace` makes events of it when somebody looks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.autograd.graph
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node, get_gradient_edge

from engine.events import ACCUMULATE_GRAD, Unreadable

Grads = tuple[Tensor | None, ...]
ENGINE_DOOR = "_engine_run_backward"
"""What `backward` and `grad` call to enter the engine; nested passes come by here."""
_LEAF_NAME = "torch::autograd::AccumulateGrad"


@dataclass(slots=True)
class Visit:
    """One node's run: what went in, and, once it is over, what came out."""

    node: int
    grads_in: Grads
    """Kept by reference: the engine never changes a tensor that somebody holds."""
    versions: list[int]
    """The version counters of `grads_in`: a hook of the learner's may change a tensor in place after all."""
    grads_out: Grads | None = None
    raw_out: Grads | None = None
    """The node's own gradients where the engine then reduced them; None where they are `grads_out`."""
    grad_before: Tensor | None = None
    grad_after: Tensor | None = None


@dataclass(slots=True)
class Station:
    """A node of the graph, and what was read off it before the pass freed it."""

    name: str
    sequence_nr: int
    depth: int
    leaf: Tensor | None
    saved: list[tuple[str, Any, int]]
    """Name, value, and the value's version counter (-1 where it has none)."""
    edges: tuple[tuple[int, int] | None, ...] = ()


class Recorder:
    """Records the passes that run while it is `recording`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.stations: list[Station] = []
        self.visits: list[Visit] = []
        self._index: dict[Node, int] = {}
        self._open: dict[int, list[Visit]] = {}
        self._handles: list[Any] = []
        self._depth = 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Hook the graph of every pass that starts inside, also of one inside another; give all hooks back."""
        try:
            with _door_watched(self._passing):
                yield
        finally:
            for handle in self._handles:
                handle.remove()
            # A held AccumulateGrad node would serve the next graph, too: let go of all nodes.
            self._handles.clear()
            self._index.clear()
            self._open.clear()

    def _passing(self, roots: list[Node], run: Callable[[], Any]) -> Any:
        self._depth += 1
        try:
            self._attach(roots)
            return run()
        finally:
            self._depth -= 1

    def _attach(self, roots: list[Node]) -> None:
        waiting, index, new = roots, self._index, []
        while waiting:
            node = waiting.pop()
            if node in index:
                continue
            index[node] = len(self.stations)
            following = node.next_functions
            station = _station(node, self._depth - 1)
            self.stations.append(station)
            self._hook(node, index[node], station.leaf)
            new.append((station, following))
            for successor, _ in following:
                if successor is not None:
                    waiting.append(successor)
        for station, following in new:
            station.edges = tuple(
                [None if successor is None else (index[successor], slot) for successor, slot in following]
            )

    def _hook(self, node: Node, number: int, leaf: Tensor | None) -> None:
        keep = self._handles.append
        if leaf is not None:
            keep(node.register_prehook(partial(self._before_leaf, number, leaf)))
            keep(node.register_hook(partial(self._after_leaf, number, leaf)))
        elif isinstance(node, BackwardCFunction):
            # A learner's own `backward` may change its gradient in place, so that is copied before it runs.
            keep(node.register_prehook(partial(self._before_custom, number)))
            keep(node.register_hook(partial(self._after_custom, number)))
        else:
            keep(node.register_hook(partial(self._after, number, node)))

    def _after(self, number: int, node: Node, grads_out: Grads, grads_in: Grads) -> None:
        visit = Visit(number, grads_in, _versions(grads_in), _copies(grads_out))
        if _engine_may_have_reduced(grads_in, grads_out):
            visit.raw_out = _raw_gradients(node, grads_in)
        self.visits.append(visit)

    def _before_custom(self, number: int, grads_in: Grads) -> None:
        copies = _copies(grads_in)
        self._begin(Visit(number, copies, _versions(copies)))

    def _after_custom(self, number: int, grads_out: Grads, grads_in: Grads) -> None:
        self._open[number].pop().grads_out = _copies(grads_out)

    def _before_leaf(self, number: int, leaf: Tensor, grads_in: Grads) -> None:
        grad = leaf.grad
        self._begin(Visit(number, grads_in, _versions(grads_in), None, None, None if grad is None else _copy(grad)))

    def _after_leaf(self, number: int, leaf: Tensor, grads_out: Grads, grads_in: Grads) -> None:
        visit = self._open[number].pop()
        visit.grads_out = ()
        grad = leaf.grad
        visit.grad_after = None if grad is None else _copy(grad)

    def _begin(self, visit: Visit) -> None:
        self.visits.append(visit)
        self._open.setdefault(visit.node, []).append(visit)


def _copy(tensor: Tensor) -> Tensor:
    """Copy a tensor so that nothing that happens to it later shows."""
    return (tensor.detach() if tensor.requires_grad else tensor).clone()


def _copies(tensors: Grads) -> Grads:
    return tuple([None if tensor is None else _copy(tensor) for tensor in tensors])


def _versions(tensors: Grads) -> list[int]:
    return [-1 if tensor is None else tensor._version for tensor in tensors]


def _engine_may_have_reduced(grads_in: Grads, grads_out: Grads) -> bool:
    """Whether a gradient left smaller than it came in, with a shape that broadcasts to it, or with another dtype."""
    came = grads_in[0]
    if len(grads_in) != 1 or came is None:
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
    raw = [getattr(node, raw_name) for _, _, raw_name in _readable(node) if raw_name]
    if any(_has_unpack_hook(one) for one in raw):
        return None
    with torch.no_grad():
        try:
            made = node(*_copies(grads_in))
        except RuntimeError:  # e.g. a saved tensor that the node let go of
            return None
    return made if isinstance(made, tuple) else (made,)


_READABLE: dict[type, tuple[tuple[str, str, str], ...]] = {}
"""For each node type, its saved values: the name, the attribute, and the raw (tensor) attribute or ''."""


def _readable(node: Node) -> tuple[tuple[str, str, str], ...]:
    kind = type(node)
    names = _READABLE.get(kind)
    if names is None:
        found = dir(node)
        names = tuple(
            (name.removeprefix("_saved_"), name, f"_raw{name}" if f"_raw{name}" in found else "")
            for name in found
            if name.startswith("_saved_")
        )
        if "saved_tensors" in found:  # a custom Function
            names = (("tensors", "saved_tensors", "_raw_saved_tensors"),)
        _READABLE[kind] = names
    return names


def _has_unpack_hook(raw: Any) -> bool:
    if isinstance(raw, (list, tuple)):
        return any(_has_unpack_hook(one) for one in raw)
    return raw.unpack_hook is not None


def _station(node: Node, depth: int) -> Station:
    name = node.name()
    if name == _LEAF_NAME:
        leaf: Tensor = node.variable  # type: ignore[attr-defined]
        return Station(ACCUMULATE_GRAD, node._sequence_nr(), depth, leaf, [])
    return Station(name, node._sequence_nr(), depth, None, _saved(node))


def _saved(node: Node) -> list[tuple[str, Any, int]]:
    values = []
    for name, attribute, raw_attribute in _readable(node):
        try:
            if raw_attribute and _has_unpack_hook(getattr(node, raw_attribute)):
                value: Any = Unreadable("it is unpacked by a hook, once, when the pass needs it")
            else:
                value = getattr(node, attribute)
        except (RuntimeError, AttributeError) as error:
            value = Unreadable(str(error).split("\n")[0])
        values.append((name, value, value._version if _has_version(value) else -1))
    return values


def _has_version(value: Any) -> bool:
    return isinstance(value, Tensor) and not value.is_inference()


@contextmanager
def _door_watched(passing: Callable[[list[Node], Callable[[], Any]], Any]) -> Iterator[None]:
    """Let every pass that this thread starts run through `passing`, which gets the roots of its graph."""
    rooms = (torch.autograd, torch.autograd.graph)
    plain = torch.autograd._engine_run_backward  # type: ignore[attr-defined]
    thread = threading.get_ident()

    def watched(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return plain(outputs, *args, **kwargs)
        return passing([_root(output) for output in outputs], lambda: plain(outputs, *args, **kwargs))

    for room in rooms:
        setattr(room, ENGINE_DOOR, watched)
    try:
        yield
    finally:
        for room in rooms:
            setattr(room, ENGINE_DOOR, plain)


def _root(output: Any) -> Node:
    if isinstance(output, Tensor):
        return output.grad_fn or get_gradient_edge(output).node
    return output.node
