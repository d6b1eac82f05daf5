"""The recorder, held against every operator of PyTorch's own database of samples."""

from __future__ import annotations

import gc
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from gradstep.autograd import hooks, recorder
from gradstep.autograd.events import ReduceEvent
from gradstep.autograd.trace import record_backward
from gradstep.tensors.gc_pause import without_collection
from tests.engine.recording_checks import Made, NotComparable, same_as_plain

SAMPLES_IN_A_NORMAL_RUN = 1

PARTS = range(16)
"""In which all cases are tested, so that several processes can share them.

With a test for each operator, every process would load the database only to know its tests: six seconds.
"""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def label(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}".rstrip(".")


def samples(op: Any, dtype: torch.dtype) -> Iterator[Any]:
    """Give an operator's samples, the same ones at every call.

    `op.sample_inputs` would look through all modules for each call on the stack, to find a `TestCase`.
    """
    for seed in (torch.default_generator.manual_seed, numpy.random.seed, random.seed):
        seed(0)
    return iter(op.sample_inputs_func(op, "cpu", dtype, requires_grad=True))


def applied(op: Any, sample: Any) -> Made:
    """Apply an operator to new leaves with the sample's numbers; the loss weighs all that it gives."""
    torch.default_generator.manual_seed(1)
    inputs, leaves = renewed((sample.input, sample.args, sample.kwargs))
    first, args, kwargs = inputs
    made = op(first, *args, **kwargs)
    if sample.output_process_fn_grad is not None:
        made = sample.output_process_fn_grad(made)
    return weighed(made), leaves


def renewed(inputs: Any) -> tuple[Any, list[Tensor]]:
    leaves: list[Tensor] = []

    def renew(value: Any) -> Any:
        if isinstance(value, Tensor):
            if not value.requires_grad:
                return copied(value) if value.layout == torch.strided else value
            leaves.append(copied(value).requires_grad_())
            return leaves[-1]
        if type(value) in (list, tuple):
            return type(value)(renew(one) for one in value)
        if type(value) is dict:
            return {key: renew(one) for key, one in value.items()}
        return value

    return renew(inputs), leaves


def copied(value: Tensor) -> Tensor:
    """Copy a tensor, with the memory around it where it is a part of something larger."""
    value = value.detach()
    if value.layout != torch.strided or value.is_conj() or value.is_neg():
        return value.clone()
    storage = value.untyped_storage()
    if storage.nbytes() == value.numel() * value.element_size():
        return value.clone()
    made = torch.empty(0, dtype=value.dtype)
    return made.set_(storage.clone(), value.storage_offset(), value.shape, value.stride())


def weighed(made: Any) -> Tensor:
    loss = None
    for number, value in enumerate(tree_flatten(made)[0]):
        if not isinstance(value, Tensor) or not value.requires_grad:
            continue
        value = value.to_dense() if value.layout != torch.strided else value
        parts = [value.real, value.imag] if value.is_complex() else [value]
        for part in parts:
            weights = torch.linspace(0.5, 1.5 + number, part.numel(), dtype=part.dtype).view(part.shape)
            loss = (part * weights).sum() if loss is None else loss + (part * weights).sum().to(loss.dtype)
    if loss is None:
        raise NotComparable("no output that requires grad")
    return loss


def compare(op: Any, sample: Any, *, twice: bool = True) -> bool:
    """Hold a recorded pass against a plain one; False where the sample has nothing to compare.

    Where `twice`, once with no `.grad` and once with one to add to; else with one, where that can be made.
    """

    def preset() -> Made:
        loss, leaves = applied(op, sample)
        for leaf in leaves:
            leaf.grad = torch.randn_like(leaf)
        return loss, leaves

    try:
        applied(op, sample)
    except NotComparable:
        return False
    works = sample.input is None or preset_works(sample)
    if twice or not works:
        same_as_plain(lambda: applied(op, sample), ordered=False)
    if works:
        same_as_plain(preset, ordered=False)
    return True


def preset_works(sample: Any) -> bool:
    """Whether a random `.grad` can be made for every leaf."""
    return all(
        leaf.layout == torch.strided for leaf in renewed((sample.input, sample.args, sample.kwargs))[1]
    )


NOTHING_TO_DIFFERENTIATE = {"normal.number_mean"}
"""Operators of the table that draw from numbers, not from tensors, in every sample."""


@cache
def cases(*dtypes: torch.dtype) -> Sequence[tuple[Any, torch.dtype]]:
    """Give every operator that has a derivative, with each of these dtypes that it takes."""
    with without_collection():
        from torch.testing._internal.common_methods_invocations import op_db
    gc.freeze()

    return [
        (op, dtype)
        for op in op_db
        if op.supports_autograd and label(op) not in NOTHING_TO_DIFFERENTIATE
        for dtype in dtypes
        if op.supports_dtype(dtype, "cpu")
    ]


def hold_for_all(test: Callable[[Any, torch.dtype], None], found: Sequence[tuple[Any, torch.dtype]]) -> None:
    """Test all cases, and tell every one that fails, by its name.

    Raises:
        ExceptionGroup: what went wrong, with the operator in a note.
    """
    assert found
    wrong = []
    for op, dtype in found:
        try:
            test(op, dtype)
        except Exception as error:
            error.add_note(f"operator {label(op)}, {dtype}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup("operators that fail", wrong)


def test_a_recorded_pass_through_any_operator_is_a_plain_pass() -> None:
    def holds(op: Any, dtype: torch.dtype) -> None:
        compared = (True for sample in samples(op, dtype) if compare(op, sample, twice=False))
        assert list(islice(compared, SAMPLES_IN_A_NORMAL_RUN))

    assert len(cases(torch.float32)) > 500
    hold_for_all(holds, cases(torch.float32))


@pytest.mark.full
@pytest.mark.parametrize("part", PARTS)
def test_a_recorded_pass_through_every_sample_is_a_plain_pass(part: int) -> None:
    def holds(op: Any, dtype: torch.dtype) -> None:
        compared = [compare(op, sample) for sample in samples(op, dtype)]
        assert any(compared)

    hold_for_all(holds, cases(torch.float32, torch.float64)[part :: len(PARTS)])


def reductions(op: Any, sample: Any) -> list[tuple[int, int, torch.Size, torch.Size]]:
    """Record a pass; give what the engine summed or cast."""
    events = record_backward(applied(op, sample)[0]).events
    found = [event for event in events if isinstance(event, ReduceEvent)]
    return [(event.node, event.output, event.before.shape, event.after.shape) for event in found]


@pytest.mark.full
@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_the_engine_reduces_goes_unnoticed_to_save_the_asking(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def holds(op: Any, dtype: torch.dtype) -> None:
        for sample in samples(op, dtype):
            with suppress(NotComparable):
                told = reductions(op, sample)
                with monkeypatch.context() as always:
                    for module in (hooks, recorder):
                        always.setattr(module, "engine_may_have_reduced", lambda *_: True)
                    assert told == reductions(op, sample)

    hold_for_all(holds, cases(torch.float32)[part :: len(PARTS)])
