"""Hooks on every node of a graph, for the time of one backward pass.

PyTorch's engine runs the pass; the hooks only copy what goes by. They return None and keep no tensor of the
engine's: one that somebody holds is neither added to in place nor taken over as a `.grad`, and then strides
may come out another way. Only what must be taken while the pass runs is taken here:
`gradstep.autograd.trace` makes events of it when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import get_ident
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from gradstep.autograd.gradient_copies import (
    Copier,
    NodeGrads,
    engine_may_have_reduced,
    kept_raw,
    raw_gradients_of,
)
from gradstep.autograd.hooks import Rows, after_node, after_with_saved, before_leaf
from gradstep.autograd.leaf_copies import KnownLeaves
from gradstep.autograd.node_calls import UNKNOWN, Passage, Unknown, Visit
from gradstep.autograd.saved_tensors import NOTHING, Held, hold_tensors, version_or_none
from gradstep.tensors.placeholders import Budget
from gradstep.torch_internals import (
    AccumulateGrad,
    BackwardCFunction,
    CustomApply,
    apply_of,
    engine_entry,
    engine_shortcut,
    leaf_of,
    replace_engine_entry,
)

_shortcut: Final = engine_shortcut()
NodeInput = tuple[int, int]
"""One input of a node's run: the node's index, and the slot."""


class Recorder:
    """Records the passes that start while `record` runs."""

    def __init__(self, known: KnownLeaves, limit: int) -> None:
        """Start with nothing seen; copies that are known are kept where they are the same.

        Args:
            known: Copies of leaves.
            limit: Bytes of gradients from which on they are summarized.
        """
        self._known = known
        self.budget = Budget(limit)
        self.nodes: list[Node] = []
        self.edges: list[list[NodeInput | None]] = []
        """For each of `nodes`, where its gradients go."""
        self.held: list[Held] = []
        """For each of `nodes`, the tensors that it saved."""
        self.rows: Rows = []
        """What each `Visit` is made of: a hook has no time to make one."""
        self.raised_in: Passage | None = None
        """The innermost pass that ended by an error, where one did."""
        self._error: BaseException | None = None
        self._index: dict[Node, int] = {}
        self._handles: list[Any] = []
        self._running: list[Passage] = []
        self._copies = Copier(self.budget)
        self._leaves: dict[int, Tensor] = {}
        self._left: dict[int, tuple[Tensor | None, int]] = {}
        """For each leaf's node, its `.grad` after everything, and the version counter that it had."""

        self._copied: dict[int, Tensor | None] = {}
        """The same, for leaves whose `.grad` somebody has copied since."""

    @property
    def visits(self) -> list[Visit]:
        """All runs of nodes; PyTorch's own are noted when they end, leaves and Functions when they begin."""
        visits = [Visit(*row) for row in self.rows]
        later = {
            number: self._copied[number] if number in self._copied else _unchanged(*left)
            for number, left in self._left.items()
        }
        for visit in reversed(visits):
            if visit.node in later:
                visit.grad_after, later[visit.node] = later[visit.node], visit.grad_before
        return visits

    def delivered(self) -> dict[int, Tensor | None]:
        """Give, by `id` of a leaf, the copy of what was last delivered to it."""
        numbers = {number: id(leaf) for number, leaf in self._leaves.items()}
        return {numbers[row[0]]: row[2][0] for row in self.rows if row[0] in numbers}

    def take_copies(self, copies: Mapping[int, Tensor | None]) -> None:
        """Keep copies of what each `.grad` is after the pass, by `id` of its leaf: none has to be made."""
        self._copied = {
            number: copies[id(leaf)] for number, leaf in self._leaves.items() if id(leaf) in copies
        }

    def raw_gradients(self, visit: Visit) -> NodeGrads | None:
        """Give what a node made before the engine reduced it; None where it did not, or nobody knows."""
        node, left = self.nodes[visit.node], visit.grads_out or ()
        if (
            visit.raw_out is not None
            or self.held[visit.node] is not NOTHING
            or isinstance(node, (AccumulateGrad, BackwardCFunction))
        ):
            return visit.raw_out
        # It saved no tensor that it could have let go of, so it can be asked after the pass, too.
        return (
            raw_gradients_of(node, visit.grads_in, left)
            if engine_may_have_reduced(node, visit.grads_in, left)
            else None
        )

    def record(self, loss: Tensor, backward: Mapping[str, Any]) -> None:
        """Run `loss.backward(**backward)`, and hook the graphs of all passes meanwhile.

        `backward` and `grad` enter the engine by the function `_engine_run_backward`, which two modules name.
        """
        plain = engine_entry()
        replace_engine_entry(self._watched(plain))
        try:
            if backward or _shortcut is None or type(loss) is not Tensor or not loss.is_floating_point():
                loss.backward(**backward)  # type: ignore[no-untyped-call]
            else:  # all that is left of it then is this call
                seed = (torch.ones_like(loss),)
                self._pass(_shortcut, (loss,), seed, False, False, (), True, True)
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
                self._left[number] = grad, version_or_none(grad)

    def _watched(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        thread = get_ident()

        def watched(outputs: Any, *args: Any, **kwargs: Any) -> Any:
            if get_ident() != thread:
                return plain(outputs, *args, **kwargs)
            return self._pass(plain, outputs, *args, **kwargs)

        return watched

    def _pass(self, plain: Callable[..., Any], outputs: Any, *args: Any, **kwargs: Any) -> Any:
        running = self._running
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

    def _number(self, node: Node) -> int:
        number = self._index.get(node)
        if number is None:
            number = self._index[node] = len(self.nodes)
            self.nodes.append(node)
        return number

    def _attach(self) -> None:
        """Hook the numbered nodes that are not hooked yet, and all that they lead to."""
        nodes, all_edges, index = self.nodes, self.edges, self._index
        rows, copies, running = self.rows, self._copies, self._running
        keep_handle = self._handles.append
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
                self.held.append(NOTHING)
                self._watch_leaf(node, this)
                continue
            held = hold_tensors(node)
            self.held.append(held)
            if isinstance(node, BackwardCFunction):
                self._watch_custom(node, this)
            elif held is not NOTHING:
                after = partial(after_with_saved, rows, copies, running, this, node)
                keep_handle(node.register_hook(after))
            else:
                keep_handle(node.register_hook(partial(after_node, rows, copies, running, this)))

    def _watch_custom(self, node: Node, number: int) -> None:
        """Look before, too: a learner's own `backward` may change its gradient in place, or raise."""
        rows, copies, running, begun, made = self.rows, self._copies, self._running, list[list[Any]](), []
        apply = apply_of(node)

        def applied(*grads_in: Any) -> Any:
            made.append(apply(*grads_in))
            return made[-1]

        def before(grads_in: NodeGrads) -> None:
            begun.append([number, running[-1], copies.received(grads_in)])
            rows.append(begun[-1])

        def after(grads_out: NodeGrads, grads_in: NodeGrads) -> None:
            left = copies.sent(grads_out)
            begun.pop().extend((left, kept_raw(made.pop(), left)))

        custom = CustomApply(node, applied)
        self._handles += (node.register_prehook(before), node.register_hook(after), custom)

    def _watch_leaf(self, node: Node, number: int) -> None:
        """Look before only: the next write, or the end, shows what `.grad` became."""
        leaf = leaf_of(node)
        self._leaves[number] = leaf
        known = self._known.get(id(leaf))
        self._handles.append(
            node.register_prehook(
                partial(
                    before_leaf,
                    self.rows,
                    self._copies,
                    self._running,
                    number,
                    leaf,
                    None if known is None else known.grad,
                )
            )
        )


def _unchanged(grad: Tensor | None, version: int) -> Tensor | Unknown | None:
    if grad is None:
        return None
    return grad.detach().clone() if version_or_none(grad) == version else UNKNOWN


def _root(output: Any) -> Node:
    if isinstance(output, Tensor):
        return output.grad_fn or get_gradient_edge(output).node
    node: Node = output.node
    return node
