"""Hooks on every node of a graph, for the duration of one backward pass.

PyTorch's engine runs the pass; the hooks only copy the gradients that pass them. They return None and hold no
tensor of the engine's: the engine neither adds in place to a tensor that is held, nor takes it over as a
`.grad`, and then strides may come out differently. Only what must be copied during the pass is copied here;
`gradstep.autograd.trace` builds events from it when they are first looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor, is_anomaly_check_nan_enabled, is_anomaly_enabled
from torch.autograd.graph import Node, get_gradient_edge
from torch.utils.hooks import RemovableHandle

from gradstep.autograd.gradient_copies import (
    Copier,
    engine_may_have_reduced,
    raw_gradients_of,
    reduced_by_engine,
)
from gradstep.autograd.hooks import Rows, after_node, after_with_saved, before_leaf
from gradstep.autograd.leaf_copies import LeafCopies
from gradstep.autograd.node_calls import (
    UNKNOWN,
    EnginePass,
    NodeCall,
    NodeGrads,
    Unknown,
    parents_first,
)
from gradstep.autograd.saved_tensors import (
    NO_TENSORS,
    HeldTensors,
    hold_tensors,
    version_or_minus_one,
)
from gradstep.learner_code.interruption import interruptible
from gradstep.tensors.placeholders import Budget, plain_numbers
from gradstep.torch_internals import (
    AccumulateGrad,
    BackwardCFunction,
    CustomApply,
    apply_of,
    engine_entry,
    engine_shortcut,
    leaf_of,
    put_first,
    replace_engine_entry,
    running_node,
)

NodeInput: TypeAlias = tuple[int, int]
"""Receiver of a gradient, an input of a node's call: the index of the node, and the slot."""

_shortcut: Final = engine_shortcut()


