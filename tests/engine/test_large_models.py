"""Models whose numbers weigh something: what is shared, what is kept, and what is summarized."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from gradstep.actions import Action, Backward, Forward, GoTo, StepNode, StepNodeBack, Undo, Update, Zero
from gradstep.autograd.events import NodeEvent
from gradstep.frame import Frame
from gradstep.history import checkpoints as travel
from gradstep.notices import TraceSummarized
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep.tensors.placeholders import is_placeholder
from gradstep.tensors.summary import histogram_of, norm_of, summarize, summary_of
from gradstep.training import trainer
from tests.benchmarks.models import mlp
from tests.engine.recording_checks import bits
from tests.tui.bench import state

TWICE = (Forward(), Backward(), Forward(), *[StepNode()] * 12, StepNodeBack(), Backward(), Update(), Zero())
"""A `.grad` is written, then added to node by node."""


def shown(frame: Frame) -> Sequence[object]:
    return state(frame)


def passed(session: Session) -> tuple[NodeEvent, ...]:
    passing = session.state.passing
    assert passing is not None
    return tuple(event for event in passing.trace.events if isinstance(event, NodeEvent))


def test_a_trace_that_passes_its_limit_keeps_summaries_and_every_grad_stays_right() -> None:
    whole, limited = Session(mlp()), Session(mlp())
    limited.trace_limit = 300_000
    told = []
    for action in TWICE:
        frames = [session.apply(action) for session in (whole, limited)]
        assert shown(frames[0]) == shown(frames[1])
        told += [frames[1].notice] if frames[1].notice else []
    assert [type(notice) for notice in told] == [TraceSummarized] * 2
    assert {notice.limit for notice in told} == {300_000}
    pairs = list(zip(passed(whole), passed(limited), strict=True))
    missing = 0
    for one, other in pairs:
        assert one.name == other.name
        for grad, stand in zip(one.grads_out or (), other.grads_out or (), strict=True):
            if grad is not None and is_placeholder(stand):
                missing += 1
                assert summary_of(stand) == summarize(grad)
    assert missing


def test_undo_within_a_heavy_pass_does_not_run_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session, passes = Session(mlp()), []
    plain = trainer.record_backward
    monkeypatch.setattr(trainer, "record_backward", lambda *a, **k: passes.append(1) or plain(*a, **k))
    session.apply(Forward())
    frames = [shown(session.apply(StepNode())) for _ in range(12)]
    for frame in frames[-2::-1]:
        assert shown(session.apply(Undo())) == frame
    assert passes == [1]


def test_states_too_heavy_to_keep_come_back_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("HEAVY_BYTES", "LIGHT_BYTES", "SPREAD_BYTES"):
        monkeypatch.setattr(travel, limit, 1)
    session = Session(mlp())
    actions: list[Action] = [Forward(), Backward(), Update(), Zero()] * 2
    frames = [shown(session.apply(action)) for action in actions]
    for place in (3, 7, 1, 6):
        assert shown(session.apply(GoTo(place + 1))) == frames[place]


def test_copies_of_what_did_not_change_are_shared() -> None:
    session = Session(mlp())
    before = session.apply(Forward()).parameters
    after = session.apply(Backward()).parameters
    assert all(new.value is old.value for new, old in zip(after, before, strict=True))
    for one in after:
        assert one.accumulation is not None
        assert one.accumulation.after is one.accumulation.part is one.grad
    again = session.apply(Forward()).parameters
    assert all(new.grad is old.grad for new, old in zip(again, after, strict=True))


def test_a_write_through_data_is_seen_though_no_version_counts_it() -> None:
    session = Session(mlp())
    session.apply(Forward())
    session.apply(Backward())
    leaf = session.problem.parameters["0.weight"]
    kept = bits(leaf.grad)
    assert leaf.grad is not None
    leaf.grad.data[0, 0] += 1
    session.apply(Update())
    session.apply(Undo())
    assert bits(leaf.grad) == kept


def test_a_trace_weighs_no_more_than_the_gradients_and_what_the_graph_saved() -> None:
    session = Session(mlp())
    session.apply(Forward())
    session.apply(Backward())
    grads = {
        one.data_ptr(): one.nbytes for event in passed(session) for one in event.grads_in if one is not None
    }
    passing = session.state.passing
    assert passing is not None
    saved = session.problem.inputs.nbytes + 64 * 128 * 4  # and what relu gave
    assert passing.trace.weight < sum(grads.values()) + saved + 100_000


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e-23, 1e-5, 1.0, 1.8e19, 1e30, 3e38])
def test_a_norm_is_right_for_numbers_of_any_size(dtype: torch.dtype, size: float) -> None:
    one = torch.tensor(size, dtype=dtype)
    tensor = one.expand(4).clone()
    expected = pytest.approx(2 * one.item(), rel=1e-6)
    assert summarize(tensor).norm == expected
    assert norm_of(tensor) == expected
    assert summarize(tensor).mean == pytest.approx(one.item(), rel=1e-6)


def test_a_norm_of_the_largest_and_smallest_doubles_is_right() -> None:
    for size in (5e-324, 1e-200, 1e200, 8e307):
        assert norm_of(torch.full((4,), size, dtype=torch.float64)) == pytest.approx(2 * size, rel=1e-6)
    assert norm_of(torch.tensor([0.0, float("inf")])) == float("inf")
    assert norm_of(torch.empty(0)) == 0


def test_a_summary_counts_zeros_nan_and_infinity() -> None:
    found = summarize(torch.tensor([[0.0, -3.0, 4.0], [0.0, float("nan"), float("-inf")]]))
    assert (found.zeros, found.nans, found.infinite, found.count) == (2, 1, 1, 6)
    plain = summarize(torch.tensor([0.0, -3.0, 4.0]))
    assert (plain.norm, plain.low, plain.high) == (5.0, -3.0, 4.0)
    histogram = histogram_of(torch.tensor([1.0, 1.0, 2.0, float("nan")]))
    assert histogram is not None
    assert (sum(histogram.counts), histogram.counts[0], histogram.counts[-1]) == (3, 2, 1)


def test_the_gradient_of_a_linear_bias_is_asked_for_without_its_products() -> None:
    """As the node itself gives it, where it is asked after all."""
    bias, inputs = torch.randn(3, requires_grad=True), torch.randn(4, 2)
    weight = torch.randn(2, 3, requires_grad=True)
    for scale in (1, 2):
        session = Session(_added(bias, weight, inputs, scale))
        session.apply(Forward())
        session.apply(Backward())
        node = next(event for event in passed(session) if event.name == "AddmmBackward0")
        assert node.grads_out is not None
        assert node.grads_out[0] is not None
        assert torch.equal(node.grads_out[0], scale * node.grads_in[0])


def _added(bias: torch.Tensor, weight: torch.Tensor, inputs: torch.Tensor, scale: int) -> Problem:
    leaves = {
        "bias": bias.detach().clone().requires_grad_(),
        "weight": weight.detach().clone().requires_grad_(),
    }
    labels = {name: ((),) * one.dim() for name, one in leaves.items()}

    def model(x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(leaves["bias"], x, leaves["weight"], beta=scale)

    return Problem(
        name="added",
        inputs=inputs,
        targets=torch.zeros(4, 3),
        parameters=leaves,
        model=model,
        loss_fn=nn.MSELoss(),
        loss_name="mse",
        learning_rate=0.1,
        labels=labels,
    )
