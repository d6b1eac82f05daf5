"""The formulas that learners read, evaluated on recorded passes: they give what PyTorch's engine gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep.autograd.events import NodeEvent
from gradstep.autograd.trace import Trace
from gradstep.derivatives import RULES, evaluate
from tests.engine.test_derivatives_examples import DTYPES, EXAMPLES, SEEDS, Make, record

ROUNDED_ELSEWHERE = frozenset(
    {
        "EluBackward0",
        "GeluBackward0",
        "LogSigmoidBackward0",
        "LogSoftmaxBackward0",
        "RepeatBackward0",
        "SiluBackward0",
        "SoftmaxBackward0",
        "SoftplusBackward0",
        "TanhBackward0",
    }
)
"""Nodes whose kernel is fused, or sums in another order than the formula: their last bits may differ.

All others give the same bits as autograd, the sign of zero included.
"""

ALLOWED = {torch.float32: 1e-6, torch.float64: 2e-15}
"""How far these may be off, relative to the largest element of the gradient. Measured: a quarter of it."""


def known_nodes(trace: Trace) -> Iterator[NodeEvent]:
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.name in RULES:
            yield event


def assert_formulas_give_what_pytorch_made(event: NodeEvent) -> None:
    made = event.grads_out
    if event.accumulation is not None:
        made = (event.accumulation.after,)
    ours = evaluate(event)
    assert made is not None
    assert len(ours) == len(made)
    for formula, engine, edge in zip(ours, made, event.edges or (True,), strict=True):
        if engine is None or edge is None:
            assert formula is None
            continue
        assert formula is not None, event
        if formula.shape != engine.shape and formula.numel() == engine.numel():
            # The engine summed dims of size 1 away, of which the trace need not make an event.
            # A sum turns -0.0 into 0.0.
            formula, engine = formula.reshape(engine.shape) + 0.0, engine + 0.0
        assert formula.shape == engine.shape, event
        assert formula.dtype == engine.dtype, event
        (_assert_same_bits if _is_exact(event) else _assert_close)(formula, engine)


def _is_exact(event: NodeEvent) -> bool:
    """Embeddings scaled by frequency are scaled and added with one rounding, the formula rounds twice."""
    return event.name not in ROUNDED_ELSEWHERE and not event.saved.get("scale_grad_by_freq")


def _assert_same_bits(formula: Tensor, engine: Tensor) -> None:
    same = (formula == engine) & (formula.signbit() == engine.signbit()) | (formula.isnan() & engine.isnan())
    assert bool(same.all()), (formula, engine)


def _assert_close(formula: Tensor, engine: Tensor) -> None:
    scale = float(engine.abs().max()) if engine.numel() else 0.0
    torch.testing.assert_close(formula, engine, rtol=0, atol=ALLOWED[engine.dtype] * scale)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_formula_gives_what_autograd_gave(name: str) -> None:
    for example in EXAMPLES[name]:
        for seed, dtype in product(SEEDS, DTYPES):
            for event in known_nodes(record(example, seed, dtype)):
                assert_formulas_give_what_pytorch_made(event)


@st.composite
def shapes_that_broadcast(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    full = draw(st.lists(st.integers(1, 4), max_size=3))

    def part() -> tuple[int, ...]:
        kept = full[draw(st.integers(0, len(full))) :]
        return tuple(size if draw(st.booleans()) else 1 for size in kept)

    return part(), part()


ARITHMETIC: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "max": torch.maximum,
    "min": torch.minimum,
}


@settings(deadline=None, max_examples=20)
@given(
    shapes=shapes_that_broadcast(),
    symbols=st.lists(st.sampled_from(sorted(ARITHMETIC)), min_size=1, max_size=5),
    seed=st.integers(0, 2**31),
    dtype=st.sampled_from(DTYPES),
)
def test_formulas_hold_in_any_arithmetic_on_shapes_that_broadcast(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], symbols: list[str], seed: int, dtype: torch.dtype
) -> None:
    def program(m: Make) -> Tensor:
        one, other = m.normal(*shapes[0]), m.positive(*shapes[1])
        for symbol in symbols:
            one = ARITHMETIC[symbol](one, other)
        return one

    trace = record(program, seed, dtype)
    for event in known_nodes(trace):
        assert_formulas_give_what_pytorch_made(event)
