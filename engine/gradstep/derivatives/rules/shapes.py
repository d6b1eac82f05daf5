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
    "the same numbers in another shape, so g goes back to the shape before",
    "reshape g",
)


def _lengths(event: NodeEvent) -> list[int | None]:
    """Give each joined input's size along `dim`; None where it needs no gradient, as its size is not kept."""
    dim = event.saved["dim"]
    return [None if grad is None else grad.shape[dim] for grad in event.grads_out or ()]


def _start(event: NodeEvent, slot: int) -> int:
    """Give where an input begins in what `cat` joined, from the end (negative) where only that is known."""
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
    """Give the gradients of all slices, zeros for one that nobody used."""
    known = [grad for grad in event.grads_in if grad is not None][0]  # noqa: RUF015 (IndexError is expected)
    return tuple(torch.zeros_like(known) if grad is None else grad for grad in event.grads_in)


def _split_grads(event: NodeEvent, _slot: int) -> tuple[Tensor, ...]:
    """Give the gradients of all parts, zeros for one that nobody used."""
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
    "the gradients of the parts are joined again, with zeros for a part that nobody used",
    "join the parts",
    given={"grads": _split_grads},
)

SHAPES: Final[Mapping[str, Rule]] = {
    "TBackward0": Rule({"self": "g.t()"}, "a transposed matrix, so g is transposed back", "transpose g"),
    "TransposeBackward0": Rule(
        {"self": "g.transpose(dim0, dim1)"}, "two dims were swapped, so g swaps them back", "transpose g"
    ),
    "PermuteBackward0": Rule(
        {"self": "g.permute(argsort(dims))"},
        "the dims were put in another order, and g is put back",
        "permute back",
    ),
    "ViewBackward0": _RESHAPE,
    "UnsafeViewBackward0": _RESHAPE,
    "ReshapeAliasBackward0": _RESHAPE,
    "SqueezeBackward0": _RESHAPE,
    "SqueezeBackward1": _RESHAPE,
    "SqueezeBackward2": _RESHAPE,
    "UnsqueezeBackward0": Rule(
        {"self": "g.squeeze(dim)"}, "a dim of size 1 was put in, and g drops it", "squeeze g"
    ),
    "ExpandBackward0": Rule(
        {"self": "g.sum_to_size(self_sym_sizes)"},
        "one element became many copies, so it gets the sum of their g",
        "sum the copies",
    ),
    "RepeatBackward0": Rule(
        {"self": "g.reshape(tiles).sum_to_size(sizes).reshape(self_sym_sizes)"},
        "one element became many copies, so it gets the sum of their g",
        "sum the copies",
        given={
            "tiles": lambda event, _: _tiled(event)[0],
            "sizes": lambda event, _: _tiled(event)[1],
        },
    ),
    "SelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).select_scatter(g, dim, index)"},
        "g goes back to the place that was picked, and all other elements get 0",
        "g in its place",
    ),
    "SliceBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).slice_scatter(g, dim, start, end, step)"},
        "g goes back to the places that were cut out, and all other elements get 0",
        "g in its place",
    ),
    "IndexBackward0": Rule(
        {"self": "index_put(g.new_zeros(self_sym_sizes), indices, g, True)"},
        "each g goes back to the element that was picked, summed where picked twice, and others get 0",
        "g to the picked",
    ),
    "IndexSelectBackward0": Rule(
        {"self": "g.new_zeros(self_sym_sizes).index_add(dim, index, g)"},
        "each g goes back to the row that was picked, summed where picked twice, and others get 0",
        "g to the picked",
    ),
    "GatherBackward0": Rule(
        {"self": "zeros_like(self).scatter_add(dim, index, g)"},
        "each g goes back to the element that was picked, summed where picked twice, and others get 0",
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
        "the gradients of the slices are stacked again, with zeros for a slice that nobody used",
        "stack the parts",
        given={"grads": _unbound_grads},
    ),
    "SplitBackward0": _SPLIT,
    "SplitWithSizesBackward0": _SPLIT,
    "FlipBackward0": Rule(
        {"self": "g.flip(dims)"}, "the order was turned round, and g is turned back", "flip g"
    ),
    "TriuBackward0": Rule(
        {"self": "g.triu(diagonal)"}, "what was cut to 0 gets 0, and the rest gets g", "triu of g"
    ),
    "TrilBackward0": Rule(
        {"self": "g.tril(diagonal)"}, "what was cut to 0 gets 0, and the rest gets g", "tril of g"
    ),
    "CloneBackward0": Rule({"self": "g"}, "a copy passes g on unchanged", "g"),
    "ToCopyBackward0": Rule(
        {"self": "g.to(dtype)"},
        "the same numbers in another dtype, so g goes back to the dtype before",
        "g.to(dtype)",
        given={"dtype": _dtype},
    ),
    "AccumulateGrad": Rule(
        {"grad": When("old is None", "new", "old + new")},
        When(
            "old is None",
            "{grad} was None, so it becomes g",
            "{grad} = {grad} + g: this pass's gradient is added to what {grad} already holds; "
            "nothing is ever overwritten",
        ),
        "-> {grad}",
    ),
}


def _tiled(event: NodeEvent) -> tuple[list[int], list[int]]:
    """Give g's shape with each dim as (repeats, size), and that shape with the repeats summed to 1."""
    repeats, sizes = event.saved["repeats"], event.saved["self_sym_sizes"]
    padded = [1] * (len(repeats) - len(sizes)) + list(sizes)
    tiles = [number for pair in zip(repeats, padded, strict=True) for number in pair]
    return tiles, [number for size in padded for number in (1, size)]
