"""Digest of the bits of a session's tensors, and their numbers as a session file stores them."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from gradstep.actions import Action, Answer
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
from gradstep.training.state import TrainingState

MOST_NUMBERS = 32
"""Elements up to which a tensor is written out; a larger one is summarized."""

Tensors = Mapping[str, Tensor | None]


def this_environment() -> Environment:
    """Return the environment of this process: everything besides the actions that bits may depend on."""
    return Environment(
        str(torch.__version__),
        torch.get_num_threads(),
        platform.machine(),
        torch.backends.cpu.get_cpu_capability(),
        platform.system(),
        platform.python_version(),
    )


def tensors_of(names: Sequence[str], state: TrainingState) -> dict[str, Tensor | None]:
    """Return the parameters, gradients and tensors of the optimizer's state, by name.

    Args:
        names: Names of the parameters.
        state: A state of the session.

    Returns:
        Tensors in their own shapes, named "w", "w.grad" (None for no gradient) and, by PyTorch's names for an
        optimizer's state, e.g. "w.exp_avg".
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
    """Return a digest, 16 hexadecimal digits, of names, dtypes, shapes and bits; None counts as well."""
    digest = blake2b(digest_size=8)
    for name, tensor in tensors.items():
        if tensor is None:
            digest.update(_label(name, None, ()))
        else:
            digest.update(_label(name, tensor.dtype, tensor.shape))
            digest.update(raw(tensor).numpy().data)
    return digest.hexdigest()


def numbers_of(tensors: Tensors) -> dict[str, StoredValue]:
    """Return the exact values of small tensors and summaries of large ones, by name."""
    return {name: stored_value(tensor) for name, tensor in tensors.items()}


def loss_of(state: TrainingState) -> Number | None:
    """Return the last loss as a session file stores it, or None before the first forward pass."""
    loss = state.loss
    return None if loss is None else exact(loss)


def node_of(state: TrainingState) -> tuple[int, int] | None:
    """Return the events behind and all events of the pass that is stepped through; None outside a pass."""
    passing = state.passing
    return (passing.cursor, len(passing.trace)) if passing is not None and state.in_pass else None


def outcome_of(action: Action, state: TrainingState) -> str:
    """Return what an answer was worth, as a session file stores it; empty for any other action."""
    found = state.answered
    return found.judged.outcome if isinstance(action, Answer) and found is not None else ""


def stored_value(tensor: Tensor | None) -> StoredValue:
    """Return a tensor as a session file stores it; a complex number is a pair of numbers."""
    if tensor is None:
        return None
    plain = torch.view_as_real(tensor.detach()) if tensor.is_complex() else tensor.detach()
    if plain.numel() <= MOST_NUMBERS and plain.dim() <= MOST_DIMENSIONS:
        return _listed(plain.tolist())
    wide = plain.double()
    return StoredSummary(exact(wide.sum().item()), exact(wide.norm().item()))


def _listed(value: Any) -> Nested:
    if isinstance(value, list):
        return [_listed(element) for element in value]  # type: ignore[misc]
    return exact(value)


@lru_cache(maxsize=256)
def _label(name: str, dtype: torch.dtype | None, shape: Sequence[int]) -> bytes:
    return f"{name} {dtype} {tuple(shape)}\n".encode()
