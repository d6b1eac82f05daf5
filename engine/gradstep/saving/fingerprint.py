"""The bits of a session's tensors, in short, and their numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from gradstep.saving.records import (
    MOST_DIMENSIONS,
    Environment,
    Nested,
    Number,
    StoredSummary,
    StoredValue,
    exact,
)
from gradstep.tensors.bitwise import raw
from gradstep.training.state import State

MOST_NUMBERS = 32
"""Elements of the largest tensor that is written out."""

Tensors = Mapping[str, Tensor | None]


def this_environment() -> Environment:
    """Give what bits may depend on, here and now."""
    return Environment(
        str(torch.__version__),
        torch.get_num_threads(),
        platform.machine(),
        torch.backends.cpu.get_cpu_capability(),
        platform.system(),
        platform.python_version(),
    )


def tensors_of(names: Sequence[str], state: State) -> dict[str, Tensor | None]:
    """Give the parameters, gradients and what the optimizer remembers, as PyTorch holds them, by name.

    The names are "w", "w.grad", and "w.exp_avg" or whatever PyTorch calls it.
    """
    held = state.trainer
    found: dict[str, Tensor | None] = {}
    for name, value, grad in zip(names, held.parameters, held.grads, strict=True):
        found[name] = value
        found[f"{name}.grad"] = grad
    for name, memory in zip(names, held.memory, strict=bool(held.memory)):
        found |= {f"{name}.{part}": memory[part] for part in sorted(memory)}
    return found


def bits_of(tensors: Tensors) -> str:
    """Give 16 hexadecimal digits for the tensors' names, and which are None, dtypes, shapes and bits."""
    digest = blake2b(digest_size=8)
    for name, tensor in tensors.items():
        if tensor is None:
            digest.update(_label(name, None, ()))
        else:
            digest.update(_label(name, tensor.dtype, tensor.shape))
            digest.update(raw(tensor).numpy().data)
    return digest.hexdigest()


def numbers_of(tensors: Tensors) -> dict[str, StoredValue]:
    """Give the tensors' values, exactly; of large ones, a summary."""
    return {name: stored_value(tensor) for name, tensor in tensors.items()}


def loss_of(state: State) -> Number | None:
    """Give the last loss as a file has it."""
    loss = state.loss
    return None if loss is None else exact(loss)


def node_of(state: State) -> tuple[int, int] | None:
    """Give how many of how many events of a pass are behind; None outside a pass."""
    passing = state.passing
    return (passing.cursor, len(passing.trace)) if passing is not None and state.in_pass else None


def stored_value(tensor: Tensor | None) -> StoredValue:
    """Give a tensor as a file has it; a complex number is a pair."""
    if tensor is None:
        return None
    plain = torch.view_as_real(tensor.detach()) if tensor.is_complex() else tensor.detach()
    if plain.numel() <= MOST_NUMBERS and plain.dim() <= MOST_DIMENSIONS:
        return _listed(plain.tolist())
    wide = plain.double()
    return StoredSummary(exact(wide.sum().item()), exact(wide.norm().item()))


def _listed(value: Any) -> Nested:
    if isinstance(value, list):
        return [_listed(one) for one in value]  # type: ignore[misc]
    return exact(value)


@lru_cache(maxsize=256)
def _label(name: str, dtype: torch.dtype | None, shape: Sequence[int]) -> bytes:
    return f"{name} {dtype} {tuple(shape)}\n".encode()
