"""Functions that a formula may call by name; everything else is a method of a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor


def _of_number_too(
    of_tensor: Callable[[Tensor], Tensor], of_number: Callable[[float], float]
) -> Callable[[Any], Any]:
    """Return a function of a tensor or a plain number, as PyTorch's C++ formulas accept scalars."""

    def function(value: Any) -> Any:
        return of_tensor(value) if isinstance(value, Tensor) else of_number(value)

    return function


def _unsqueeze(tensor: Tensor, dims: Sequence[int]) -> Tensor:
    """Return the tensor with dims of size 1 in place of those that a reduction over `dims` removed."""
    full = tensor.dim() + len(dims)
    for dim in sorted(dim % full for dim in dims):
        tensor = tensor.unsqueeze(dim)
    return tensor


def _argsort(dims: Sequence[int]) -> tuple[int, ...]:
    """Return the permutation that undoes `dims`."""
    return tuple(sorted(range(len(dims)), key=lambda dim: dims[dim] % len(dims)))


VOCABULARY: Final[Mapping[str, Any]] = {
    "arange": torch.arange,
    "argsort": _argsort,
    "cat": torch.cat,
    "erf": torch.erf,
    "exp": torch.exp,
    "index_put": torch.ops.aten.index_put,
    "len": len,
    "log": _of_number_too(torch.log, lambda value: math.log(value) if value > 0 else -math.inf),
    "logsigmoid": torch.nn.functional.logsigmoid,
    "ndtr": torch.special.ndtr,
    "pi": math.pi,
    "sgn": torch.sgn,
    "sigmoid": torch.sigmoid,
    "softmax": torch.softmax,
    "sqrt": _of_number_too(torch.sqrt, math.sqrt),
    "stack": torch.stack,
    "tanh": torch.tanh,
    "unsqueeze": _unsqueeze,
    "where": torch.where,
    "zeros_like": torch.zeros_like,
}
"""Functions by PyTorch's names. Some accept more than their originals in torch: `log` and `sqrt` accept a
number, `unsqueeze(t, dims)` several dims, `argsort(dims)` a tuple (it inverts a `permute`), and
`index_put(t, indices, g, accumulate)` None as an index, for a whole dim."""
