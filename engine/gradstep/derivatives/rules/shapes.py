"""Rules of nodes that move, copy, cut and join elements. Source: PyTorch's derivatives.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.autograd.events import NodeEvent
from gradstep.derivatives.rules.rule import Rule, When

_RESHAPE = Rule(
    {"self": "g.reshape(self_sym_sizes)"},
    "The forward pass only changed the shape, so the gradient gets the old shape back.",
)


def _lengths(event: NodeEvent) -> list[int | None]:
    """Return the size along `dim` of each joined input; None if it needs no gradient: no size is saved."""
    dim = event.saved["dim"]
    return [None if grad is None else grad.shape[dim] for grad in event.grads_out or ()]


def _start(event: NodeEvent, slot: int) -> int:
    """Return the start of an input in the result of `cat`; negative, from the end, if only that is known."""
    lengths = _lengths(event)
    before, here_and_after = lengths[:slot], lengths[slot:]
    if None not in before:
        return sum(length or 0 for length in before)
    if None in here_and_after:
        raise ValueError("inputs of unknown size lie on both sides")
    return -sum(length or 0 for length in here_and_after)


def _length(event: NodeEvent, slot: int) -> int:
    length = _lengths(event)[slot]
    if length is None:
        raise ValueError("this input needs no gradient")
    return length


def _dtype(event: NodeEvent, slot: int) -> torch.dtype:
    grad = (event.grads_out or ())[slot]
    if grad is None:
        raise ValueError("this input needs no gradient")
    return grad.dtype


def _unbound_grads(event: NodeEvent, _slot: int) -> tuple[Tensor, ...]:
    """Return the gradients of all slices, with zeros for slices that were not used."""
    known = [grad for grad in event.grads_in if grad is not None][0]  # noqa: RUF015 (IndexError is expected)
    return tuple(torch.zeros_like(known) if grad is None else grad for grad in event.grads_in)


def _split_grads(event: NodeEvent, _slot: int) -> tuple[Tensor, ...]:
    """Return the gradients of all parts, with zeros for parts that were not used."""
    saved: Mapping[str, Any] = event.saved
    sizes, dim = list(saved["self_sym_sizes"]), saved["dim"]
    known = [grad for grad in event.grads_in if grad is not None][0]  # noqa: RUF015 (IndexError is expected)
    parts = saved.get("split_sizes")
    if parts is None:
        step = saved["split_size"]
        parts = [min(step, sizes[dim] - start) for start in range(0, sizes[dim], step)]
    filled = []
    for grad, size in zip(event.grads_in, parts, strict=True):
        sizes[dim] = size
        filled.append(known.new_zeros(sizes) if grad is None else grad)
    return tuple(filled)


_SPLIT = Rule(
    {"self": "cat(grads, dim)"},
    "The gradients of the parts are joined again, with zeros for parts that were not used.",
    given={"grads": _split_grads},
)

SHAPES: Final[Mapping[str, Rule]] = {
    "TBackward0": Rule(
        {"self": "g.t()"},
        "The matrix was transposed in the forward pass, so its gradient is transposed back.",
    ),
    "TransposeBackward0": Rule(
        {"self": "g.transpose(dim0, dim1)"},
        "Two dims were swapped in the forward pass, so they are swapped back in the gradient.",
    ),
    "PermuteBackward0": Rule(
        {"self": "g.permute(argsort(dims))"},
        "The dims were put in another order, so those of the gradient are put back.",
    ),
    "ViewBackward0": _RESHAPE,
    "UnsafeViewBackward0": _RESHAPE,
    "ReshapeAliasBackward0": _RESHAPE,
    "SqueezeBackward0": _RESHAPE,
    "SqueezeBackward1": _RESHAPE,
    "SqueezeBackward2": _RESHAPE,
    "UnsqueezeBackward0": Rule(
        {"self": "g.squeeze(dim)"}, "A dim of size 1 was put in, so it is taken out of the gradient again."
    ),
    "ExpandBackward0": Rule(
        {"self": "g.sum_to_size(self_sym_sizes)"},
        "One element became several copies, so its gradient is the sum of their gradients.",
    ),
    "RepeatBackward0": Rule(
        {"self": "g.reshape(tiles).sum_to_size(sizes).reshape(self_sym_sizes)"},
        "One element became several copies, so its gradient is the sum of their gradients.",
        given={
            "tiles": lambda event, _: _tiled(event)[0],
            "sizes": lambda event, _: _tiled(event)[1],
        },
    ),
    "SelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).select_scatter(g, dim, index)"},
        "The gradient goes to the elements that were selected, and all others get 0.",
    ),
    "SliceBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).slice_scatter(g, dim, start, end, step)"},
        "The gradient goes to the elements of the slice, and all others get 0.",
    ),
    "IndexBackward0": Rule(
        {"self": "index_put(g.new_zeros(self_sym_sizes), indices, g, True)"},
        "Each gradient goes to the element that was picked, summed if it was picked more than once; all "
        "others get 0.",
    ),
    "IndexSelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).index_add(dim, index, g)"},
        "Each gradient goes to the row that was picked, summed if it was picked more than once; all others "
        "get 0.",
    ),
    "GatherBackward0": Rule(
        {"self": "zeros_like(self).scatter_add(dim, index, g)"},
        "Each gradient goes to the element that was picked, summed if it was picked more than once; all "
        "others get 0.",
    ),
    "CatBackward0": Rule(
        {"tensors[]": "g.narrow(dim, start, length)"},
        "Each of the joined tensors gets its own part of the gradient.",
        given={"start": _start, "length": _length},
    ),
    "StackBackward0": Rule(
        {"tensors[]": "g.select(dim, i)"},
        "Each of the stacked tensors gets its own slice of the gradient.",
    ),
    "UnbindBackward0": Rule(
        {"self": "stack(grads, dim)"},
        "The gradients of the slices are stacked again, with zeros for slices that were not used.",
        given={"grads": _unbound_grads},
    ),
    "SplitBackward0": _SPLIT,
    "SplitWithSizesBackward0": _SPLIT,
    "FlipBackward0": Rule(
        {"self": "g.flip(dims)"}, "The order was reversed, so that of the gradient is reversed back."
    ),
    "TriuBackward0": Rule(
        {"self": "g.triu(diagonal)"}, "Elements that were set to 0 get 0, and the rest get the gradient."
    ),
    "TrilBackward0": Rule(
        {"self": "g.tril(diagonal)"}, "Elements that were set to 0 get 0, and the rest get the gradient."
    ),
    "CloneBackward0": Rule({"self": "g"}, "A copy passes the gradient on unchanged."),
    "ToCopyBackward0": Rule(
        {"self": "g.to(dtype)"},
        "The forward pass only changed the dtype, so the gradient is cast back.",
        given={"dtype": _dtype},
    ),
    "AccumulateGrad": Rule(
        {"grad": When("old is None", "new", "old + new")},
        When(
            "old is None",
            "Before this pass {grad} was None, so it becomes the gradient that arrived.",
            "The gradient that arrived is added to what {grad} already holds; a backward pass never "
            "overwrites it.",
        ),
    ),
}


def _tiled(event: NodeEvent) -> tuple[list[int], list[int]]:
    """Return the shape of g with each dim as (repeats, size), and that shape with every repeats as 1."""
    repeats, sizes = event.saved["repeats"], event.saved["self_sym_sizes"]
    padded = [1] * (len(repeats) - len(sizes)) + list(sizes)
    tiles = [number for pair in zip(repeats, padded, strict=True) for number in pair]
    return tiles, [number for size in padded for number in (1, size)]
