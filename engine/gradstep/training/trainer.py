"""Statements of the loop on a problem's own tensors: forward, backward, update, zero, and whole epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from operator import is_

import torch
from torch import Tensor

from gradstep.autograd.source_map import SourceMap, watch_forward
from gradstep.autograd.trace import TRACE_LIMIT, Trace, record_backward
from gradstep.errors import EngineError, GraphFreed, NotAScalar
from gradstep.learner_code.interruption import interruptible
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND
from gradstep.problem import Problem
from gradstep.torch_internals import version_of
from gradstep.training.batch_indices import Feed
from gradstep.training.determinism import Steady
from gradstep.training.fast_loop import FastRun, run_fast_epochs
from gradstep.training.forward_pass import ForwardLines
from gradstep.training.live_optimizer import LiveOptimizer
from gradstep.training.live_tensors import LiveTensors
from gradstep.training.pytorch_errors import PyTorchError, learners_code
from gradstep.training.snapshots import Batch, ForwardPass, Grads, Graph, Memory, Snapshot, shared_rng


class Trainer:
    """Runs the loop's statements on a problem's own tensors."""

    def __init__(self, problem: Problem) -> None:
        """Use the problem's tensors, starting from their present values."""
        self.problem = problem
        self.trace_limit = TRACE_LIMIT
        """Bytes of a trace beyond which tensors are kept as summaries."""

        self.steady = Steady()
        self._live = LiveTensors(problem)
        self._leaves = self._live.leaves
        self._forward = ForwardLines(problem)
        self._loss: Tensor | None = None
        self._sources: SourceMap | None = None
        self._optimizer = LiveOptimizer(HAND, self._leaves)
        values = tuple(leaf.detach().clone() for leaf in self._leaves)
        self._kept = Snapshot(values, (None,) * len(values), torch.get_rng_state())
        self._kept = self._untried = self._copy_all()

    # What there is

    def snapshot(self) -> Snapshot:
        """Return the present state; unchanged tensors are shared with the last snapshot."""
        return self._kept

    def restore(self, snapshot: Snapshot) -> None:
        """Restore a state, with a live graph if the state had one.

        Raises:
            Interrupted: the learner stopped the model. The state is restored; its graph is built when a
                backward pass needs it.
        """
        try:
            self._kept = snapshot
            self._loss = self._sources = None
            if snapshot.graph is Graph.LIVE:
                with suppress(EngineError):  # what it says, the backward pass will say
                    self._rebuild_graph()
        finally:
            self._write_back(snapshot)

    def restore_without_graph(self, snapshot: Snapshot) -> None:
        """Restore a state and run nothing of the learner's; a graph is built when a pass needs one."""
        self._kept = snapshot
        self._loss = self._sources = None
        self._write_back(snapshot)

    def _write_back(self, snapshot: Snapshot) -> None:
        self._live.write(snapshot.parameters, snapshot.written)
        self._live.write_buffers(snapshot.buffers)
        self._live.write_grads(snapshot.grads)
        if snapshot.optimizer != self._optimizer.chosen:
            self._optimizer = LiveOptimizer(snapshot.optimizer, self._leaves)
        self._optimizer.recall(snapshot.memory)
        torch.set_rng_state(snapshot.rng)

    # The statements

    def forward(self, batch: Batch | None = None) -> None:
        """Compute predictions and loss, and build a new graph, for a part of the samples or for all.

        Raises:
            PyTorchError: the model or the loss function raised.
            NotAScalar: the loss is not one number.
        """
        before = self._kept
        torch.set_rng_state(before.rng)  # other code in this process draws, too
        self._loss, preds, self._sources = self._compute(batch)
        if before is self._untried and batch is None:
            self.steady.look(self._loss.item(), self.problem.first_loss)
        made = ForwardPass(
            before.parameters,
            before.rng,
            preds.detach().clone(),
            self._loss.detach().clone(),
            before.buffers,
            batch,
        )
        self._kept = replace(
            before,
            rng=shared_rng(before.rng),
            forward=made,
            graph=Graph.LIVE,
            written=frozenset(),
            buffers=self._live.copied_buffers(),
        )

    def backward(self) -> Trace:
        """Run one backward pass and record it.

        Raises:
            PyTorchError: there is no loss or no graph, or PyTorch, a hook or a custom `backward` raised an
                error; gradients accumulated by then stay, as PyTorch leaves them.
        """
        loss, left = self._differentiable_loss(), Graph.USED
        trace: Trace | None = None
        try:
            trace = record_backward(
                loss,
                names=self.problem.parameters,
                sources=self._sources,
                known=self._live.known(self._kept),
                limit=self.trace_limit,
            )
            if trace.error is not None:
                left = Graph.BROKEN
                raise PyTorchError(trace.error, trace)
        except GraphFreed as freed:
            left = self._kept.graph or left
            raise PyTorchError(freed.pytorch) from freed
        finally:
            grads = self._live.grads(self._kept, {} if trace is None else trace.delivered())
            if trace is not None:
                trace.take_copies({id(leaf): grad for leaf, grad in zip(self._leaves, grads, strict=True)})
            self._keep(grads=grads, graph=left)
        return trace

    def backward_unrecorded(self) -> None:
        """Run one backward pass without recording it: the same bits, faster.

        Raises:
            PyTorchError: as `backward` does.
        """
        loss = self._differentiable_loss()
        try:
            with learners_code():
                interruptible(loss.backward)
        finally:
            self._keep(grads=self._live.grads(self._kept), graph=Graph.USED)

    def _differentiable_loss(self) -> Tensor:
        """Return the loss; raise PyTorch's error if there is no loss or it has no graph."""
        if self._kept.forward is None:
            raise PyTorchError(NameError("name 'loss' is not defined"))
        loss = self._rebuilt_loss() if self._loss is None else self._loss
        if not loss.requires_grad:
            with learners_code():
                loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def update(self, learning_rate: float) -> None:
        """Run `p -= p.grad * lr` for every parameter, inside `no_grad`; or `optimizer.step()`.

        Raises:
            PyTorchError: a `.grad` is None (an optimizer skips such parameters), or PyTorch refused the step.
        """
        versions = [version_of(leaf) for leaf in self._leaves]
        try:
            with torch.no_grad(), learners_code():
                if self._optimizer.chosen.by_hand:
                    for leaf in self._leaves:
                        leaf -= leaf.grad * learning_rate  # type: ignore[operator]
                else:
                    interruptible(self._optimizer.with_rate(learning_rate).step)
        finally:
            written = {
                index for index, leaf in enumerate(self._leaves) if version_of(leaf) != versions[index]
            }
            self._keep(
                parameters=self._live.parameters(self._kept),
                written=self._kept.written | written,
                memory=self._optimizer.memory(self._kept.memory),
            )

    def zero(self, *, set_to_none: bool = False) -> None:
        """Run `p.grad.zero_()`, or `p.grad = None`, for every parameter; or `optimizer.zero_grad()`.

        Raises:
            PyTorchError: a `.grad` to fill with zeros is None (an optimizer skips such parameters).
        """
        try:
            with learners_code():
                if self._optimizer.chosen.by_hand:
                    self._zero_by_hand(set_to_none)
                else:
                    self._optimizer.with_rate(0.0).zero_grad(set_to_none=set_to_none)
        finally:
            self._keep(grads=self._live.grads(self._kept))

    def _zero_by_hand(self, set_to_none: bool) -> None:
        for leaf in self._leaves:
            if set_to_none:
                leaf.grad = None
            else:
                leaf.grad.zero_()  # type: ignore[union-attr]

    def run(
        self,
        order: Sequence[Kind],
        count: int,
        learning_rate: float,
        add_loss: Callable[[float], None],
        stopped: Callable[[], bool],
        *,
        set_to_none: bool = False,
        feed: Feed | None = None,
        epoch: int = 0,
    ) -> FastRun:
        """Run whole epochs unrecorded, as `fast_loop.run_fast_epochs` does; no graph is left."""
        torch.set_rng_state(self._kept.rng)
        # Nodes of a recorded graph keep their hooks; the next graph would share the nodes of the leaves.
        self._loss = self._sources = None
        try:
            by_hand = self._optimizer.chosen.by_hand
            return run_fast_epochs(
                self.problem,
                order,
                count,
                learning_rate,
                add_loss,
                stopped,
                set_to_none=set_to_none,
                optimizer=None if by_hand else self._optimizer.with_rate(learning_rate),
                feed=feed,
                epoch=epoch,
            )
        finally:
            self._kept = replace(
                self._copy_all(shared_rng(self._kept.rng)),
                optimizer=self._optimizer.chosen,
                memory=self._optimizer.memory(self._kept.memory),
            )

    # Copies

    def _keep(
        self,
        parameters: tuple[Tensor, ...] | None = None,
        grads: Grads | None = None,
        graph: Graph | None = None,
        written: frozenset[int] | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Take a new snapshot after a statement; if nothing changed, the last snapshot stays."""
        old = self._kept
        new = replace(
            old,
            parameters=old.parameters if parameters is None else parameters,
            grads=old.grads if grads is None else grads,
            graph=old.graph if graph is None else graph,
            written=old.written if written is None else written,
            memory=old.memory if memory is None else memory,
        )
        same_tensors = map(is_, (*new.parameters, *new.grads), (*old.parameters, *old.grads))
        same = new.graph is old.graph and new.written == old.written and new.memory is old.memory
        if not same or not all(same_tensors):
            self._kept = new

    def _copy_all(self, rng: Tensor | None = None) -> Snapshot:
        rng = torch.get_rng_state() if rng is None else rng
        live, kept = self._live, self._kept
        return Snapshot(live.parameters(kept), live.grads(kept), rng, buffers=live.copied_buffers())

    # Graphs

    def _compute(self, batch: Batch | None) -> tuple[Tensor, Tensor, SourceMap]:
        with learners_code(), watch_forward() as sources:
            preds, loss = interruptible(lambda: self._forward.run(batch))
            for name, value in (("preds", preds), ("loss", loss)):
                if not isinstance(value, Tensor):
                    raise TypeError(f"{name} has the type {type(value).__name__}: it must be a tensor")
        if loss.numel() != 1:
            raise NotAScalar(tuple(loss.shape))
        return loss, preds, sources

    def _rebuild_graph(self) -> None:
        """Run the last forward pass again from the same inputs, for a new graph with the same numbers."""
        forward = self._kept.forward
        assert forward is not None
        self._live.write(forward.parameters)
        self._live.write_buffers(forward.buffers)
        torch.set_rng_state(forward.rng)
        self._loss, _, self._sources = self._compute(forward.batch)
        self.steady.look(self._loss.item(), forward.loss.item())

    def _rebuilt_loss(self) -> Tensor:
        """Build the last graph again, in its condition after what has run of it; no `.grad` changes."""
        kept = self._kept
        try:
            self._rebuild_graph()
            assert self._loss is not None
            if kept.graph is Graph.BROKEN:
                self._live.write(kept.parameters, kept.written)
            if kept.graph is not Graph.LIVE:
                with suppress(EngineError), learners_code():
                    loss = self._loss
                    interruptible(lambda: torch.autograd.grad(loss, self._leaves, allow_unused=True))
            return self._loss
        finally:
            self._live.write(kept.parameters, kept.written)
            self._live.write_buffers(kept.buffers)
            torch.set_rng_state(kept.rng)
