"""The trainer's copies: complete, shared where nothing changed, and good to go back to, bit for bit."""

from __future__ import annotations

from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.errors import EngineError
from gradstep.loop.loop import Kind
from gradstep.training.snapshots import Graph, Snapshot
from gradstep.training.trainer import Trainer
from tests.engine.recording_checks import bits
from tests.session_strategies import PROBLEMS, Plain, crops, perceptron, with_dropout

RATE = 0.01


def run(trainer: Trainer, kind: Kind) -> None:
    """Run one statement."""
    {
        Kind.FORWARD: trainer.forward,
        Kind.BACKWARD: trainer.backward,
        Kind.UPDATE: lambda: trainer.update(RATE),
        Kind.ZERO: trainer.zero,
    }[kind]()


def after(*kinds: Kind, trainer: Trainer | None = None) -> Trainer:
    """Give a trainer that ran these statements."""
    trainer = trainer or Trainer(crops())
    for kind in kinds:
        run(trainer, kind)
    return trainer


def held(snapshot: Snapshot) -> object:
    """Everything that a snapshot holds, as bits."""
    made = snapshot.forward
    return (
        [bits(one) for one in (*snapshot.parameters, *snapshot.grads, snapshot.rng)],
        made and [bits(one) for one in (*made.parameters, made.rng, made.preds, made.loss)],
        (snapshot.graph, snapshot.written),
    )


F, B, U, Z = Kind


@given(
    st.sampled_from(sorted(PROBLEMS)),
    st.lists(st.sampled_from(Kind), min_size=1, max_size=12),
    st.lists(st.integers(0, 12), min_size=1, max_size=4),
)
@settings(max_examples=50)
def test_from_any_snapshot_training_goes_on_as_it_did(
    name: str, kinds: list[Kind], visits: list[int]
) -> None:
    torch.manual_seed(0)
    trainer = Trainer(PROBLEMS[name]())
    snapshots, copies, raised = [trainer.snapshot()], [held(trainer.snapshot())], []
    for kind in kinds:
        error = None
        try:
            run(trainer, kind)
        except EngineError as refused:
            error = type(refused)
        raised.append(error)
        snapshots.append(trainer.snapshot())
        copies.append(held(trainer.snapshot()))
    for visit in visits:
        start = visit % len(snapshots)
        trainer.restore(snapshots[start])
        assert trainer.snapshot() is snapshots[start]
        for kind, error, copy in zip(kinds[start:], raised[start:], copies[start + 1 :], strict=True):
            if error is None:
                run(trainer, kind)
            else:
                with pytest.raises(error):
                    run(trainer, kind)
            assert held(trainer.snapshot()) == copy
    assert [held(snapshot) for snapshot in snapshots] == copies


@given(st.lists(st.sampled_from(Kind), max_size=12))
def test_the_live_tensors_are_what_the_snapshot_says(kinds: list[Kind]) -> None:
    problem = perceptron()
    trainer = Trainer(problem)
    for kind in kinds:
        with suppress(EngineError):
            run(trainer, kind)
        leaves = list(problem.parameters.values())
        assert [bits(leaf) for leaf in leaves] == [bits(one) for one in trainer.snapshot().parameters]
        assert [bits(leaf.grad) for leaf in leaves] == [bits(one) for one in trainer.snapshot().grads]


def test_what_a_statement_leaves_alone_is_shared() -> None:
    trainer = after(F)
    first = trainer.snapshot()
    run(trainer, B)
    second = trainer.snapshot()
    assert second.parameters is first.parameters
    assert second.forward is first.forward
    assert second.rng is first.rng
    run(trainer, U)
    assert trainer.snapshot().grads is second.grads


def test_a_statement_that_changes_nothing_keeps_the_snapshot() -> None:
    trainer = after(F, B, Z)
    kept = trainer.snapshot()
    run(trainer, Z)
    assert trainer.snapshot() is kept


def test_the_restored_tensors_are_the_problems_own() -> None:
    problem = crops()
    trainer = Trainer(problem)
    leaves = list(problem.parameters.values())
    after(F, B, U, trainer=trainer).restore(Trainer(crops()).snapshot())
    assert all(one is other for one, other in zip(leaves, problem.parameters.values(), strict=True))
    assert all(leaf.grad is None and leaf.is_leaf and leaf.requires_grad for leaf in leaves)


@pytest.mark.parametrize(
    ("kinds", "graph"),
    [
        ((), None),
        ((F,), Graph.LIVE),
        ((F, B), Graph.USED),
        ((F, B, F), Graph.LIVE),
        ((F, B, U, Z), Graph.USED),
    ],
)
def test_a_snapshot_says_what_is_left_of_the_graph(kinds: tuple[Kind, ...], graph: Graph | None) -> None:
    assert after(*kinds).snapshot().graph is graph


def test_a_pass_that_pytorch_breaks_off_leaves_a_broken_graph_with_pytorchs_gradients() -> None:
    trainer, plain = Trainer(perceptron()), Plain(perceptron())
    for kind in (F, B, F, U):
        run(trainer, kind)
        plain.run(kind, RATE)
    with pytest.raises(EngineError, match="inplace"):
        trainer.backward()
    with pytest.raises(RuntimeError, match="inplace"):
        plain.run(B, RATE)
    assert trainer.snapshot().graph is Graph.BROKEN
    assert [bits(one) for one in trainer.snapshot().grads] == plain.state()[1]


def test_dropout_draws_the_same_after_going_back() -> None:
    trainer = Trainer(with_dropout())
    start = trainer.snapshot()
    run(trainer, F)
    first = trainer.snapshot().forward
    run(trainer, F)
    second = trainer.snapshot().forward
    assert first is not None
    assert second is not None
    assert bits(first.preds) != bits(second.preds)
    trainer.restore(start)
    torch.rand(7)  # somebody else draws
    after(F, F, trainer=trainer)
    again = trainer.snapshot().forward
    assert again is not None
    assert bits(again.preds) == bits(second.preds)