class Recorder:
    """Records the passes that start while `record` runs."""

    def __init__(self, known: LeafCopies, limit: int) -> None:
        """Start with nothing recorded.

        Args:
            known: Existing copies of leaves, which are shared if the leaves are unchanged.
            limit: Bytes that copies may take; further gradients are summarized.
        """
        self._known = known
        self.budget = Budget(limit)
        self.nodes: list[Node] = []
        """All nodes of the recorded graphs; each has its index here as its number."""
        self.edges: list[list[NodeInput | None]] = []
        """For each of `nodes`, the receivers of its gradients; None for a gradient that is not needed."""
        self.held: list[HeldTensors] = []
        """For each of `nodes`, the tensors that it saved."""
        self.rows: Rows = []
        """Arguments of one `NodeCall` per call: to make the object itself would slow the pass down."""
        self.raised_in: EnginePass | None = None
        """The innermost pass that ended with an error; None if no pass did."""
        self._error: BaseException | None = None
        """The error that has been assigned to `raised_in`."""
        self._index: dict[Node, int] = {}
        self._handles: list[Any] = []
        self._running: list[EnginePass] = []
        """The recorded pass, and inside it the passes that are running, outermost first."""
        self._hooked: dict[int, NodeGrads | None] = {}
        """Gradients after the post hooks of nodes that have any, by the call's index in `rows`; None while
        the hooks run, and if one of them raised."""
        self._inner: list[EnginePass] = []
        """Passes that nodes of others started, in the order in which they began."""
        self.looked_for_nan = False
        """Whether the engine raised an error for each nan that a node made, because of anomaly mode."""
        self._copies = Copier(self.budget)
        self._leaves: dict[int, Tensor] = {}
        """Leaf of each `AccumulateGrad`, by the number of the node."""
        self._final_grads: dict[int, tuple[Tensor | None, int]] = {}
        """`.grad` of each leaf after the recording, and its version counter then, by number of the node."""
        self._final_copies: dict[int, Tensor | None] = {}
        """Copies of these `.grad` that a caller has supplied, by number of the node."""

    @property
    def calls(self) -> list[NodeCall]:
        """All calls of nodes, in order; a node that started a pass comes before the calls in that pass.

        A call of `AccumulateGrad` or of a custom Function's node is noted when it begins, any other when it
        ends.
        """
        calls = [NodeCall(*row) for row in self.rows]
        for number, after in self._hooked.items():
            calls[number].hooked_out, calls[number].hook_raised = after, after is None
        next_grads = {
            number: self._final_copies[number] if number in self._final_copies else _if_unchanged(*final)
            for number, final in self._final_grads.items()
        }
        for call in reversed(calls):
            if call.node in next_grads:
                call.grad_after, next_grads[call.node] = next_grads[call.node], call.grad_before
        return parents_first(calls, self._inner)

    def delivered(self) -> dict[int, Tensor | None]:
        """Return a copy of the gradient that each leaf received last, by `id` of the leaf."""
        leaf_ids = {number: id(leaf) for number, leaf in self._leaves.items()}
        return {leaf_ids[row[0]]: row[2][0] for row in self.rows if row[0] in leaf_ids}

    def take_copies(self, copies: Mapping[int, Tensor | None]) -> None:
        """Use a caller's copies of each `.grad` after the pass, by `id` of the leaf, instead of own ones."""
        self._final_copies = {
            number: copies[id(leaf)] for number, leaf in self._leaves.items() if id(leaf) in copies
        }

    def raw_gradients(self, call: NodeCall) -> NodeGrads | None:
        """Return a node's gradients before the engine reduced them; None if it did not, or if unknown."""
        node, sent = self.nodes[call.node], call.grads_out or ()
        if (
            call.raw_out is not None
            or self.held[call.node] is not NO_TENSORS
            or isinstance(node, (AccumulateGrad, BackwardCFunction))
        ):
            return call.raw_out
        # The node saved no tensor that it could have let go of, so it can be asked after the pass, too.
        return (
            raw_gradients_of(node, call.grads_in, sent)
            if engine_may_have_reduced(node, call.grads_in, sent)
            else None
        )

    def record(self, loss: Tensor, backward: Mapping[str, Any]) -> None:
        """Run `loss.backward(**backward)`, with hooks on the graphs of all passes that start meanwhile."""
        with self._attached():
            if backward or _shortcut is None or type(loss) is not Tensor or not loss.is_floating_point():
                loss.backward(**backward)  # type: ignore[no-untyped-call]
            else:  # without arguments, `loss.backward()` comes to this call
                seed = (torch.ones_like(loss),)
                self._pass(_shortcut, (loss,), seed, False, False, (), True, True)

    def record_pass(self, plain: Callable[..., Any], outputs: Any, args: Any, kwargs: Any) -> Any:
        """Run one pass as `plain`, the engine's entry, runs it, and return its result."""
        with self._attached():
            return self._pass(plain, outputs, *args, **kwargs)

    @contextmanager
    def _attached(self) -> Iterator[None]:
        """Record all passes of this thread inside the `with` block."""
        self.looked_for_nan = is_anomaly_enabled() and is_anomaly_check_nan_enabled()
        plain = engine_entry()
        replace_engine_entry(self._watched(plain))
        try:
            yield
        finally:
            replace_engine_entry(plain)
            for handle in self._handles:
                handle.remove()
            self._handles.clear()
            self._index.clear()
            self._copies = Copier(self.budget)
            self._error = None
            for number, leaf in self._leaves.items():
                grad = leaf.grad
                self._final_grads[number] = grad, version_or_minus_one(grad)

    def _watched(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """Return an engine entry that records the passes of this thread, and runs others with `plain`."""
        thread = get_ident()

        def watched(outputs: Any, *args: Any, **kwargs: Any) -> Any:
            if get_ident() != thread:
                return plain(outputs, *args, **kwargs)
            return self._pass(plain, outputs, *args, **kwargs)

        return watched

    def _pass(self, plain: Callable[..., Any], outputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Run one pass with `plain`, after its graph has been hooked."""
        running = self._running
        engine_pass = EnginePass(len(running), [self._number(_root(output)) for output in outputs])
        if running:
            parent = running_node()
            engine_pass.parent = None if parent is None else self._index.get(parent)
            engine_pass.begin = len(self.rows)
            self._inner.append(engine_pass)
        running.append(engine_pass)
        try:
            self._attach()
            return interruptible(lambda: plain(outputs, *args, **kwargs))
        except BaseException as error:
            if error is not self._error:  # else an inner pass has noted the error already
                self._error, self.raised_in = error, engine_pass
            raise
        finally:
            running.pop()

    def _number(self, node: Node) -> int:
        """Return a node's number, which is a new one if the node has none yet."""
        number = self._index.get(node)
        if number is None:
            number = self._index[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def _attach(self) -> None:
        """Hook the numbered nodes that have no hook yet, and all nodes that they lead to."""
        nodes, all_edges, index = self.nodes, self.edges, self._index
        rows, copies, running = self.rows, self._copies, self._running
        while len(all_edges) < len(nodes):
            this = len(all_edges)
            node = nodes[this]
            edges: list[NodeInput | None] = []
            for to, slot in node.next_functions:
                if to is None:
                    edges.append(None)
                    continue
                number = index.get(to)
                if number is None:
                    number = index[to] = len(nodes)
                    nodes.append(to)
                edges.append((number, slot))
            all_edges.append(edges)
            if isinstance(node, AccumulateGrad):
                self.held.append(NO_TENSORS)
                self._watch_leaf(node, this)
                continue
            held = hold_tensors(node)
            self.held.append(held)
            if isinstance(node, BackwardCFunction):
                self._watch_custom(node, this)
                continue
            if held is not NO_TENSORS:
                handle = node.register_hook(partial(after_with_saved, rows, copies, running, this, node))
            else:
                handle = node.register_hook(partial(after_node, rows, copies, running, this))
            self._handles.append(handle)
            if put_first(handle):
                self._watch_other_hooks(node, handle, lambda: len(rows) - 1)

    def _watch_other_hooks(self, node: Node, first: RemovableHandle, row_of_call: Callable[[], int]) -> None:
        """Hook a node right before its other post hooks, and after them.

        Args:
            node: The node.
            first: Handle of the recorder's hook, which runs before all others.
            row_of_call: Returns the index in `rows` of the call that this hook has just noted.
        """
        hooked, ended = self._hooked, list[int]()

        def begun(grads_out: NodeGrads, grads_in: NodeGrads) -> None:
            ended.append(row_of_call())
            hooked[ended[-1]] = None

        def over(grads_out: NodeGrads, grads_in: NodeGrads) -> None:
            hooked[ended.pop()] = self._copies.sent(grads_out)

        second = node.register_hook(begun)
        put_first(second)
        put_first(first)
        self._handles += (second, node.register_hook(over))

    def _watch_custom(self, node: Node, number: int) -> None:
        """Hook a custom Function before it runs, too: its `backward` may change its gradient, or raise."""
        rows, copies, running, made = self.rows, self._copies, self._running, list[Any]()
        begun, ended = list[int](), list[int]()
        apply = apply_of(node)

        def applied(*grads_in: Any) -> Any:
            made.append(apply(*grads_in))
            return made[-1]

        def before(grads_in: NodeGrads) -> None:
            begun.append(len(rows))
            rows.append([number, running[-1], copies.received(grads_in)])

        def after(grads_out: NodeGrads, grads_in: NodeGrads) -> None:
            sent = copies.sent(grads_out)
            raw = reduced_by_engine(made.pop(), sent) if made else None
            ended.append(begun.pop())
            noted = rows[ended[-1]]
            assert isinstance(noted, list)
            noted += (sent, raw)

        custom = CustomApply(node, applied)
        self._handles += (node.register_prehook(before), custom)
        handle = node.register_hook(after)
        self._handles.append(handle)
        if put_first(handle):
            self._watch_other_hooks(node, handle, ended.pop)

    def _watch_leaf(self, node: Node, number: int) -> None:
        """Hook a leaf before each write only: the next write, or the end, shows what its `.grad` became."""
        leaf = leaf_of(node)
        self._leaves[number] = leaf
        known = self._known.get(id(leaf))
        known_grad = None if known is None else known.grad
        before = partial(before_leaf, self.rows, self._copies, self._running, number, leaf, known_grad)
        self._handles.append(node.register_prehook(before))


def _if_unchanged(grad: Tensor | None, version: int) -> Tensor | Unknown | None:
    """Return a copy of a `.grad`, or `UNKNOWN` if it was changed in place since it had this version."""
    if grad is None:
        return None
    return plain_numbers(grad).detach().clone() if version_or_minus_one(grad) == version else UNKNOWN


def _root(output: Any) -> Node:
    """Return the node that a pass starts from, for a tensor or a `GradientEdge`."""
    if isinstance(output, Tensor):
        return output.grad_fn or get_gradient_edge(output).node
    node: Node = output.node
    return node
