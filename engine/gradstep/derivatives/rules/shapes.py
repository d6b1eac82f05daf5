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
    "the forward pass only changed the shape, so g is reshaped back",
    "reshape g",
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
    "the gradients of the parts are joined again, with zeros for parts that were not used",
    "join the parts",
    given={"grads": _split_grads},
)

SHAPES: Final[Mapping[str, Rule]] = {
    "TBackward0": Rule(
        {"self": "g.t()"}, "the matrix was transposed, so g is transposed back", "transpose g"
    ),
    "TransposeBackward0": Rule(
        {"self": "g.transpose(dim0, dim1)"},
        "two dims were swapped, so they are swapped back in g",
        "transpose g",
    ),
    "PermuteBackward0": Rule(
        {"self": "g.permute(argsort(dims))"},
        "the dims were put in another order, so those of g are put back",
        "permute back",
    ),
    "ViewBackward0": _RESHAPE,
    "UnsafeViewBackward0": _RESHAPE,
    "ReshapeAliasBackward0": _RESHAPE,
    "SqueezeBackward0": _RESHAPE,
    "SqueezeBackward1": _RESHAPE,
    "SqueezeBackward2": _RESHAPE,
    "UnsqueezeBackward0": Rule(
        {"self": "g.squeeze(dim)"}, "a dim of size 1 was inserted, so it is removed from g", "squeeze g"
    ),
    "ExpandBackward0": Rule(
        {"self": "g.sum_to_size(self_sym_sizes)"},
        "one element became many copies, so its gradient is the sum of their g",
        "sum the copies",
    ),
    "RepeatBackward0": Rule(
        {"self": "g.reshape(tiles).sum_to_size(sizes).reshape(self_sym_sizes)"},
        "one element became many copies, so its gradient is the sum of their g",
        "sum the copies",
        given={
            "tiles": lambda event, _: _tiled(event)[0],
            "sizes": lambda event, _: _tiled(event)[1],
        },
    ),
    "SelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).select_scatter(g, dim, index)"},
        "g goes to the elements that were selected, and all others get 0",
        "g in its place",
    ),
    "SliceBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).slice_scatter(g, dim, start, end, step)"},
        "g goes to the elements of the slice, and all others get 0",
        "g in its place",
    ),
    "IndexBackward0": Rule(
        {"self": "index_put(g.new_zeros(self_sym_sizes), indices, g, True)"},
        "each g goes to the element that was picked (summed if picked more than once), and others get 0",
        "g to the picked",
    ),
    "IndexSelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).index_add(dim, index, g)"},
        "each g goes to the row that was picked (summed if picked more than once), and others get 0",
        "g to the picked",
    ),
    "GatherBackward0": Rule(
        {"self": "zeros_like(self).scatter_add(dim, index, g)"},
        "each g goes to the element that was picked (summed if picked more than once), and others get 0",
        "g to the picked",
    ),
    "CatBackward0": Rule(
        {"tensors[]": "g.narrow(dim, start, length)"},
        "each of the joined tensors gets its own part of g",
        "cut g in parts",
        given={"start": _start, "length": _length},
    ),
    "StackBackward0": Rule(
        {"tensors[]": "g.select(dim, i)"},
        "each of the stacked tensors gets its own slice of g",
        "cut g in slices",
    ),
    "UnbindBackward0": Rule(
        {"self": "stack(grads, dim)"},
        "the gradients of the slices are stacked again, with zeros for slices that were not used",
        "stack the parts",
        given={"grads": _unbound_grads},
    ),
    "SplitBackward0": _SPLIT,
    "SplitWithSizesBackward0": _SPLIT,
    "FlipBackward0": Rule(
        {"self": "g.flip(dims)"}, "the order was reversed, so g is reversed back", "flip g"
    ),
    "TriuBackward0": Rule(
        {"self": "g.triu(diagonal)"}, "elements that were set to 0 get 0, and the rest get g", "triu of g"
    ),
    "TrilBackward0": Rule(
        {"self": "g.tril(diagonal)"}, "elements that were set to 0 get 0, and the rest get g", "tril of g"
    ),
    "CloneBackward0": Rule({"self": "g"}, "a copy passes g on unchanged", "g"),
    "ToCopyBackward0": Rule(
        {"self": "g.to(dtype)"},
        "the forward pass only changed the dtype, so g is cast back",
        "g.to(dtype)",
        given={"dtype": _dtype},
    ),
    "AccumulateGrad": Rule(
        {"grad": When("old is None", "new", "old + new")},
        When(
            "old is None",
            "{grad} was None, so it becomes g",
            "{grad} = {grad} + g: this pass's gradient is added to what {grad} already holds; "
            "a backward pass never overwrites it",
        ),
        "-> {grad}",
    ),
}


def _tiled(event: NodeEvent) -> tuple[list[int], list[int]]:
    """Return the shape of g with each dim as (repeats, size), and that shape with every repeats as 1."""
    repeats, sizes = event.saved["repeats"], event.saved["self_sym_sizes"]
    padded = [1] * (len(repeats) - len(sizes)) + list(sizes)
    tiles = [number for pair in zip(repeats, padded, strict=True) for number in pair]
    return tiles, [number for size in padded for number in (1, size)]
